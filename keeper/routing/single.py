"""Fills each trade in one pool: the one that gives most."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from keeper.core.chain import NoQuote, PoolState, VaultView
from keeper.core.plan import Leg, NoRoute, Order, OrderLeg, Route, Trade
from keeper.core.units import WHOLE_BPS, Rounding, TokenAmount, ratio_to_int
from keeper.routing.cost import impact_ratio


class SinglePool:
    """Implements Routing. Guarantees a floor under every leg; does not judge whether the floor can be met: guards and
    the simulation do."""

    def __init__(self, slippage: int, max_deviation: int, deadline: int) -> None:
        """`slippage` and `max_deviation` in bps, `deadline` in seconds after the block. Raises ValueError."""
        for name, bps in (("slippage", slippage), ("max_deviation", max_deviation)):
            if not 0 <= bps < WHOLE_BPS:
                raise ValueError(f"{name}: expected 0 to {WHOLE_BPS - 1} bps, was {bps}")
        if deadline <= 0:
            raise ValueError(f"deadline: expected more than 0 s, was {deadline}")
        self._slippage, self._max_deviation, self._deadline = slippage, max_deviation, deadline

    def allocate(self, trade: Trade, view: VaultView) -> Route | NoRoute:
        """The pool that gives most; the first of them where several give the same."""
        legs = [_leg(trade, state) for state in view.pools]
        found = [leg for leg in legs if isinstance(leg, Leg)]
        if not found:
            return NoRoute(trade, _why_not(trade, view, legs))
        given = [leg.quote if isinstance(leg, Leg) else leg for leg in legs]
        considered = tuple(zip((state.pool for state in view.pools), given, strict=True)) + view.left_out
        return Route(trade, (max(found, key=lambda leg: leg.quote.raw),), considered)

    def limit(self, routes: Sequence[Route], view: VaultView) -> Order:
        """Raises KeyError where a token has no usable price; a strategy holds before it comes to that."""
        legs = tuple(self._floor(leg, view) for route in routes for leg in route.legs)
        return Order(legs, view.block.timestamp + self._deadline, self._slippage)

    def _floor(self, leg: Leg, view: VaultView) -> OrderLeg:
        tolerated = 1 - Fraction(self._slippage, WHOLE_BPS)
        return OrderLeg(leg, leg.quote.times(tolerated, Rounding.UP), self._oracle_floor(leg, view))

    def _oracle_floor(self, leg: Leg, view: VaultView) -> TokenAmount:
        """MATH 6: oracle value · (1 − φ − impact − max deviation), of what we give at its high price and of what we
        get at its low one, so that a doubt about the price raises the floor."""
        given, received = view.price(leg.sell.token).high.ratio, view.price(leg.buy).low.ratio
        # {buy raw} = {sell whole} * {USD / sell whole} / {USD / buy whole} * {buy raw / buy whole}
        worth = leg.sell.whole * given / received * 10**leg.buy.decimals
        kept = 1 - leg.fee - impact_ratio(leg) - Fraction(self._max_deviation, WHOLE_BPS)
        return TokenAmount(leg.buy, max(0, ratio_to_int(worth * kept, Rounding.UP)))


def _leg(trade: Trade, state: PoolState) -> Leg | str:
    """The whole trade in this pool, or why it cannot be."""
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


def _why_not(trade: Trade, view: VaultView, legs: Sequence[Leg | str]) -> str:
    pair = f"{trade.sell.token.symbol} for {trade.buy.symbol}"
    reasons = [(state.pool, str(leg)) for state, leg in zip(view.pools, legs, strict=True)] + list(view.left_out)
    mine = trade.sell.token, trade.buy
    relevant = [f"{pool.label}: {why}" for pool, why in reasons if not pool.tokens or pool.trades(*mine)]
    return f"no pool fills {pair}: {'; '.join(relevant)}" if relevant else f"no pool of this vault trades {pair}"
