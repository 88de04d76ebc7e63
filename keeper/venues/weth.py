"""Wrapping native coin and unwrapping it: a hop of one for one, to the wei, that costs its gas and nothing else.

No contract need be asked: what is to be wrapped is there, and every wrapped unit has its coin. No vault ever plans such
a hop, since its native coin counts as the wrapped token and its custody wraps what a swap lacks. It is for sales that
begin or end in the coin itself. Which token wraps the coin is the chain's configuration.
"""

from __future__ import annotations

from fractions import Fraction

from keeper.core.plan import Leg, Route, Splitting, Trade
from keeper.core.pools import Pool, Router
from keeper.core.units import Token, TokenAmount

KIND = "weth"


def hop(sell: TokenAmount, buy: Token) -> Leg:
    """Of native coin into its wrapped token, or back. Raises ValueError where they are not one of each."""
    native, wrapped = (sell.token, buy) if sell.token.is_native else (buy, sell.token)
    if not native.is_native or wrapped.is_native or native.decimals != wrapped.decimals:
        raise ValueError(f"wrapping: expected a coin and a token of as many decimals, was {sell.token} and {buy}")
    at = wrapped.address
    pool = Pool(native.chain_id, KIND, at, (native, wrapped), Fraction(0), at, Router(KIND, at))
    return Leg((pool,), sell, TokenAmount(buy, sell.raw), Fraction(1))


def with_hops(trade: Trade, route: Route, gas: TokenAmount) -> Route:
    """How `trade`, which sells or buys the coin, is filled: as its wrapped token is by `route`, and a hop before or
    after it. `gas` {buy} of the hop. Not for an order: a last hop takes what all legs are quoted."""
    first = (hop(trade.sell, route.trade.sell.token),) if trade.sell.token.is_native else ()
    last: tuple[Leg, ...] = ()
    if trade.buy.is_native:
        raw = sum(leg.quote.raw for leg in route.legs if leg.buy == route.trade.buy) if route.legs else trade.sell.raw
        last = (hop(TokenAmount(route.trade.buy, raw), trade.buy),)
    told = route.splitting and _told(route.splitting, gas)
    return Route(trade, (*first, *route.legs, *last), route.considered, told)


def _told(found: Splitting, gas: TokenAmount) -> Splitting:
    """The same worth in what the trade buys; whoever fills the trade pays for the hop too."""

    def bought(amount: TokenAmount) -> TokenAmount:
        return TokenAmount(gas.token, amount.raw)

    alone = found.alone and (found.alone[0], bought(found.alone[1]))
    saved = found.saved and bought(found.saved)
    return Splitting(alone, bought(found.brings), bought(found.gas) + gas, saved)
