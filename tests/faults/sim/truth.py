"""The invariants of docs/faults.md, judged against the chain itself after every step.

Numbers in the messages are those of the list. What the journal says is compared with blocks, never with itself alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from keeper.core.calls import Purpose
from keeper.core.sending import ARROWS, FINAL, LIVE, Fill, Intent, State
from keeper.core.units import USD, WHOLE_BPS, TokenAmount
from tests.builders import USDC, WETH
from tests.faults.sim.keeper_in_sim import World
from tests.faults.sim.ledger import Ledger, Tx
from tests.faults.sim.treasury import DEADLINE, MAX_DEVIATION, POLICY, SLIPPAGE, TRIGGER, VAULTS

_WETH, _USDC = WETH.address.lower(), USDC.address.lower()
_ACCOUNTS = {account.lower(): name for name, (account, _) in VAULTS.items()}


class Violation(AssertionError):
    """An invariant does not hold."""


def require(holds: bool, text: str) -> None:
    if not holds:
        raise Violation(text)


@dataclass(slots=True)
class Truth:
    """Follows one world and one journal. `foreign` are hashes that others signed with our keys."""

    world: World
    journal: Any
    foreign: set[str] = field(default_factory=set)
    known: dict[int, Intent] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    """Attempt hash -> intent."""
    delivering: bool = False
    """What arrives now was sent long ago."""
    confirmed: set[int] = field(default_factory=set)
    """Intents that were confirmed once: a reorg may make them live beside others."""
    totals: tuple[int, int, int] | None = None
    checked_final: int = 0
    shows: int = 0

    def __post_init__(self) -> None:
        self.world.network.on_seen = self.on_seen
        self.totals = self._totals(self.world.network.ledger)

    # --- at the moment of sending ------------------------------------------------------------------------------------

    def on_seen(self, tx: Tx) -> None:
        """A node is about to hear of a transaction for the first time."""
        if tx.sender not in _ACCOUNTS or tx.hash in self.foreign:
            return
        self.shows += 1
        intents = self._intents()
        owner = next((i for i in intents if any(a.hash == tx.hash for a in i.attempts)), None)
        require(owner is not None, f"2: {tx.hash} was sent before it was journaled")
        assert owner is not None
        require(owner.state not in (State.RESERVED, State.SIGNED), f"2: sent while the journal says {owner.state}")
        require(owner.nonce == tx.nonce, f"1: intent {owner.id} has nonce {owner.nonce}, sent with {tx.nonce}")
        attempt = next(a for a in owner.attempts if a.hash == tx.hash)
        if attempt.purpose is Purpose.CANCEL:
            return
        stopped = self.journal.paused(owner.vault) or any(map(self.journal.halted, (owner.vault, owner.sender)))
        require(self.delivering or not stopped, f"9: {owner.vault} is paused or halted, and a trade was sent")
        self._check_bounds(owner, tx)

    def _check_bounds(self, intent: Intent, tx: Tx) -> None:
        """4: what it signed, against the prices of the block that it was decided on."""
        pool = VAULTS[intent.vault][1].lower()
        require(tx.to == pool and tx.is_swap and not tx.value, "4: target, selector or value not allowed")
        deadline = int.from_bytes(tx.data[88:120], "big")
        require(deadline <= intent.created_at + DEADLINE, "4: deadline beyond its limit")
        floors, drifts = [], []
        for block in self.world.network.made.get(intent.created_at, ()):
            floors.append(oracle_floor(block.after, tx))
            drifts.append(drift(block.after, tx.sender))
        require(bool(floors), f"10: decided at {intent.created_at}, when there was no block")
        require(tx.min_out >= min(floors), f"4: min_out {tx.min_out} is below the oracle's floor {min(floors)}")
        require(max(drifts) > TRIGGER, f"14: traded at a drift of {max(drifts)} bps, inside the band")

    # --- after every step --------------------------------------------------------------------------------------------

    def check(self) -> None:
        changed = self._changed()
        for intent in changed:
            self._check_history(self.known.get(intent.id), intent)
            self._check_fees(intent)
            if intent.state is State.CONFIRMED:
                self.confirmed.add(intent.id)
            self.known[intent.id] = intent
        self._check_one_nonce(changed)
        self._check_live()
        for intent in changed:
            if intent.state in FINAL:
                self._check_final(intent)
        self._check_consumed()
        self._check_halts()
        require(self._totals(self.world.network.ledger) == self.totals, "13: tokens or coin appeared or vanished")

    def _intents(self) -> Sequence[Intent]:
        found = getattr(self.journal, "intents", None)
        return found if found is not None else every_intent(self.journal)

    def _changed(self) -> list[Intent]:
        return [intent for intent in self._intents() if self.known.get(intent.id) is not intent]

    def _check_history(self, before: Intent | None, after: Intent) -> None:
        """7, 21: along drawn arrows only, attempts only added, nothing of a final intent changed."""
        if before is None:
            return
        require(after.nonce == before.nonce, f"1: intent {after.id} changed its nonce")
        require(after.attempts[: len(before.attempts)] == before.attempts, f"21: attempts of {after.id} were rewritten")
        require(before.state not in FINAL or after.state is before.state, f"7: {after.id} was {before.state} already")
        require(after.state is before.state or _reaches(before.state, after.state), f"21: {before.state} {after.state}")

    def _check_fees(self, intent: Intent) -> None:
        """12"""
        for before, after in zip(intent.attempts, intent.attempts[1:], strict=False):
            for low, high in ((before.fees.cap, after.fees.cap), (before.fees.tip or 0, after.fees.tip or 0)):
                require(high > low and high * 10 >= low * 11, f"12: {low} -> {high} is no replacement of {intent.id}")
        for attempt in intent.attempts:
            require(attempt.fees.cap <= POLICY.max_fee, f"12: fee cap {attempt.fees.cap}")
            require((attempt.fees.tip or 0) <= POLICY.max_tip, f"12: tip {attempt.fees.tip}")

    def _check_one_nonce(self, changed: Iterable[Intent]) -> None:
        """1: nobody but one trade intent ever signed for a nonce."""
        for intent in changed:
            for attempt in intent.attempts:
                require(self.owners.setdefault(attempt.hash, intent.id) == intent.id, "1: one hash, two intents")
            if not intent.attempts:
                continue
            for other in self.known.values():
                shared = other.id != intent.id and other.attempts and other.sender == intent.sender
                require(not shared or other.nonce != intent.nonce, f"1: {intent.id} and {other.id} share a nonce")

    def _check_live(self) -> None:
        """5"""
        taken: dict[str, int] = {}
        for intent in self._intents():
            if intent.state not in LIVE or intent.id in self.confirmed:
                continue
            for name in (intent.vault, intent.sender, *intent.pools):
                require(name not in taken, f"5: {taken.get(name)} and {intent.id} are both live and use {name}")
                taken[name] = intent.id

    def _check_final(self, intent: Intent) -> None:
        """7: final is what the chain says, and only what it cannot take back."""
        network = self.world.network
        if intent.state is State.EXTERNAL:
            sender = intent.sender.lower()
            used = [tx for _, tx in network.canonical() if tx.sender == sender and tx.nonce == intent.nonce]
            strangers = [tx for tx in used if tx.hash in self.foreign]
            require(bool(strangers), f"7: {intent.id} is EXTERNAL, but nobody else used its nonce")
            require(bool(self.journal.halted(intent.sender)), f"8: {intent.id} is EXTERNAL and its sender goes on")
            return
        if not intent.attempts:
            require(intent.state is State.FINAL_CANCELLED, f"7: {intent.id} is {intent.state} without an attempt")
            return
        mined = intent.mined
        require(mined is not None, f"7: {intent.id} is {intent.state} without a receipt")
        assert mined is not None
        require(mined.block_number <= network.finalized, f"7: {intent.id} is final before block {mined.block_number}")
        block = network.chain[mined.block_number]
        require(block.hash == mined.block_hash, f"7: {intent.id} was mined in a block that is not on the chain")
        receipt = block.receipts.get(mined.hash)
        require(receipt is not None, f"7: {intent.id} is not in its block")
        assert receipt is not None
        require(int(receipt["status"], 16) == mined.status, f"7: status of {intent.id}")
        cost = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        require(cost == mined.gas_cost, f"7: gas cost of {intent.id}")
        attempt = next(a for a in intent.attempts if a.hash == mined.hash)
        cancelled = attempt.purpose is Purpose.CANCEL
        wanted = State.FINAL_CANCELLED if cancelled else State.FINAL_OK if mined.status else State.FINAL_REVERTED
        require(intent.state is wanted, f"7: {intent.id} is {intent.state}, the chain says {wanted}")
        self._check_fill(intent, receipt, cancelled)

    def _check_fill(self, intent: Intent, receipt: dict[str, Any], cancelled: bool) -> None:
        """3, 4: what was sold and received."""
        outcome = outcome_of(self.journal, intent.id)
        require(outcome is not None, f"7: {intent.id} is final without an outcome")
        if cancelled or not receipt["logs"]:
            require(outcome.fill is None, f"4: {intent.id} has a fill that never was")
            return
        (expect,) = self.journal.expectation(intent.id).expect.swaps
        sold, received = (int(log["data"], 16) for log in receipt["logs"])
        require(sold <= expect.sell.raw, f"3: {intent.id} sold more than planned")
        require(received >= expect.min_out.raw, f"4: {intent.id} received less than min_out")
        filled = Fill((TokenAmount(expect.sell.token, sold),), (TokenAmount(expect.quote.token, received),))
        require(outcome.fill == filled, f"7: fill of {intent.id}")

    def _check_consumed(self) -> None:
        """2, 8: every nonce of ours that a final block used belongs to an attempt in the journal, or to a stranger."""
        network = self.world.network
        for block in network.chain[self.checked_final + 1 : network.finalized + 1]:
            executed: set[int] = set()
            for tx in block.txs:
                if tx.sender not in _ACCOUNTS or tx.hash in self.foreign:
                    continue
                owner = self.owners.get(tx.hash)
                require(owner is not None, f"8: {tx.hash} used nonce {tx.nonce} and is not in the journal")
                assert owner is not None
                require(owner not in executed, f"3: intent {owner} was executed twice")
                executed.add(owner)
        self.checked_final = network.finalized

    def _check_halts(self) -> None:
        """8: nobody is blamed for what we did ourselves."""
        for scope, reason, *_ in getattr(self.journal, "halts", ()):
            own = "used elsewhere" not in reason and "not in the journal" not in reason
            require(own or bool(self.foreign), f"8: {scope} is halted, and nobody else used its key: {reason}")

    def _totals(self, ledger: Ledger) -> tuple[int, int, int]:
        return ledger.total(_WETH), ledger.total(_USDC), sum(ledger.native.values())

    # --- at the end --------------------------------------------------------------------------------------------------

    def check_settled(self) -> None:
        """6, 8: everything that ever began has ended, and every nonce is explained by exactly one intent."""
        network = self.world.network
        for intent in self._intents():
            if self._waits_for_a_stranger(intent):
                continue
            require(intent.state in FINAL, f"6: {intent.id} is still {intent.state}: {intent.note}")
        by_nonce: dict[tuple[str, int], list[Intent]] = {}
        for intent in self._intents():
            if intent.attempts:
                by_nonce.setdefault((intent.sender.lower(), intent.nonce), []).append(intent)
        strangers = {(tx.sender, tx.nonce) for _, tx in network.canonical() if tx.hash in self.foreign}
        for account in _ACCOUNTS:
            for nonce in range(network.ledger.nonces.get(account, 0)):
                explained = len(by_nonce.get((account, nonce), ())) + ((account, nonce) in strangers)
                require(explained >= 1, f"8: nonce {nonce} of {account} is explained by nobody")
        cycles = [intent.cycle for intent in self._intents() if intent.state is State.FINAL_OK]
        require(len(cycles) == len(set(cycles)), "3: one plan was executed twice")
        for tx_hash, tx in network.seen.items():
            if tx.sender in _ACCOUNTS and tx_hash not in self.foreign:
                require(any(tx_hash == a.hash for i in self._intents() for a in i.attempts), f"2: {tx_hash} is lost")

    def _waits_for_a_stranger(self, intent: Intent) -> bool:
        """Somebody else's transaction came before ours, and a reorg took it for good: nobody but them has its nonce."""
        own = {other.nonce for other in self._intents() if other.sender == intent.sender and other.attempts}
        before = range(self.world.network.ledger.nonces.get(intent.sender.lower(), 0), intent.nonce)
        return bool(self.foreign) and any(nonce not in own for nonce in before)

    def executed(self, account: str) -> list[Tx]:
        """Swaps of this account that the chain holds and did not revert."""
        return [
            tx
            for block, tx in self.world.network.canonical()
            if tx.sender == account.lower() and tx.is_swap and int(block.receipts[tx.hash]["status"], 16)
        ]


