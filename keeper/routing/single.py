"""Fills each trade in one pool: the one that gives most."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.core.chain import VaultView
from keeper.core.plan import Leg, NoRoute, Order, Route, Trade
from keeper.core.pools import NoQuote, Pool, PoolState
from keeper.core.units import TokenAmount
from keeper.routing.floors import Floors


class SinglePool:
    """Implements Routing. Guarantees a floor under every leg; does not judge whether the floor can be met: guards and
    the simulation do."""

    def __init__(self, floors: Floors) -> None:
        self._floors = floors

    def allocate(self, trade: Trade, view: VaultView) -> Route | NoRoute:
        """The pool that gives most; the first of them where several give the same."""
        legs = each_alone(trade, view)
        best = best_of(legs)
        if best is None:
            return NoRoute(trade, why_not(trade, view, legs))
        return Route(trade, (best,), considered(view, legs))

    def limit(self, routes: Sequence[Route], view: VaultView) -> Order:
        """Raises KeyError where a token has no usable price; a strategy holds before it comes to that."""
        return self._floors.order(routes, view)


def each_alone(trade: Trade, view: VaultView) -> list[Leg | str]:
    """For each of the view's pools: the whole trade in it, or why it cannot be."""
    return [_leg(trade, state) for state in view.pools]


def best_of(legs: Sequence[Leg | str]) -> Leg | None:
    return max((leg for leg in legs if isinstance(leg, Leg)), key=lambda leg: leg.quote.raw, default=None)


def considered(view: VaultView, legs: Sequence[Leg | str]) -> tuple[tuple[Pool, TokenAmount | str], ...]:
    """What every pool would have given, or why it would not."""
    given = [leg.quote if isinstance(leg, Leg) else leg for leg in legs]
    return tuple(zip((state.pool for state in view.pools), given, strict=True)) + view.left_out


def _leg(trade: Trade, state: PoolState) -> Leg | str:
    sell, buy = trade.sell, trade.buy
    if not state.pool.trades(sell.token, buy):
        return f"does not trade {sell.token.symbol} for {buy.symbol}"
    quote, marginal = state.out_for(sell, buy), state.marginal(sell.token, buy)
    if isinstance(quote, NoQuote):
        return quote.reason
    if isinstance(marginal, NoQuote):
        return marginal.reason
    if not quote.raw:
        return f"brings nothing for {sell.raw} raw {sell.token.symbol}"
    return Leg((state.pool,), sell, quote, marginal / (1 - state.pool.fee))


def why_not(trade: Trade, view: VaultView, legs: Sequence[Leg | str]) -> str:
    pair = f"{trade.sell.token.symbol} for {trade.buy.symbol}"
    reasons = [(state.pool, str(leg)) for state, leg in zip(view.pools, legs, strict=True)] + list(view.left_out)
    mine = trade.sell.token, trade.buy
    relevant = [f"{pool.label}: {why}" for pool, why in reasons if not pool.tokens or pool.trades(*mine)]
    return f"no pool fills {pair}: {'; '.join(relevant)}" if relevant else f"no pool of this vault trades {pair}"
