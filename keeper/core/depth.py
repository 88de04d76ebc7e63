"""How deep any pool is for one size: the constant-product pool that would give the same."""

from __future__ import annotations

from fractions import Fraction

from keeper.core.pools import NoQuote, PoolState
from keeper.core.units import Token, TokenAmount


def input_reserve(sell: int, quote: int, marginal: Fraction, fee: Fraction) -> Fraction | None:
    """{sell raw} Reserve x of the constant-product pool that quotes `quote` for `sell`; None where there is no impact.

    Such a pool gives `quote = g·sell·mid·x/(x + g·sell)` with `marginal = g·mid`, so with the share kept
    `r = quote/(sell·marginal)` it is `x = g·sell·r/(1 − r)`. What rounding took counts as if it had been given.
    """
    kept = (quote + 1) / (sell * marginal)
    return (1 - fee) * sell * kept / (1 - kept) if kept < 1 else None


def depth_for(state: PoolState, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote | None:
    """The same for a pool's state, rounded down. None: deeper than can be measured. NoQuote: it fills none of this."""
    quote, marginal = state.out_for(sell, buy), state.marginal(sell.token, buy)
    if not isinstance(quote, TokenAmount):
        return quote
    if not isinstance(marginal, Fraction):
        return marginal
    found = input_reserve(sell.raw, quote.raw, marginal, state.pool.fee)
    return None if found is None else TokenAmount(sell.token, int(found))
