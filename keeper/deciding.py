"""One decision about one vault: plan, route, draft, and what every guard and breaker says of it.

Everything here is pure but the simulation, which asks a node. So a decision can be made again, with another vault or
another view, and nothing comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keeper.core.chain import Unusable, VaultView
from keeper.core.decision import Decision, make_draft, trades_now
from keeper.core.plan import Calls, Hold, NoRoute, Perform
from keeper.core.ports import Breaker, Custody, Guard, Proposer, Routing, Strategy, Submitter, Venue


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


def _trade(vault: Vault, view: VaultView) -> Decision:
    plan = vault.strategy.plan(view)
    if isinstance(plan, Hold):
        return Decision(vault.name, view, plan)
    if isinstance(plan, Perform):
        return _judge(vault, Decision(vault.name, view, plan), view, vault.custody.wrap(plan.calls, view))
    routes = []
    for trade in vault.custody.take(trades_now(plan, view), view):
        route = vault.routing.allocate(trade, view)
        if isinstance(route, NoRoute):
            return Decision(vault.name, view, Hold("no_route", route.reason, plan.assets, peg=plan.peg))
        routes.append(route)
    order = vault.routing.limit(routes, view)
    swaps = [vault.venues[leg.leg.pool.kind].encode(leg, view.account, order.deadline) for leg in order.legs]
    calls = vault.custody.wrap(swaps, view)
    return _judge(vault, Decision(vault.name, view, plan, tuple(routes), order), view, calls)


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
