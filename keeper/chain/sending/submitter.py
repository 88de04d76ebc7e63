"""Makes a transaction happen at most once, and learns what became of it.

The order never changes: the nonce is journaled, the signed bytes are journaled with MAYBE_SENT, and only when that is
durable does anything leave this machine. What to do next is decided in attempts.py; this file carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from eth_utils.crypto import keccak

from keeper.chain.nodes.rpc import Rpc
from keeper.chain.sending.attempts import (
    Abandon,
    Broadcast,
    Cancel,
    Confirm,
    Final,
    Halt,
    MarkMined,
    MarkSent,
    Rules,
    Sign,
    Step,
    Unmine,
    Wait,
    is_mined,
    next_step,
)
from keeper.chain.sending.fees import affordable
from keeper.chain.sending.offers import Offers, below
from keeper.chain.sending.outcomes import fetch_outcome
from keeper.chain.sending.preflight import objection
from keeper.chain.sending.reconcile import why_coded
from keeper.chain.sending.relay import Relay
from keeper.chain.sending.sightings import MEDIAN, Sighting, fetch_sightings
from keeper.chain.sending.simulate import Simulator
from keeper.chain.sending.wishes import Wishes
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import VaultView
from keeper.core.errors import Halted, SubmitError, TransientError
from keeper.core.plan import Fees, Simulation
from keeper.core.ports import Alert, Journal, Send, Signer
from keeper.core.records import NewIntent
from keeper.core.sending import FINAL, LIVE, Attempt, Intent, State
from keeper.core.units import Address, TokenAmount, Wei

Budget = tuple[TokenAmount, int]
"""What a vault's gas may cost, in the numeraire, and within how many seconds."""

MAX_STEPS = 8
"""More than the longest honest way through the states in one look: sent, mined, confirmed, final."""


