"""Any routing, with a tolerance that follows from each leg rather than from the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from keeper.core.chain import VaultView
from keeper.core.plan import NoRoute, Order, OrderLeg, Route, Trade
from keeper.core.ports import Routing
from keeper.core.units import WHOLE_BPS, Rounding
from keeper.routing.tolerance import Tolerance

_TRIES = 8
"""A smaller trade may be filled elsewhere and be too large there, so it is looked at again."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """What is too large to be safe is filled in part, and the rest is a later cycle's. No floor is lower than `inner`
    makes it."""

    inner: Routing
    tolerance: Tolerance

    def allocate(self, trade: Trade, view: VaultView) -> Route | NoRoute:
        for _ in range(_TRIES):
            route = self.inner.allocate(trade, view)
            if isinstance(route, NoRoute):
                return route
            fits = min(self.tolerance.of(leg, view).fits for leg in route.legs)
            if fits == 1:
                return route
            sell = trade.sell.times(fits, Rounding.DOWN)
            trade = replace(trade, sell=sell, notional=trade.notional.times(fits, Rounding.DOWN))
            if not sell:
                break
        return NoRoute(trade, f"no part of this sale of {trade.sell.token.symbol} is safe from a sandwich")

    def limit(self, routes: Sequence[Route], view: VaultView) -> Order:
        order = self.inner.limit(routes, view)
        found = [self.tolerance.of(leg.leg, view) for leg in order.legs]
        legs = tuple(_bounded(leg, tolerable.bps) for leg, tolerable in zip(order.legs, found, strict=True))
        widest = max(found, key=lambda tolerable: tolerable.bps)
        return replace(order, legs=legs, slippage=widest.bps, tolerance=widest.why)


def _bounded(leg: OrderLeg, bps: int) -> OrderLeg:
    kept = leg.leg.quote.times(Fraction(WHOLE_BPS - bps, WHOLE_BPS), Rounding.UP)
    return replace(leg, quote_floor=max(kept, leg.quote_floor))
