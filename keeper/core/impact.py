"""Where a sale leaves a pool's price, and how large it may be, from nothing but the pool's own exact quotes."""

from __future__ import annotations

from fractions import Fraction

from keeper.core.pools import NoQuote, PoolState
from keeper.core.units import Token, TokenAmount

_SHARE, _LEAST = 1_000, 10**6
"""A step of a thousandth of the sale, but of so many raw units that rounding to one of them does not show."""
_MOST = 1 << 160


def mid_of(state: PoolState, sell: Token, buy: Token) -> Fraction | NoQuote:
    """{buy raw / sell raw} Without size and without fee."""
    found = state.marginal(sell, buy)
    return found / (1 - state.pool.fee) if isinstance(found, Fraction) else found


def mid_after(state: PoolState, sell: TokenAmount, buy: Token) -> Fraction | NoQuote:
    """{buy raw / sell raw} The same once `sell` is sold, judged a thousandth of the sale further on.

    What the next step would bring, per unit and without fee: exact for pools that keep the fee apart. A pair that adds
    the fee to its reserves stands lower by at most the fee times the share of the reserve that was sold.
    """
    if not sell.raw:
        return mid_of(state, sell.token, buy)
    step = max(sell.raw // _SHARE, _LEAST)
    now = state.out_for(sell, buy)
    then = state.out_for(TokenAmount(sell.token, sell.raw + step), buy)
    if not isinstance(now, TokenAmount):
        return now
    if not isinstance(then, TokenAmount):
        return then
    # {buy raw / sell raw} = {buy raw} / {sell raw}
    return Fraction(then.raw - now.raw, step) / (1 - state.pool.fee)


def sale_for_impact(state: PoolState, sell: Token, buy: Token, impact: Fraction) -> TokenAmount | NoQuote:
    """The largest sale whose average price is worse than the mid by the fee and at most `impact` (a ratio), to one part
    in a thousand. NoQuote where the pool fills nothing."""
    mid = mid_of(state, sell, buy)
    if not isinstance(mid, Fraction):
        return mid
    kept = mid * (1 - state.pool.fee - impact)
    low, high = 0, _LEAST
    while _brings(state, TokenAmount(sell, high), buy, kept) and high < _MOST:
        low, high = high, high * 2
    while high - low > max(1, low // _SHARE):
        middle = (low + high) // 2
        low, high = (middle, high) if _brings(state, TokenAmount(sell, middle), buy, kept) else (low, middle)
    return TokenAmount(sell, low)


def _brings(state: PoolState, sell: TokenAmount, buy: Token, least: Fraction) -> bool:
    """At least so much for every unit; what rounding took counts as if it had been given."""
    out = state.out_for(sell, buy)
    return isinstance(out, TokenAmount) and out.raw + 1 >= sell.raw * least
