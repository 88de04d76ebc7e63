"""One decision about one vault: plan, route, draft, and what every guard and breaker says of it.

Everything here is pure but the simulation, which asks a node. So a decision can be made again, with another vault or
another view, and nothing comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from keeper.core.calls import Call, Calls
from keeper.core.chain import Unusable, VaultView
from keeper.core.decision import Decision, make_draft, trades_now
from keeper.core.market import Market
from keeper.core.plan import Hold, NoRoute, Order, OrderLeg, Perform, Route
from keeper.core.ports import Breaker, Custody, Guard, Proposer, Routing, Strategy, Submitter, Venue
from keeper.core.units import Address

Joint = Callable[[Sequence[OrderLeg], Address, int], Call]
"""Legs, recipient, deadline -> one call."""


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
    breakers: tuple[Breaker, ...] = ()
    market: Callable[[VaultView], Market] | None = None
    """Its pools as `routing` uses them together; None where it uses one at a time."""
    together: Mapping[str, Joint] = field(default_factory=dict)
    """By kind of router, how one call takes several legs, where each call is a transaction of its own."""
    asks: str = ""
    """Why all that it wants is for people to sign, where no key may act."""
    people: Vault | None = None
    """The same vault as the owners of its Safe act for it, where its key may not."""
    proposer: Proposer | None = None
    """Who writes down what people are to sign, where it is armed."""


def decide(vault: Vault, view: VaultView | Unusable) -> Decision:
    """What the keeper would do with this vault now, and each guard's opinion. Only the simulation asks a node."""
    if isinstance(view, Unusable):
        return Decision(vault.name, view, Hold("unreadable", view.reason))
    decision = replace(_trade(vault, view), asks=vault.asks)
    if vault.people is not None and decision.for_people:
        decision = _ask_people(vault.people, view, decision)
    if not decision.wants_to_act and (calls := vault.custody.tidy(view)):
        refused, draft = decision.denials, decision.draft
        tidying = Decision(vault.name, view, decision.plan, refused=refused, refused_draft=draft)
        decision = _judge(vault, tidying, view, calls)
    return replace(decision, trips=tuple(trip for breaker in vault.breakers if (trip := breaker.trip(view))))


def _trade(vault: Vault, seen: VaultView) -> Decision:
    view = seen if vault.market is None else replace(seen, market=vault.market(seen))
    plan = vault.strategy.plan(view)
    if isinstance(plan, Hold):
        return Decision(vault.name, view, plan)
    if isinstance(plan, Perform):
        return _judge(vault, Decision(vault.name, view, plan), view, vault.custody.wrap(plan.calls, view))
    routes: list[Route] = []
    for trade in vault.custody.take(trades_now(plan, view), view):
        used = {pool.address for route in routes for leg in route.legs for pool in leg.pools}
        free = replace(view, pools=tuple(state for state in view.pools if state.pool.address not in used))
        route = vault.routing.allocate(trade, free)
        if isinstance(route, NoRoute):
            return Decision(vault.name, view, Hold("no_route", route.reason, plan.assets, peg=plan.peg))
        routes.append(route)
    order = vault.routing.limit(routes, view)
    calls = vault.custody.wrap(_encode(vault, order, view), view)
    return _judge(vault, Decision(vault.name, view, plan, tuple(routes), order), view, calls)


def _encode(vault: Vault, order: Order, view: VaultView) -> list[Call]:
    """A call for each leg; one for all legs in a row that a single call of their router can carry."""
    calls: list[Call] = []
    for (router, _), run in groupby(order.legs, lambda leg: (leg.leg.router, leg.leg.sell.token)):
        legs, joint = tuple(run), vault.together.get(router.kind)
        if joint is not None and len(legs) > 1:
            calls.append(joint(legs, view.account, order.deadline))
        else:
            calls += [vault.venues[leg.leg.pool.kind].encode(leg, view.account, order.deadline) for leg in legs]
    return calls


def _ask_people(people: Vault, view: VaultView, refused: Decision) -> Decision:
    """What the key may not do, as the Safe's owners would: planned, simulated and judged anew."""
    asked = _trade(people, replace(view, sender=view.account))
    if not asked.wants_to_act:
        return refused
    why = refused.denials
    return replace(asked, asks=why[-1].reason, refused=why, refused_draft=refused.draft)


def _judge(vault: Vault, decision: Decision, view: VaultView, calls: Calls) -> Decision:
    simulation = vault.submitter.simulate(calls, view)
    draft = make_draft(decision.plan, decision.routes, decision.order, calls, simulation, view)
    return replace(decision, draft=draft, verdicts=tuple(guard.check(draft, view) for guard in vault.guards))
