"""One turn of the keeper.

Each cycle settles what is in flight, observes one block, plans, routes, drafts and simulates, lets every guard speak,
submits, and records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from keeper.core.chain import Observed, Snapshot, Unusable, VaultView
from keeper.core.errors import JournalError, KeeperError, Unreachable
from keeper.core.plan import (
    Calls,
    Deny,
    Draft,
    Hold,
    NoRoute,
    Order,
    OrderLeg,
    Plan,
    Purpose,
    Route,
    Simulation,
    Verdict,
)
from keeper.core.ports import Custody, Guard, Journal, Observer, Routing, Strategy, Submitter, Venue
from keeper.core.records import CycleRecord, NewIntent
from keeper.core.sending import Expectation, Intent
from keeper.core.units import Address, Rounding, TokenAmount, Wei


@dataclass(frozen=True, slots=True)
class Vault:
    """One vault, composed: every part of a decision, and no settings of its own."""

    name: str
    strategy: Strategy
    custody: Custody
    routing: Routing
    venues: Mapping[str, Venue]
    guards: tuple[Guard, ...]
    submitter: Submitter
    config_hash: str
    armed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """All that one cycle found out about one vault, as far as it came."""

    vault: Vault
    view: VaultView | Unusable
    plan: Plan
    routes: tuple[Route, ...] = ()
    order: Order | None = None
    draft: Draft | None = None
    verdicts: tuple[Verdict, ...] = ()
    tidies: bool = False
    """The calls put something right (a leftover allowance, an empty gas reserve) instead of trading."""

    @property
    def denials(self) -> tuple[Deny, ...]:
        return tuple(verdict for verdict in self.verdicts if isinstance(verdict, Deny))

    @property
    def wants_to_act(self) -> bool:
        return self.draft is not None and not self.denials

    @property
    def max_drift(self) -> int:
        """{bps} The widest drift of any asset."""
        return max((int(abs(asset.drift)) for asset in self.plan.assets), default=0)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one cycle of one vault came to, as it was journaled."""

    number: int
    record: CycleRecord
    decision: Decision
    intent: Intent | None = None


# --- deciding: no state but the view, no effect but the simulation ---------------------------------------------------


def decide(vault: Vault, view: VaultView | Unusable) -> Decision:
    """What the keeper would do with this vault now, and every guard's opinion of it."""
    if isinstance(view, Unusable):
        return Decision(vault, view, Hold("unreadable", view.reason))
    decision = _trade(vault, view)
    if not decision.wants_to_act and (calls := vault.custody.tidy(view)):
        return _judge(replace(decision, tidies=True, routes=(), order=None), view, calls)
    return decision


def _trade(vault: Vault, view: VaultView) -> Decision:
    plan = vault.strategy.plan(view)
    if isinstance(plan, Hold):
        return Decision(vault, view, plan)
    routes = []
    for trade in vault.custody.take(plan.trades, view):
        route = vault.routing.allocate(trade, view)
        if isinstance(route, NoRoute):
            return Decision(vault, view, Hold("no_route", route.reason, plan.assets))
        routes.append(route)
    order = vault.routing.limit(routes, view)
    swaps = [vault.venues[leg.leg.pool.kind].encode(leg, view.account, order.deadline) for leg in order.legs]
    calls = vault.custody.wrap(swaps, view)
    return _judge(Decision(vault, view, plan, tuple(routes), order), view, calls)


def _judge(decision: Decision, view: VaultView, calls: Calls) -> Decision:
    simulation = decision.vault.submitter.simulate(calls, view)
    draft = _draft(decision, view, calls, simulation)
    verdicts = tuple(guard.check(draft, view) for guard in decision.vault.guards)
    return replace(decision, draft=draft, verdicts=verdicts)


def _draft(decision: Decision, view: VaultView, calls: Calls, simulation: Simulation) -> Draft:
    native = view.gas_balance.token
    # What a unit of gas is expected to cost: the base fee and the tip, within the cap. {wei / gas}
    paid = min(simulation.fees.cap, Wei((view.block.base_fee or 0) + (simulation.fees.tip or simulation.fees.cap)))
    cost = TokenAmount(native, sum(simulation.gas) * paid)
    value = None
    if not isinstance(view.native_price, Unusable):
        value = view.native_price.high.value(cost, Rounding.UP)
    worst = TokenAmount(native, simulation.gas_limit * simulation.fees.cap)
    return Draft(decision.plan, decision.routes, decision.order, calls, simulation, cost, value, worst)


