"""A Curve pool at one block, plain or over a base pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from keeper.core.pools import LimitExceeded, NoLiquidity, NoQuote, Paused, Pool, Side
from keeper.core.units import NATIVE, Address, Token, TokenAmount
from keeper.venues.curve_math import PRECISION
from keeper.venues.curve_side import CurveSide
from keeper.venues.curve_swap import MAX_BALANCE, StableSwap
from keeper.venues.curve_through import Below, ThroughSide

_PROBE = 10**6
"""A slope through two pools is measured over this part of what the pool holds."""
_LEAST_PROBE = 10**4


@dataclass(frozen=True, slots=True)
class CurveState:
    """Quotes are what `exchange` pays at this block, which may differ by one raw unit from what `get_dy` says: old
    pools round their fee in another order there, and stableswap-ng's view cuts A to a whole number while it ramps.

    `below` is there where underlying coins can be traded as well: they pass through the base pool on the way.
    """

    pool: Pool
    coins: tuple[Address, ...]
    """The pool's own in its order, and then those of its base pool."""
    swap: StableSwap
    below: Below | None = None
    killed: bool = False

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        """What `exchange` or `exchange_underlying` pays."""
        way = self._way(sell.token, buy)
        found = self._out(way, sell.raw) if isinstance(way, tuple) else way
        return TokenAmount(buy, found) if isinstance(found, int) else found

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        """The least that brings at least `buy`."""
        way = self._way(sell, buy.token)
        if not isinstance(way, tuple):
            return way
        if buy.raw <= 0:
            return LimitExceeded(f"amount: expected more than 0, was {buy.raw}")
        found = least_for(lambda sold: self._out(way, sold), buy.raw, self._guess(way, buy.raw), self._best(way))
        return TokenAmount(sell, found) if isinstance(found, int) else found

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """{buy raw / sell raw}"""
        way = self._way(sell, buy)
        if not isinstance(way, tuple):
            return way
        n = len(self.swap.xp)
        if max(way) < n:
            return self.swap.price(*way)
        # Through two pools: what a small sale brings, a share of one in a million of what the pool holds.
        probe = max(self._held(way[0]) // _PROBE, _LEAST_PROBE)
        brings = self._out(way, probe)
        return Fraction(brings, probe) if isinstance(brings, int) else brings

    def side(self, sell: Token, buy: Token) -> Side | NoQuote:
        way = self._way(sell, buy)
        if not isinstance(way, tuple):
            return way
        if max(way) < len(self.swap.xp):
            return CurveSide.of(self.swap, *way)
        return self._through(way)

    def after(self, sell: TokenAmount, buy: Token) -> CurveState | NoQuote:
        """A base pool stays where it is, so that a metapool keeps its rate, asked anew or not."""
        way = self._way(sell.token, buy)
        if not isinstance(way, tuple):
            return way
        if isinstance(found := self._out(way, sell.raw), NoQuote):
            return found
        if max(way) >= len(self.swap.xp):
            return NoLiquidity("the swap moves its base pool as well")
        try:
            return replace(self, swap=self.swap.after(*way, sell.raw))
        except (ArithmeticError, ValueError) as error:
            return NoLiquidity(str(error))

    # --- which way a trade takes -------------------------------------------------------------------------------------

    def _way(self, sell: Token, buy: Token) -> tuple[int, int] | NoQuote:
        """Places of both coins among all coins of the pool, its own first."""
        if self.killed:
            return Paused("the pool is killed")
        try:
            i, j = self.coins.index(sell.address), self.coins.index(buy.address)
        except ValueError:
            i, j = 0, 0
        is_native = sell.address == NATIVE or buy.address == NATIVE
        if i == j or is_native or not sell.chain_id == buy.chain_id == self.pool.chain_id:
            return NoLiquidity(f"does not trade {sell.symbol} for {buy.symbol}")
        if max(i, j) < len(self.swap.xp):
            return i, j
        if self.below is None or min(i, j) != 0:
            return NoLiquidity(f"{sell.symbol} for {buy.symbol}: that is for the base pool")
        return i, j

    def _through(self, way: tuple[int, int]) -> ThroughSide:
        """Between the metapool's coin and one of the base pool's."""
        n, is_out = len(self.swap.xp), way[0] == 0
        assert self.below is not None
        own = CurveSide.of(self.swap, *((0, 1) if is_out else (1, 0)))
        return ThroughSide(own, self.below, max(way) - n, is_out)

    def _out(self, way: tuple[int, int], sold: int) -> int | NoQuote:
        i, j = way
        swap, n, most = self.swap, len(self.swap.xp), self._most(way)
        if not 0 < sold <= most:
            return LimitExceeded(f"amount: expected 1 to {most}, was {sold}")
        try:
            if i < n and j < n:
                return swap.out(i, j, sold)
            return self._through(way).out(sold)
        except ArithmeticError as error:
            return NoLiquidity(f"the pool would revert: {error}")

    def _guess(self, way: tuple[int, int], bought: int) -> int:
        """{sell raw} Through two pools at the rates alone, as if nothing had a price."""
        i, j = way
        n = len(self.swap.xp)
        if max(way) < n or self.below is None:
            return self.swap.sold_for(i, j, bought)
        rates = self.swap.rates + self.below.swap.rates
        return bought * rates[j] // rates[i]

    def _most(self, way: tuple[int, int]) -> int:
        n = len(self.swap.xp)
        swap, i = (self.swap, way[0]) if way[0] < n or self.below is None else (self.below.swap, way[0] - n)
        return max(0, MAX_BALANCE - swap.xp[i]) * PRECISION // swap.rates[i]

    def _best(self, way: tuple[int, int]) -> int:
        """{sell raw} What brings most: beyond it, a dynamic fee takes more than the sale adds."""
        most, i, j = self._most(way), *way
        if not self.swap.offpeg:
            return most
        side = CurveSide.of(self.swap, i, j) if max(way) < len(self.swap.xp) else self._through(way)
        return min(most, int(side.sold_at(0)))

    def _held(self, i: int) -> int:
        n = len(self.swap.xp)
        return self.swap.balances[i] if i < n or self.below is None else self.below.swap.balances[i - n]


def least_for(out: Callable[[int], int | NoQuote], wanted: int, guess: int, most: int) -> int | NoQuote:
    """The least amount whose exact output is at least `wanted`, found outwards from a guess, then by halving."""

    def suffices(sold: int) -> bool:
        found = out(sold)
        return isinstance(found, int) and found >= wanted

    low, high, step = 0, min(max(1, guess), most), 1
    while not suffices(high):
        if high >= most:
            return NoLiquidity(f"no amount brings {wanted} raw")
        low, high, step = high, min(high + step, most), step * 2
    step = 1
    while low < high - 1:
        below = max(low, high - step)
        if below == low or not suffices(below):
            low = below
            break
        high, step = below, step * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high
