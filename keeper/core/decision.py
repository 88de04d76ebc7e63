"""A decision as it grows from a view to a verdict, and the figures that follow from it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.core.calls import Call, Calls
from keeper.core.chain import Unusable, VaultView
from keeper.core.latches import Trip
from keeper.core.pegs import Trace
from keeper.core.plan import Draft, Order, OrderLeg, Perform, Plan, Rebalance, Route, Simulation, Trade
from keeper.core.records import NewIntent
from keeper.core.sending import Expectation, ExpectedSwap
from keeper.core.slices import Slice
from keeper.core.units import Address, Rounding, TokenAmount, Wei
from keeper.core.verdicts import Deny, Verdict

UNTIMED_LIFE = 600
"""{s} Until an approval or another call without a deadline of its own is cancelled."""


@dataclass(frozen=True, slots=True)
class Decision:
    """All that one cycle found out about one vault, as far as it came."""

    vault: str
    view: VaultView | Unusable
    plan: Plan
    routes: tuple[Route, ...] = ()
    order: Order | None = None
    draft: Draft | None = None
    verdicts: tuple[Verdict, ...] = ()
    refused: tuple[Deny, ...] = ()
    """Why the plan's own trade was denied, where `draft` tidies up instead."""
    refused_draft: Draft | None = None
    """That trade, as it was simulated."""
    trips: tuple[Trip, ...] = ()
    """Breakers that have found their evidence."""
    asks: str = ""
    """Why its draft is for people to sign, where it is."""

    @property
    def denials(self) -> tuple[Deny, ...]:
        return tuple(verdict for verdict in self.verdicts if isinstance(verdict, Deny))

    @property
    def tidies(self) -> bool:
        """The draft puts something right (a leftover allowance, an empty gas reserve) and trades nothing."""
        return self.draft is not None and self.order is None and not isinstance(self.plan, Perform)

    @property
    def wants_to_act(self) -> bool:
        return self.draft is not None and not self.denials

    @property
    def for_people(self) -> bool:
        """Nothing speaks against it but that this key should not do it."""
        return bool(self.denials) and all(denial.for_people for denial in self.denials)

    @property
    def max_drift(self) -> int:
        """{bps} The widest drift of any asset, or the deviation of a peg."""
        if self.plan.peg is not None:
            return int(abs(self.plan.peg.away))
        return max((int(abs(asset.drift)) for asset in self.plan.assets), default=0)

    @property
    def trace(self) -> Trace | None:
        return self.plan.peg.trace if self.plan.peg is not None else None

    @property
    def pools(self) -> tuple[Address, ...]:
        return tuple(pool.address for leg in self.order.legs for pool in leg.leg.pools) if self.order else ()


def trades_now(plan: Rebalance, view: VaultView) -> tuple[Trade, ...]:
    """All of a plan's trades; one small one while a breaker tries whether the vault may go on."""
    most = view.history.trial
    return plan.trades if most is None else tuple(trade.cut(most) for trade in plan.trades[:1])


def make_draft(
    plan: Plan,
    routes: Sequence[Route],
    order: Order | None,
    calls: Calls,
    simulation: Simulation,
    view: VaultView,
) -> Draft:
    """A simulated order with what its gas is expected to cost, and what it could cost at worst."""
    native = view.gas_balance.token
    fees = simulation.fees
    # {wei / gas} the base fee and the tip, never above the cap; the whole cap on a chain without EIP-1559
    paid = fees.cap if fees.tip is None else min(fees.cap, Wei((view.block.base_fee or 0) + fees.tip))
    # {wei} = {gas} * {wei / gas} + {wei}
    cost = TokenAmount(native, sum(simulation.gas) * paid + sum(simulation.l1_fees))
    value = None if isinstance(view.native_price, Unusable) else view.native_price.high.value(cost, Rounding.UP)
    worst = TokenAmount(native, simulation.gas_limit * fees.cap + sum(simulation.l1_fees[:1]))
    return Draft(plan, tuple(routes), order, calls, simulation, cost, value, worst)


def new_intent(decision: Decision, draft: Draft, view: VaultView, cycle: int) -> NewIntent:
    """The next transaction of a draft, with what is expected of it."""
    return NewIntent(
        vault=decision.vault,
        cycle=cycle,
        chain_id=view.block.chain_id,
        sender=view.sender or view.account,
        account=view.account,
        call=draft.calls.next,
        gas_limit=draft.simulation.gas_limit,
        deadline=decision.order.deadline if decision.order else view.block.timestamp + UNTIMED_LIFE,
        pools=decision.pools,
        at=view.block.timestamp,
        expect=_expectation(decision, draft, view),
        asks=decision.asks,
    )


def _expectation(decision: Decision, draft: Draft, view: VaultView) -> Expectation:
    """The figures that a fill is later compared with; no swaps for approvals and the like."""
    legs = _legs_of(draft.calls.next, decision.order)
    return Expectation(
        swaps=tuple(_expected(leg, view) for leg in legs),
        native_price=None if isinstance(view.native_price, Unusable) else view.native_price.mid,
        slice=_slice_of(decision.plan, legs),
    )


def _expected(leg: OrderLeg, view: VaultView) -> ExpectedSwap:
    sold, bought = view.price(leg.leg.sell.token).mid, view.price(leg.leg.buy).mid
    value_sold = sold.value(leg.leg.sell)
    fee_value = sold.value(leg.leg.sell.times(leg.leg.fee, Rounding.UP))
    return ExpectedSwap(
        sell=leg.leg.sell,
        quote=leg.leg.quote,
        min_out=leg.min_out,
        value_sold=value_sold,
        fee_value=fee_value,
        impact_value=value_sold - fee_value - bought.value(leg.leg.quote),
        bought_price=bought,
    )


def _slice_of(plan: Plan, legs: Sequence[OrderLeg]) -> Slice | None:
    """Which part of a larger trade these legs are, by whichever path: they sell and buy what the schedule does."""
    part = plan.schedule.slice if isinstance(plan, Rebalance) and plan.schedule else None
    sold, bought = {leg.leg.sell.token.address for leg in legs}, {leg.leg.buy.address for leg in legs}
    return part if part is not None and part.parent.sell in sold and part.parent.buy in bought else None


def _legs_of(call: Call, order: Order | None) -> tuple[OrderLeg, ...]:
    """The legs that a transaction trades, in order: for each of its swaps the first that sells what it spends and is
    not another's already. A wallet's swap is one leg, an atomic call has them all."""
    left, found = list(order.legs if order else ()), []
    for sold in (sold for step in call.steps for sold in step.sells):
        leg = next((leg for leg in left if leg.leg.sell == sold), None)
        if leg is not None:
            left.remove(leg)
            found.append(leg)
    return tuple(found)