class DrySubmitter:
    """Simulates and does nothing else. It has no signer, no journal and no way to send."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        return self._simulator.simulate(calls, view)

    def submit(self, new: NewIntent, view: VaultView, simulation: Simulation, chain_nonce: int) -> Send | None:  # noqa: ARG002
        return None

    def settle(self) -> Mapping[str, str]:
        return {}


class LiveSubmitter:
    """The submitter of one chain.

    Guarantees: one nonce per intent for life; every attempt journaled before it is broadcast; whatever is ambiguous
    counts as maybe sent; nothing new is broadcast while `stop` gives a reason, cancels excepted; nothing final before
    finality. Does not guarantee inclusion: beyond the fee caps it waits, then cancels at the deadline.
    """

    def __init__(
        self,
        rpc: Rpc,
        journal: Journal,
        simulator: Simulator,
        signers: Mapping[Address, Signer],
        chain_id: int,
        rules: Rules,
        *,
        finality: int | None,
        stop: Callable[[str], str],
        alert: Alert,
        relay: Relay | None = None,
        budgets: Mapping[str, Budget] | None = None,
        tip_percentile: int = MEDIAN,
        wishes: Wishes | None = None,
    ) -> None:
        """`finality` is a depth in blocks, or None for the node's `finalized` tag. `stop` says why a vault may not
        sign or broadcast now (paused, asked to stop), or nothing. `budgets` hold replacements, as the guard
        max_gas_per_day holds what is new; a vault without one has no such limit."""
        self._rpc, self._journal, self._simulator, self._signers = rpc, journal, simulator, dict(signers)
        self._chain_id, self._rules, self._finality = chain_id, rules, finality
        self._wishes = wishes or Wishes(journal)
        self._stop, self._alert, self._budgets = stop, alert, dict(budgets or {})
        self._offers, self._percentile = Offers(rpc, rules, relay), tip_percentile
        self._outbid: dict[int, str] = {}
        """Intent -> the hash that a node refused as too low. Forgotten at a restart: the next offer tells it again."""

    # --- the port ----------------------------------------------------------------------------------------------------

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        return self._simulator.simulate(calls, view)

    def submit(self, new: NewIntent, view: VaultView, simulation: Simulation, chain_nonce: int) -> Send | None:
        """None where pre-flight, a pause or the journal's own doubts forbid it: then no nonce was used. Asks nobody, so
        that all of it can be one transaction of the journal.

        Raises JournalError; then there is nothing to broadcast.
        """
        fees, legacy = simulation.fees, self._rules.policy.legacy
        has_signer, l1_fee = new.sender in self._signers, sum(simulation.l1_fees[:1])
        why_not = objection(new, view, fees, self._chain_id, has_signer, legacy=legacy, l1_fee=l1_fee)
        if why_not:
            self._alert.alert(f"preflight:{new.vault}", f"{new.vault}: not sent: {why_not}")
            return None
        if self._stop(new.vault) or self._journal.halted(new.vault) or self._journal.halted(new.sender):
            return None
        try:
            if simulation.sender_code is None:
                raise TransientError(f"no node tells whether sender {new.sender} has code")
            if coded := why_coded(simulation.sender_code):
                raise Halted(coded)
            intent = self._journal.intend(new, chain_nonce)
        except Halted as doubt:
            self._halt(new.sender, str(doubt), new.at)
            return None
        except TransientError as later:
            self._alert.alert(f"preflight:{new.vault}", f"{new.vault}: not sent: {later}")
            return None
        now, head = view.block.timestamp, view.block.number
        if not self._signers[new.sender].is_here:
            return partial(self._sign, intent, intent.call, fees, intent.call.purpose, now, head)
        return partial(self._leave, *self._signed(intent, intent.call, fees, intent.call.purpose, now), now, head)

    def settle(self) -> Mapping[str, str]:
        """One request where something is live, a second where something was just mined or a nonce is unexplained."""
        intents = self._journal.live(self._chain_id)
        if not intents:
            return {}
        sightings = fetch_sightings(
            self._rpc,
            intents,
            self._finality,
            self._stopped,
            legacy=self._rules.policy.legacy,
            percentile=self._percentile,
        )
        busy: dict[str, str] = {}
        for intent in intents:
            for doubt in sightings[intent.id].doubts:
                self._alert.alert(f"doubt:{intent.id}", doubt)
            after, waiting = self._drive(intent, self._with_limits(intent, sightings[intent.id]))
            self._wishes.answer(intent, after, waiting)
            if after.state in LIVE:
                reason = f"{after.call.purpose} of {after.vault} (nonce {after.nonce}) is {after.state}"
                reason = f"{reason}: {waiting}" if waiting else reason
                busy |= dict.fromkeys((after.vault, after.sender, *after.pools), reason)
        self._outbid = {number: told for number, told in self._outbid.items() if number in sightings}
        return busy

    def _stopped(self, intent: Intent) -> str:
        """Why nothing new of this intent may be broadcast, cancels excepted."""
        halted = self._journal.halted(intent.vault) or self._journal.halted(intent.sender)
        return self._stop(intent.vault) or (f"halted: {halted}" if halted else "")

    def _with_limits(self, intent: Intent, sighting: Sighting) -> Sighting:
        """What only this keeper knows of it: which attempt was refused as too low, and what its gas may still cost."""
        if not intent.attempts or sighting.seen.mined is not None:
            return sighting
        outbid = self._outbid.get(intent.id) == intent.attempts[-1].hash
        return replace(
            sighting, seen=replace(sighting.seen, outbid=outbid, affordable=self._affordable(intent, sighting.seen.now))
        )

    def _affordable(self, intent: Intent, now: int) -> Wei | None:
        """{wei / gas} What the rest of the vault's gas budget pays for; None where it has none."""
        budget, price = self._budgets.get(intent.vault), self._journal.expectation(intent.id).expect.native_price
        if budget is None or price is None:
            return None
        limit, seconds = budget
        left = limit
        for at, spent in self._journal.history(intent.vault, now).gas:
            left = left - spent if at > now - seconds else left
        return affordable(left, price, intent.gas_limit)

    # --- following ---------------------------------------------------------------------------------------------------

    def _drive(self, intent: Intent, sighting: Sighting) -> tuple[Intent, str]:
        """Takes steps until there is nothing to do but wait. At most one of them broadcasts."""
        for _ in range(MAX_STEPS):
            if intent.state in FINAL:
                break
            step = next_step(intent, replace(sighting.seen, asked=self._wishes.of(intent)), self._rules)
            if isinstance(step, Wait):
                return intent, step.reason
            if isinstance(step, Sign | Cancel | Broadcast):
                return self._send_step(intent, step, sighting)
            intent = self._record(intent, step, sighting)
        return intent, ""

    def _send_step(self, intent: Intent, step: Sign | Cancel | Broadcast, sighting: Sighting) -> tuple[Intent, str]:
        now, head = sighting.seen.now, sighting.seen.head
        if isinstance(step, Broadcast):
            return self._broadcast(intent, step.attempt, now, head), ""
        if intent.sender not in self._signers:
            return intent, f"no signer for {intent.sender} is loaded"
        if isinstance(step, Cancel):
            call = Call(intent.sender, b"", 0, Purpose.CANCEL, f"cancel nonce {intent.nonce}")
        else:
            call = intent.call
        return self._sign(intent, call, step.fees, call.purpose, now, head), ""

    def _record(self, intent: Intent, step: Step, sighting: Sighting) -> Intent:
        advance = self._journal.advance
        match step:
            case MarkSent():
                return advance(intent.id, State.SENT, note="the node holds it")
            case MarkMined(mined):
                # SIGNED to MINED is not drawn: bytes that were mined were, maybe, sent.
                if intent.state is State.SIGNED:
                    advance(intent.id, State.MAYBE_SENT)
                return advance(intent.id, State.MINED, mined=mined)
            case Unmine(reason):
                self._alert.alert(f"reorg:{intent.id}", f"{intent.vault}: {reason}")
                return advance(intent.id, State.MAYBE_SENT, note=reason)
            case Confirm(mined):
                self._conclude(intent, sighting)
                return advance(intent.id, State.CONFIRMED, mined=mined)
            case Final(state):
                return advance(intent.id, state, mined=intent.mined)
            case Abandon():
                return advance(intent.id, State.FINAL_CANCELLED, note="nothing was signed before its deadline")
            case Halt(reason):
                self._halt(intent.sender, reason, sighting.seen.now)
                return advance(intent.id, State.EXTERNAL, note=reason)
        raise AssertionError(f"no way to record {step!r}")

    def _conclude(self, intent: Intent, sighting: Sighting) -> None:
        """Before CONFIRMED is journaled, so that a crash in between repeats this rather than skips it."""
        mined, receipt = sighting.seen.mined, sighting.receipt
        assert mined is not None and receipt is not None
        found = fetch_outcome(self._rpc, intent, self._journal.expectation(intent.id), receipt, mined)
        self._journal.finish(found.outcome)
        if found.wrong:
            self._halt(intent.vault, found.wrong, sighting.seen.now)
        elif found.outcome.reason:
            self._alert.alert(f"outcome:{intent.id}", f"{intent.vault}: {intent.call.text}: {found.outcome.reason}")

    # --- signing and sending -----------------------------------------------------------------------------------------

    def _sign(self, intent: Intent, call: Call, fees: Fees, purpose: Purpose, now: int, head: int) -> Intent:
        """A new attempt of an intent: signed, journaled, broadcast."""
        return self._leave(*self._signed(intent, call, fees, purpose, now), now, head)

    def _leave(self, intent: Intent, attempt: Attempt | None, now: int, head: int) -> Intent:
        return intent if attempt is None else self._broadcast(intent, attempt, now, head)

    def _signed(
        self, intent: Intent, call: Call, fees: Fees, purpose: Purpose, now: int
    ) -> tuple[Intent, Attempt | None]:
        """A new attempt of an intent, signed and journaled; no attempt where nothing may be broadcast now."""
        # A cancel needs less gas, but how little differs by chain (on some L2s calldata is paid in gas); what is not
        # used comes back.
        wanted = transaction(self._chain_id, intent.nonce, call, intent.gas_limit, fees)
        try:
            raw = self._signers[intent.sender].sign(wanted)
        except SubmitError as refusal:
            # The nonce stays reserved: the next look tries again, until the deadline.
            self._alert.alert(f"signer:{intent.sender}", str(refusal))
            return intent, None
        attempt = Attempt("0x" + keccak(raw).hex(), raw, fees, purpose, now)
        is_held = purpose is not Purpose.CANCEL and bool(self._stopped(intent))
        intent = self._journal.attempt(intent.id, attempt, leaves=not is_held)
        return intent, None if is_held else attempt

    def _broadcast(self, intent: Intent, attempt: Attempt, now: int, head: int) -> Intent:
        if intent.state is not State.MAYBE_SENT:
            intent = self._journal.advance(intent.id, State.MAYBE_SENT)
        heard = self._offers.offer(intent, attempt, now, head, lambda: self._below(intent))
        if heard.outbid:
            self._outbid[intent.id] = attempt.hash
        if heard.gap:
            earlier = self._below(intent)
            self._offers.fill_gap([other for other in earlier if is_mined(other) or not self._stopped(other)])
        if heard.alert:
            self._alert.alert(f"send:{intent.id}", f"{intent.vault}: {heard.alert}")
        if heard.halt:
            self._halt(intent.sender, f"nonce {intent.nonce}: {heard.halt}", attempt.at)
        if heard.taken:
            return self._journal.advance(intent.id, State.SENT, note=heard.said)
        return intent

    def _below(self, intent: Intent) -> tuple[Intent, ...]:
        return below(intent, self._journal.live(self._chain_id))

    def _halt(self, scope: str, reason: str, now: int) -> None:
        if not self._journal.halted(scope):
            self._journal.halt(scope, reason, now)
        self._alert.alert(f"halt:{scope}", f"{scope} is halted: {reason}")


def transaction(chain_id: int, nonce: int, call: Call, gas: int, fees: Fees) -> dict[str, object]:
    """What a signer is asked to sign."""
    fields: dict[str, object] = {
        "chainId": chain_id,
        "nonce": nonce,
        "to": call.to,
        "value": call.value,
        "data": call.data,
        "gas": gas,
    }
    if fees.tip is None:
        return fields | {"gasPrice": int(fees.cap)}
    return fields | {"type": 2, "maxFeePerGas": int(fees.cap), "maxPriorityFeePerGas": int(fees.tip)}
