"""One turn of the keeper.

Each cycle settles what is in flight, observes one block, plans, routes, drafts and simulates, lets every guard speak,
submits, and records. Vaults of which nothing has changed but prices, and these too little, only have their streak go on
(keeper/screening.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from keeper.core import text
from keeper.core.chain import Observed, Snapshot, Unusable, VaultView
from keeper.core.decision import Decision, new_intent
from keeper.core.drain import drain_scope
from keeper.core.errors import JournalError, KeeperError, Unreachable
from keeper.core.plan import Hold
from keeper.core.ports import Journal, Observer, Proposer, Send, Submitter
from keeper.core.proposals import OpenProposal, why_stale
from keeper.core.records import CycleRecord
from keeper.deciding import Vault, decide
from keeper.screening import FEW, TOLD, UNTOLD, Screens, Turn

__all__ = ["Cycle", "Turn"]

ACTS = frozenset({"intended", "proposed"})
"""Kinds of cycles from which something leaves the keeper."""


class Cycle:
    """Turns the wheel for the vaults of one chain.

    Guarantees: at most one live transaction per vault, per sender and per pool; a vault that raises does not stop the
    others; nothing is sent that is not journaled. Does not guarantee that a due vault acts: it may have to wait.
    """

    def __init__(
        self,
        observer: Observer,
        submitter: Submitter,
        journal: Journal,
        vaults: Mapping[str, Vault],
        *,
        describe: Callable[[Decision], Mapping[str, object]],
        pack: Callable[[Snapshot, Observed], bytes],
        may_act: Callable[[str, int], str],
        told: int | None = None,
        untold: int = UNTOLD,
    ) -> None:
        """`describe` and `pack` make the journal's text and inputs; `may_act(vault, time)` says why not now, or ''.
        `told` and `untold` {s} say how often a vault that holds on is told in full."""
        self._observer, self._submitter, self._journal, self._vaults = observer, submitter, journal, vaults
        self._describe, self._pack, self._may_act = describe, pack, may_act
        few = FEW if len(vaults) <= FEW else TOLD
        self._screens = Screens(vaults, few if told is None else told, untold)
        self._waited: dict[str, int] = {}
        """Cycles for which each vault has had to wait for another one."""

    def settle(self) -> Mapping[str, str]:
        """Follows what is live, between looks: `{vault, sender or pool: why it must wait}`."""
        return self._submitter.settle()

    def turn(self, due: Sequence[str]) -> Iterator[Turn]:
        """One cycle of each due vault, the most urgent first.

        Raises TransientError or Unreachable where no block can be observed, JournalError where it cannot be recorded.
        """
        busy = dict(self.settle())
        snapshot = self._observer.observe(due)
        resting, told = self._screens.resting(snapshot, due, busy)
        yield from self._tell([name for name in due if name not in resting and name not in told], snapshot, busy)
        # Whatever holds on comes last, as what is to be sent should wait for nothing.
        yield from self._tell(told, snapshot, busy)
        self._journal.go_on(resting, snapshot.block)
        yield from (self._screens.hold_on(name, snapshot.block) for name in resting)

    def _tell(self, names: Sequence[str], snapshot: Snapshot, busy: dict[str, str]) -> Iterator[Turn]:
        """Goes the full way with these vaults."""
        decisions = [self._decide(name, snapshot) for name in names]
        records: list[tuple[Decision, CycleRecord]] = []
        for decision in sorted(decisions, key=self._urgency, reverse=True):
            records.append((decision, self._record(decision, snapshot, busy)))
            if records[-1][1].kind in ACTS:
                yield from self._act(records, snapshot, busy)
                records = []
        yield from self._act(records, snapshot, busy)

    def _decide(self, name: str, snapshot: Snapshot) -> Decision:
        try:
            return decide(self._vaults[name], snapshot.vaults[name].view)
        except (JournalError, Unreachable):
            raise  # these concern every vault alike
        except Exception as error:  # noqa: BLE001  one broken vault must not stop the others; nothing of it is sent
            text = str(error) if isinstance(error, KeeperError) else f"{type(error).__name__}: {error}"
            return Decision(name, Unusable(text), Hold("failed", f"this cycle failed: {text}"))

    def _act(
        self, records: Sequence[tuple[Decision, CycleRecord]], snapshot: Snapshot, busy: dict[str, str]
    ) -> Iterator[Turn]:
        """Journals these cycles and the transaction of the last one, if it acts, and only then sends."""
        if not records:
            return
        with self._journal.together():
            numbers = self._journal.record_cycles([record for _, record in records])
            sends = [self._submit(number, *each, snapshot) for number, each in zip(numbers, records, strict=True)]
        intents = [send() if send is not None else None for send in sends]
        for number, (decision, record), intent in zip(numbers, records, intents, strict=True):
            _ask_people(self._vaults[decision.vault].proposer, number, decision, record)
            turn = Turn(number, record, decision, intent)
            self._screens.learn(turn, snapshot)
            self._waited[decision.vault] = self._waited.get(decision.vault, 0) + 1 if record.kind == "wait" else 0
            if intent is not None:
                reason = f"{intent.call.purpose} of {decision.vault} (nonce {intent.nonce}) is live"
                busy |= dict.fromkeys((decision.vault, intent.sender, *intent.pools), reason)
            yield turn

    def _record(self, decision: Decision, snapshot: Snapshot, busy: Mapping[str, str]) -> CycleRecord:
        """What the journal will say of it, and whether it acts."""
        vault = self._vaults[decision.vault]
        halted = self._latch(decision)
        kind, code, reason = self._conclude(decision, snapshot, busy, halted)
        return CycleRecord(
            vault=vault.name,
            chain_id=snapshot.block.chain_id,
            block_number=snapshot.block.number,
            block_hash=snapshot.block.hash,
            at=snapshot.block.timestamp,
            kind=kind,
            code=code,
            reason=reason,
            config_hash=vault.config_hash,
            armed=vault.armed,
            guards=tuple(denial.guard for denial in decision.denials or decision.refused),
            decision=self._describe(decision),
            inputs=self._pack(snapshot, snapshot.vaults[vault.name]),
            max_drift_bps=decision.max_drift,
            trace=decision.trace,
        )

    def _submit(self, number: int, decision: Decision, record: CycleRecord, snapshot: Snapshot) -> Send | None:
        """The next transaction of a cycle that acts, where nothing speaks against it."""
        if record.kind != "intended":
            return None
        assert decision.draft is not None and isinstance(decision.view, VaultView)
        new = new_intent(decision, decision.draft, decision.view, number)
        submitter = self._vaults[decision.vault].submitter
        return submitter.submit(new, decision.view, decision.draft.simulation, snapshot.nonces[new.sender])

    def _conclude(
        self, decision: Decision, snapshot: Snapshot, busy: Mapping[str, str], halted: str
    ) -> tuple[str, str, str]:
        """Kind, code and reason of the cycle: what speaks against acting, in the order in which it matters."""
        if isinstance(decision.view, Unusable):
            assert isinstance(decision.plan, Hold)
            return "unusable", decision.plan.code, decision.plan.reason
        armed = self._vaults[decision.vault].armed
        if armed and (waiting := self._waits(decision, decision.view, busy)):
            return "wait", "live", waiting
        if halted:
            return "wait", "halted", halted
        if decision.draft is None:
            assert isinstance(decision.plan, Hold)
            return "hold", decision.plan.code, decision.plan.reason
        if draining := self._journal.halted(drain_scope(decision.view.sender or "")):
            return "wait", "draining", f"{decision.view.sender} is draining: {draining}"
        if denials := decision.denials:
            return "denied", denials[0].guard, denials[0].reason
        if not_now := self._may_act(decision.vault, snapshot.block.timestamp):
            return "hold", "window", not_now
        call = decision.draft.calls.next
        reason = call.text if decision.tidies else decision.plan.reason
        if armed and (standing := decision.view.history.proposal):
            stale = _why_stale(standing, decision) if decision.asks else ""
            if not stale:
                left = max(standing.deadline - snapshot.block.timestamp, 0)
                return "wait", "proposed", f"{standing} may be signed for another {text.duration(left)}"
            reason = f"{reason}; in place of {standing}: {stale}"
        kind = "proposed" if decision.asks else "intended"
        return kind if armed else "dry", str(call.purpose), reason

    def _latch(self, decision: Decision) -> str:
        """Takes the vault's breakers a step on, and returns why nothing may be sent now, or ''.

        What tripped stops this very decision. What has rested lets go from the next one on: this one's trade knows
        nothing of a trial, and may be of any size.
        """
        view = decision.view
        if not isinstance(view, VaultView):
            return ""
        halted = self._halted(decision, view)
        if decision.trips or view.history.latches:
            # Dying after this loses the cycle's row, and no evidence: what is latched stays so, and the next look
            # finds it standing.
            self._journal.latch(decision.vault, decision.trips, view.block.timestamp)
            halted = halted or self._halted(decision, view)
        return halted

    def _waits(self, decision: Decision, view: VaultView, busy: Mapping[str, str]) -> str:
        """Itself, its sender, or a pool it wants is in use."""
        wanted = [decision.vault]
        if decision.draft is not None:
            wanted += [view.sender or "", *decision.pools]
        return next((busy[name] for name in wanted if name in busy), "")

    def _halted(self, decision: Decision, view: VaultView) -> str:
        scopes = [decision.vault, *([view.sender] if view.sender else [])]
        return next((reason for scope in scopes if (reason := self._journal.halted(scope))), "")

    def _urgency(self, decision: Decision) -> int:
        """Largest drift first; every cycle of waiting counts like 10 bps of drift, so that nobody waits for ever."""
        return decision.max_drift + 10 * self._waited.get(decision.vault, 0)


def _ask_people(proposer: Proposer | None, number: int, decision: Decision, record: CycleRecord) -> None:
    """What the owners of a Safe are to sign, or need not sign any more."""
    if proposer is None or not isinstance(decision.view, VaultView):
        return
    if decision.draft is not None:
        if record.kind == "proposed":
            proposer.propose(new_intent(decision, decision.draft, decision.view, number), decision.view)
        return
    # A vault that is in band wants nobody to sign what would take it out again.
    standing = decision.view.history.proposal
    is_content = isinstance(decision.plan, Hold) and decision.plan.code == "in_band"
    if standing is not None and not standing.withdrawn and is_content:
        proposer.withdraw(decision.vault, "the vault is in band again")


def _why_stale(standing: OpenProposal, decision: Decision) -> str:
    legs = decision.order.legs if decision.order else ()
    tolerance = decision.order.slippage if decision.order else 0
    assert isinstance(decision.view, VaultView)
    now = decision.view.block.timestamp
    return why_stale(standing, [(leg.leg.sell, leg.min_out) for leg in legs], now, tolerance)