def _reaches(before: State, after: State) -> bool:
    """Along one drawn arrow or several: one step of a test may be several of the submitter."""
    reached, edge = {before}, {before}
    while edge:
        edge = {to for state in edge for to in ARROWS[state]} - reached
        reached |= edge
    return after in reached


def every_intent(journal: Any) -> Sequence[Intent]:
    """Of a journal on a database."""
    from keeper.journal import rows

    with journal._store.reading() as connection:
        return rows.read_intents(connection)


def outcome_of(journal: Any, number: int) -> Any:
    found = getattr(journal, "outcomes", None)
    if found is not None:
        return found.get(number)
    from keeper.journal import rows

    with journal._store.reading() as connection:
        return rows.read_outcomes(connection, [number]).get(number)


def oracle_floor(ledger: Ledger, tx: Tx) -> int:
    """{raw} What the signed min_out must be at least: value by the oracle, less pool fee, slippage and impact."""
    sell = "0x" + tx.data[4:24].hex()
    amount = int.from_bytes(tx.data[24:56], "big")
    rate = Fraction(ledger.price, 10**20)
    worth = amount * rate if sell == _WETH else amount / rate
    reserve = ledger.of(sell, tx.to)
    impact = Fraction(amount, reserve + amount)
    kept = 1 - Fraction(5, 10_000) - impact - Fraction(MAX_DEVIATION + SLIPPAGE, WHOLE_BPS)
    return int(worth * kept)


def drift(ledger: Ledger, account: str) -> Fraction:
    """{bps} Of WETH from the half."""
    weth = TokenAmount(USD, ledger.of(_WETH, account) * ledger.price // 10**8).raw
    usdc = ledger.of(_USDC, account) * 10**12
    return abs(Fraction(weth * WHOLE_BPS, weth + usdc) - 5_000)