# --- acting ----------------------------------------------------------------------------------------------------------


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
        describe: Callable[[Decision], Mapping[str, object]],
        pack: Callable[[Snapshot, Observed], bytes],
        window: Callable[[str, int], str],
    ) -> None:
        self._observer, self._submitter, self._journal = observer, submitter, journal
        self._vaults, self._describe, self._pack, self._window = vaults, describe, pack, window

    def turn(self, due: Sequence[str]) -> Iterator[Turn]:
        """One cycle of each due vault, the most urgent first.

        Raises TransientError or Unreachable where no block can be observed, JournalError where it cannot be recorded.
        """
        busy = dict(self._submitter.settle())
        snapshot = self._observer.observe(due)
        decisions = [(name, self._decide(name, snapshot.vaults[name])) for name in due]
        for name, decision in sorted(decisions, key=lambda pair: _urgency(pair[1]), reverse=True):
            turn = self._act(decision, snapshot, snapshot.vaults[name], busy)
            if turn.intent is not None:
                reason = f"{turn.intent.call.purpose} of {name} (nonce {turn.intent.nonce}) is live"
                busy |= dict.fromkeys((name, turn.intent.sender, *turn.intent.pools), reason)
            yield turn

    def _decide(self, name: str, observed: Observed) -> Decision:
        vault = self._vaults[name]
        try:
            return decide(vault, observed.view)
        except (JournalError, Unreachable):
            raise  # these concern every vault alike
        except Exception as error:  # noqa: BLE001  one broken vault must not stop the others; nothing of it is sent
            text = str(error) if isinstance(error, KeeperError) else f"{type(error).__name__}: {error}"
            return Decision(vault, Unusable(text), Hold("failed", f"this cycle failed: {text}"))

    def _act(self, decision: Decision, snapshot: Snapshot, observed: Observed, busy: Mapping[str, str]) -> Turn:
        kind, code, reason = self._verdict(decision, snapshot, busy)
        record = CycleRecord(
            vault=decision.vault.name,
            chain_id=snapshot.block.chain_id,
            block_number=snapshot.block.number,
            block_hash=snapshot.block.hash,
            at=snapshot.block.timestamp,
            kind=kind,
            code=code,
            reason=reason,
            config_hash=decision.vault.config_hash,
            armed=decision.vault.armed,
            guards=tuple(denial.guard for denial in decision.denials),
            decision=self._describe(decision),
            inputs=self._pack(snapshot, observed),
            max_drift_bps=decision.max_drift,
        )
        number = self._journal.record_cycle(record)
        intent = None
        if kind in ("intended", "dry") and decision.draft and isinstance(decision.view, VaultView):
            new = _intent(decision, decision.draft, decision.view, number)
            nonce = snapshot.nonces.get(new.sender, 0)
            intent = decision.vault.submitter.submit(new, decision.view, decision.draft.simulation, nonce)
        return Turn(number, record, decision, intent)

    def _verdict(self, decision: Decision, snapshot: Snapshot, busy: Mapping[str, str]) -> tuple[str, str, str]:
        """Kind, code and reason of the cycle, in the order in which they matter."""
        vault = decision.vault
        if isinstance(decision.plan, Hold) and decision.plan.code in ("unreadable", "failed"):
            return "unusable", decision.plan.code, decision.plan.reason
        if waits := _waits_for(decision, busy):
            return "wait", "live", waits
        if halted := self._halted(decision):
            return "wait", "halted", halted
        if decision.draft is None:
            assert isinstance(decision.plan, Hold)
            return "hold", decision.plan.code, decision.plan.reason
        if decision.denials:
            first = decision.denials[0]
            return "denied", first.guard, first.reason
        if outside := self._window(vault.name, snapshot.block.timestamp):
            return "hold", "window", outside
        kind = "intended" if vault.armed else "dry"
        reason = decision.draft.calls.next.text if decision.tidies else decision.plan.reason
        return kind, str(decision.draft.calls.next.purpose), reason

    def _halted(self, decision: Decision) -> str:
        scopes = [decision.vault.name]
        if isinstance(decision.view, VaultView) and decision.view.sender:
            scopes.append(decision.view.sender)
        return next((reason for scope in scopes if (reason := self._journal.halted(scope))), "")


def _urgency(decision: Decision) -> int:
    """Largest drift first; every cycle of waiting counts like 10 bps of drift, so that nobody waits for ever."""
    waited = decision.view.history.cycles_in_streak if isinstance(decision.view, VaultView) else 0
    return decision.max_drift + 10 * waited


def _waits_for(decision: Decision, busy: Mapping[str, str]) -> str:
    """Why this vault may not start a transaction now: itself, its sender, or a pool it wants is in use."""
    wanted = [decision.vault.name]
    if decision.draft is not None and isinstance(decision.view, VaultView):
        wanted += [decision.view.sender or "", *_pools(decision.order)]
    return next((busy[name] for name in wanted if name in busy), "")


def _pools(order: Order | None) -> tuple[Address, ...]:
    return tuple(leg.leg.pool.address for leg in order.legs) if order else ()


def _intent(decision: Decision, draft: Draft, view: VaultView, number: int) -> NewIntent:
    """The next transaction of a draft, with what is expected of it."""
    call = draft.calls.next
    return NewIntent(
        vault=decision.vault.name,
        cycle=number,
        chain_id=view.block.chain_id,
        sender=view.sender or view.account,
        account=view.account,
        call=call,
        gas_limit=draft.simulation.gas_limit,
        deadline=decision.order.deadline if decision.order else view.block.timestamp + 600,
        pools=_pools(decision.order),
        at=view.block.timestamp,
        expect=_expectation(decision, draft, view),
    )


def _expectation(decision: Decision, draft: Draft, view: VaultView) -> Expectation:
    """The figures that a fill is later compared with; nothing for approvals and the like."""
    native = None if isinstance(view.native_price, Unusable) else view.native_price.mid
    leg = next((leg for leg in (decision.order.legs if decision.order else ()) if _is_swap_of(draft, leg)), None)
    if leg is None:
        return Expectation(native_price=native)
    sold, bought = view.price(leg.leg.sell.token).mid, view.price(leg.leg.buy).mid
    value_sold = sold.value(leg.leg.sell)
    fee_value = sold.value(leg.leg.sell.times(leg.leg.pool.fee, Rounding.UP))
    return Expectation(
        sell=leg.leg.sell,
        quote=leg.leg.quote,
        min_out=leg.min_out,
        value_sold=value_sold,
        fee_value=fee_value,
        impact_value=value_sold - fee_value - bought.value(leg.leg.quote),
        bought_price=bought,
        native_price=native,
    )


def _is_swap_of(draft: Draft, leg: OrderLeg) -> bool:
    return draft.calls.next.purpose is Purpose.SWAP and draft.calls.next.spends == leg.leg.sell
