"""How much to trade for a peg: as far as the inner edge, in bites, and never more than what limits allow."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from keeper.core.chain import MarketPrice
from keeper.core.depth import depth_for
from keeper.core.impact import mid_after, mid_of
from keeper.core.pools import PoolState
from keeper.core.units import Rounding, Token, TokenAmount, ratio_to_int
from keeper.strategies.sizing import greatest

BITES = 5
"""One trade closes a fifth of the imbalance (as PegKeeper V2 of Curve's does)."""

_FINE = 10**12
"""Prices are compared to this part."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One direction through one pool; prices in {buy raw / sell raw}."""

    state: PoolState
    sell: Token
    buy: Token

    @property
    def mid(self) -> Fraction | None:
        found = mid_of(self.state, self.sell, self.buy)
        return found if isinstance(found, Fraction) else None

    def quote(self, sell: int) -> TokenAmount | None:
        found = self.state.out_for(TokenAmount(self.sell, sell), self.buy) if sell else TokenAmount.zero(self.buy)
        return found if isinstance(found, TokenAmount) else None

    def to_price(self, goal: Fraction, limit: int, most_bought: int | None = None) -> int:
        """{sell raw} The most that leaves the pool's price at `goal` or above; at most `limit`, and what buys at most
        `most_bought` raw."""
        mid = self.mid
        if mid is None or mid <= goal or limit <= 0:
            return 0

        def room(sell: int) -> int:
            after = mid_after(self.state, TokenAmount(self.sell, sell), self.buy)
            got = self.quote(sell)
            if not isinstance(after, Fraction) or got is None:
                return -1
            ahead = ratio_to_int((after / goal - 1) * _FINE, Rounding.DOWN)
            return ahead if most_bought is None else min(ahead, most_bought - got.raw)

        return greatest(room, limit, min(limit, self._hint(mid, goal)))

    def _hint(self, mid: Fraction, goal: Fraction) -> int:
        """As if the pool were of constant product, judged by a small quote."""
        reserve = constant_product_reserve(self, mid)
        if reserve is None:
            return 0
        return move_constant_product(reserve, int(reserve * mid), 1 - self.state.pool.fee, goal)


def constant_product_reserve(sale: Sale, mid: Fraction) -> int | None:
    """{sell raw} One side of the constant-product pool that quotes like this one for a millionth of what it has, or
    for as little as can be measured."""
    probe, marginal = 10**6, mid * (1 - sale.state.pool.fee)
    while probe < 1 << 160:
        got = sale.quote(probe)
        if got is None:
            return None
        lost = probe * marginal - got.raw
        if lost > 1_000:
            return ratio_to_int((1 - sale.state.pool.fee) * probe * got.raw / lost, Rounding.DOWN)
        probe *= 10
    return None


def move_constant_product(x: int, y: int, kept: Fraction, price: Fraction) -> int:
    """{sell raw} Sold into reserves x, y at the share `kept`, brings y/x down to `price`: the root of
    `g·d² + (1 + g)x·d + x² − xy/P = 0` (MATH 2), rounded down; 0 where the pool is there already."""
    # Times g's denominator q: p·d² + (q + p)x·d + q(x² − xy/P) = 0
    p, q = kept.numerator, kept.denominator
    short = x * y / price - x * x
    if short <= 0:
        return 0
    linear = (q + p) * x
    root = isqrt(linear * linear + ratio_to_int(4 * p * q * short, Rounding.DOWN))
    return max(0, (root - linear) // (2 * p))


# --- bites -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a trade may leave the pool, in {buy raw / sell raw}: the inner edge, and the peg itself."""

    edge: Fraction
    par: Fraction


@dataclass(frozen=True, slots=True)
class Most:
    """Limits of one trade: what may be sold and bought, {raw}, and what it may be worth (numeraire). Nothing limits
    what is bought where that is None."""

    sell: int
    buy: int | None
    value: TokenAmount


def bite(sale: Sale, reach: Reach, step: int, most: Most, price: MarketPrice) -> int:
    """{sell raw} The least of: as far as the edge, a fifth of the way to the peg, `step` bps of price, the limits."""
    mid = sale.mid
    if mid is None:
        return 0
    goal = max(reach.edge, mid * (1 - Fraction(step, 10_000)))
    limit = max(0, min(most.sell, price.mid.amount(most.value).raw))
    reached = sale.to_price(goal, limit, most.buy)
    if not reached:
        return 0
    fifth = sale.to_price(reach.par, BITES * reached + BITES) // BITES
    return min(reached, fifth)


def best_clip(sale: Sale, sell: int, gas: TokenAmount, price: MarketPrice) -> TokenAmount | None:
    """{numeraire} √(gas·L): what a trade should be worth so that gas and impact of the whole are least (MATH 1), with
    L the value of one side of the pool; None where impact cannot be felt."""
    found = depth_for(sale.state, TokenAmount(sale.sell, sell), sale.buy)
    if not isinstance(found, TokenAmount) or not gas:
        return None
    side = price.mid.value(found)
    return TokenAmount(side.token, isqrt(side.raw * gas.raw))
