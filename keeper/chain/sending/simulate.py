"""What a whole sequence of transactions would do at a block, before anything is signed.

`eth_simulateV1` runs the real transactions one after another and reads balances before and after; a node without it
runs our probe instead. Neither needs a key, a nonce or gas money. Whatever else must be known before signing rides in
the same request: the code of the sender's account, what L1 costs, an estimate where only the node can make one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.rpc import Request, Rpc, RpcError
from keeper.chain.sending.fees import TX_GAS_CAP, FeePolicy
from keeper.chain.sending.l1_fees import Kind, estimate_of, l1_questions, op_fees
from keeper.chain.sending.probe import probe_call, read_probed
from keeper.chain.sending.simulated import Ran, read_simulated, script, told
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import Block, VaultView
from keeper.core.errors import TransientError
from keeper.core.foreign import printable
from keeper.core.module_calls import FAILED_QUIETLY, may_fail_quietly, says_it_failed
from keeper.core.plan import Simulation
from keeper.core.units import WHOLE_BPS, Address, Token

Ask = Callable[[Any], list[Request]]
"""Makes requests at a block, however the node wants it named. The first is what it is about."""


class Simulator:
    """Guarantees that whatever cannot be simulated says so in `failure`, and so is never traded. Does not promise that
    execution in a later block does the same: min_out bounds the difference. One request, once the node is known.
    """

    def __init__(
        self, rpc: Rpc, policy: FeePolicy, probe: bytes, *, margin_bps: int = 2_000, l1: Kind = "none"
    ) -> None:
        """`probe` is the runtime code of Probe.sol; `margin_bps` is put on top of the gas that was needed; `l1` says
        how the chain charges for its L1."""
        self._rpc, self._policy, self._probe, self._margin_bps, self._l1 = rpc, policy, probe, margin_bps, l1
        self._has_simulate = True
        self._takes_hash = True

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        """Raises Unreachable where no node answers."""
        if calls.next.inner and calls.next.to == view.account == view.sender:
            # For owners to sign, whose signatures nobody has yet: what is inside, as the account's own calls.
            calls = Calls(calls.steps)
        tokens, fees = _tokens(calls, view), self._policy.first(view.block.base_fee, view.tip)
        l1 = l1_questions(self._l1, view.block, calls.sequence, view.sender or view.account, fees)
        ran, (code, *answers) = self._run(calls.sequence, view, tokens, l1)
        if ran.failure and _acts_itself(calls.next):
            ran = replace(ran, failure=self._with_reason_inside(ran.failure, calls.next, view, tokens))
        l1_fees: tuple[int, ...] = ()
        try:
            if self._l1 == "node" and not ran.failure:
                ran = _as_estimated(ran, estimate_of(answers[0]))
            if self._l1 == "op" and not ran.failure:
                l1_fees = op_fees(answers, ran.gas)
        except TransientError as error:
            ran = replace(ran, failure=f"its cost is not known: {printable(str(error), 300)}")
        limit, too_much = self._gas_limit(ran.needed, view.block)
        return Simulation(
            block_number=view.block.number,
            failure=ran.failure or too_much,
            gas=ran.gas,
            deltas=ran.deltas or {},
            gas_limit=limit,
            fees=fees,
            l1_fees=l1_fees,
            sender_code=self._code(view.sender, code, bool(ran.failure)) if view.sender else None,
        )

    def _code(self, sender: Address, told: Any, failed: bool) -> str | None:
        """Of the sender's account. A node that would not tell it beside the rest is asked for it alone, where it
        matters."""
        if not _is_code(told) and not failed:
            try:
                told = self._rpc.call("eth_getCode", [sender, "latest"])
            except TransientError:
                return None
        return told if _is_code(told) else None

    def _run(
        self, calls: Sequence[Call], view: VaultView, tokens: Sequence[Token], l1: Sequence[Request] = ()
    ) -> tuple[Ran, list[Any]]:
        """What the transactions do, and the answers beside it: the actor's code, then those to `l1`."""

        def beside(at: Any) -> list[Request]:
            return [("eth_getCode", [view.sender or view.account, at]), *l1]

        answers: list[Any] = [None] * (1 + len(l1))
        try:
            if self._has_simulate:
                wanted = script(calls, view, tokens)
                answer, *answers = self._ask(lambda at: [("eth_simulateV1", [wanted, at]), *beside(at)], view.block)
                if not (isinstance(answer, RpcError) and is_unknown_method(answer)):
                    return read_simulated(answer, calls, tokens), answers
                self._has_simulate = False
            answer, *answers = self._ask(
                lambda at: [("eth_call", probe_call(self._probe, calls, view, tokens, at)), *beside(at)], view.block
            )
            ran = read_probed(answer, calls, tokens)
            return replace(ran, failure=ran.failure or self._quiet_failure(calls[0], view)), answers
        except TransientError as error:
            return Ran(f"cannot be simulated: {printable(str(error), 300)}"), answers

    def _quiet_failure(self, call: Call, view: VaultView) -> str:
        """The probe does not bring back what a call returned, so the one kind that fails in silence is asked again."""
        if not may_fail_quietly(call):
            return ""
        wanted = {"from": view.sender or view.account, "to": call.to, "data": "0x" + call.data.hex()}
        (answer,) = self._ask(lambda at: [("eth_call", [wanted, at])], view.block)
        if isinstance(answer, RpcError):
            raise answer
        return told(0, [call], FAILED_QUIETLY) if says_it_failed(call, unhex(answer, "answer")) else ""

    def _with_reason_inside(self, failure: str, outer: Call, view: VaultView, tokens: Sequence[Token]) -> str:
        """A Safe only says that something inside failed: what, its account's own calls say, one after another."""
        inside = self._run(outer.inner, replace(view, sender=view.account), tokens)[0].failure
        return f"{failure}: {inside.replace('transaction', 'step', 1)}" if inside else failure

    def _ask(self, ask: Ask, block: Block) -> list[Any]:
        """The answers at exactly this block: by hash, or by number where the node does not take a hash."""
        if self._takes_hash:
            answers = self._rpc.batch(ask({"blockHash": block.hash}))
            if not isinstance(answers[0], RpcError) or is_unknown_method(answers[0]):
                return answers
        by_number = self._rpc.batch(ask(hex(block.number)))
        if self._takes_hash and not isinstance(by_number[0], RpcError):
            self._takes_hash = False
        return by_number

    def _gas_limit(self, needed: int, block: Block) -> tuple[int, str]:
        """Needed gas, plus what EIP-150 keeps back from inner calls (1/64), plus the margin; and why that cannot be."""
        most = min(TX_GAS_CAP, block.gas_limit)
        if needed > most:
            return most, f"needs {needed:,} gas, a transaction may have {most:,}"
        wanted = -(-needed * 64 * (WHOLE_BPS + self._margin_bps) // (63 * WHOLE_BPS))
        return min(wanted, most), ""


def _is_code(told: Any) -> bool:
    return isinstance(told, str) and told.startswith("0x")


def _as_estimated(ran: Ran, estimate: int) -> Ran:
    """With the gas for L1 data that only the node's own estimate holds. It is asked for the next transaction; the
    later ones, which cannot be estimated before it, are taken to need as much more."""
    more = max(0, estimate - ran.gas[0])
    return replace(ran, gas=tuple(used + more for used in ran.gas), needed=max(ran.needed, estimate))


def _acts_itself(call: Call) -> bool:
    """What is inside stands there whole, approvals included: run as the account's own calls it does the same."""
    return any(step.purpose in (Purpose.APPROVE, Purpose.REVOKE) for step in call.inner)


def _tokens(calls: Calls, view: VaultView) -> tuple[Token, ...]:
    spent = [call.spends.token for call in calls.sequence if call.spends is not None]
    everything = dict.fromkeys([*view.holdings, *view.balances, *spent])
    return (view.native.token, *(token for token in everything if not token.is_native))


def is_unknown_method(error: RpcError) -> bool:
    """The node has no such method, or the provider does not offer it."""
    text = error.message.lower()
    words = ("not found", "does not exist", "not supported", "unsupported", "unknown", "not available", "not allowed")
    return error.code == -32601 or ("method" in text and any(word in text for word in words))
