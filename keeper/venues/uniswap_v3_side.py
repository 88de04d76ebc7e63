"""One direction of a concentrated-liquidity pool in plain numbers: a ladder of ranges, each worked out once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt

from keeper.core.pools import Curve, LimitExceeded, NoLiquidity, NoQuote
from keeper.venues.uniswap_v3_math import (
    MAX_UINT256,
    PPM,
    amount0_delta,
    amount1_delta,
    ceil_div,
    price_after_input,
    price_after_output,
)
from keeper.venues.uniswap_v3_walk import Piece

MAX_INT256 = (1 << 255) - 1
_Q96, _ONE = 96, float(1 << 96)


@dataclass(slots=True, eq=False)
class Ladder:
    """Implements Side.

    What a whole range takes and gives does not depend on how much is swapped, so totals up to each rung are kept and a
    quote is a look-up and one step within a range (SwapMath: a range is left exactly when its amount in and the fee on
    it are there). Rungs are added as quotes reach them; nothing that was said once changes.
    """

    start: int
    """Square-root price now, Q64.96."""
    pieces: Iterator[Piece | NoLiquidity]
    fee_ppm: int
    down: bool
    """Selling token0 moves its price down."""
    paid: list[int] = field(default_factory=lambda: [0])
    """{sell raw} in total at each rung, fee included."""
    got: list[int] = field(default_factory=lambda: [0])
    """{buy raw}"""
    _prices: list[int] = field(default_factory=list)
    """Where the range above each rung begins, Q64.96."""
    _liquidity: list[int] = field(default_factory=list)
    _along: list[float] = field(default_factory=list)
    """Square-root prices at the rungs as floats, ascending: negative on the way down."""
    _end: NoLiquidity | None = None
    """Why there are no further rungs, where the pool itself may go on."""
    _kept: int = field(init=False)
    _first: int = field(init=False)

    def __post_init__(self) -> None:
        self._kept = PPM - self.fee_ppm
        self._along.append(self._height(self.start))
        self._first = self.paid[1] if self._climb() else 0

    @property
    def curve(self) -> Curve | None:
        """No constant product over all of it."""
        return None

    @property
    def most(self) -> int:
        """{sell raw} As far as ticks were read."""
        while self._climb():
            pass
        return min(self.paid[-1], MAX_INT256)

    def out(self, sold: int) -> int | NoQuote:
        """What exactInputSingle returns."""
        if 0 < sold < self._first:
            return self._within(0, sold)
        if not 0 < sold <= MAX_INT256:
            return _limit(sold)
        while self.paid[-1] < sold:
            if not self._climb():
                return self._refusal(sold, self.paid[-1])
        rung = bisect_left(self.paid, sold)
        if self.paid[rung] == sold:
            return self.got[rung]
        return self.got[rung - 1] + self._within(rung - 1, sold - self.paid[rung - 1])

    def into(self, bought: int) -> int | NoQuote:
        """{sell raw} What exactOutputSingle takes."""
        if not 0 < bought <= MAX_INT256:
            return _limit(bought)
        while self.got[-1] < bought:
            if not self._climb():
                return self._refusal(bought, self.got[-1])
        rung = bisect_left(self.got, bought)
        if self.got[rung] == bought:
            return self.paid[rung]
        try:
            return self.paid[rung - 1] + self._needed(rung - 1, bought - self.got[rung - 1])
        except ArithmeticError as error:
            return LimitExceeded(str(error))

    def end_of(self, sold: int) -> tuple[int, int, bool] | NoQuote:
        """Where such a sale ends: square-root price, liquidity there, and whether it is just the edge of a range. None
        of it is known where the sale ends at the last edge that was read."""
        bought = self.out(sold)
        if not isinstance(bought, int):
            return bought
        if not bought:
            return NoLiquidity(f"brings nothing for {sold} raw")
        rung = bisect_left(self.paid, sold)
        if self.paid[rung] == sold:
            if rung == len(self._liquidity) and not self._climb():
                return self._refusal(sold, sold)
            return self._prices[rung], self._liquidity[rung], True
        price, liquidity = self._prices[rung - 1], self._liquidity[rung - 1]
        usable = (sold - self.paid[rung - 1]) * self._kept // PPM
        after = price_after_input(price, liquidity, usable, self.down)
        return after, liquidity, rung > 1 and after == price

    # --- floats ------------------------------------------------------------------------------------------------------

    def slope(self, sold: float) -> float:
        while self.paid[-1] <= sold:
            if not self._climb():
                return 0.0
        rung = bisect_right(self.paid, sold) - 1
        share, liquidity = self._kept / PPM, float(self._liquidity[rung])
        root, paid = self._prices[rung] / _ONE, (sold - self.paid[rung]) * share
        if self.down:  # 1/√p grows by amount over L
            return share * (liquidity * root / (liquidity + paid * root)) ** 2
        return share / (root + paid / liquidity) ** 2

    def sold_at(self, slope: float) -> float:
        if slope <= 0:
            return float(self.most)
        share = self._kept / PPM
        aim = -sqrt(slope / share) if self.down else sqrt(share / slope)
        while self._along[-1] < aim:
            if not self._climb():
                return float(self.paid[-1])
        if aim <= self._along[0]:
            return 0.0
        rung = bisect_right(self._along, aim) - 1
        if rung == len(self._liquidity):
            return float(self.paid[rung])
        liquidity, root = float(self._liquidity[rung]), self._along[rung]
        moved = liquidity * (1 / root - 1 / aim) if self.down else liquidity * (aim - root)
        return min(self.paid[rung] + moved / share, float(self.paid[rung + 1]))

    # --- integers ----------------------------------------------------------------------------------------------------

    def _climb(self) -> bool:
        """Adds the next rung. False where there is none."""
        piece = next(self.pieces, None)
        if piece is None or isinstance(piece, NoLiquidity):
            self._end = piece or self._end
            return False
        price, target, liquidity = piece
        if self.down:
            amount_in = amount0_delta(price, target, liquidity, up=True)
            amount_out = amount1_delta(price, target, liquidity, up=False)
        else:
            amount_in = amount1_delta(price, target, liquidity, up=True)
            amount_out = amount0_delta(price, target, liquidity, up=False)
        self._prices.append(price)
        self._liquidity.append(liquidity)
        self._along.append(self._height(target))
        self.paid.append(self.paid[-1] + amount_in + ceil_div(amount_in * self.fee_ppm, self._kept))
        self.got.append(self.got[-1] + amount_out)
        return True

    def _height(self, price: int) -> float:
        return -price / _ONE if self.down else price / _ONE

    def _within(self, rung: int, sold: int) -> int:
        """{buy raw} for less than the whole range above a rung takes. The two cases that occur are written out: this is
        where quotes spend their time."""
        price, liquidity = self._prices[rung], self._liquidity[rung]
        usable = sold * self._kept // PPM
        if not self.down:
            after = price + (usable << _Q96) // liquidity
            return (liquidity << _Q96) * (after - price) // after // price
        weight, product = liquidity << _Q96, usable * price
        if weight + product <= MAX_UINT256:
            after = -(-weight * price // (weight + product))
        else:
            after = price_after_input(price, liquidity, usable, True)
        return liquidity * (price - after) >> _Q96

    def _needed(self, rung: int, bought: int) -> int:
        """{sell raw} for less than the whole range above a rung gives. Raises ArithmeticError as the contract does."""
        price, liquidity = self._prices[rung], self._liquidity[rung]
        after = price_after_output(price, liquidity, bought, self.down)
        delta = amount0_delta if self.down else amount1_delta
        amount_in = delta(price, after, liquidity, up=True)
        return amount_in + ceil_div(amount_in * self.fee_ppm, self._kept)

    def _refusal(self, amount: int, filled: int) -> NoLiquidity:
        return self._end or NoLiquidity(
            f"the pool runs out of liquidity with {amount - filled} of {amount} raw unfilled"
        )


def _limit(amount: int) -> LimitExceeded:
    return LimitExceeded(f"amount: expected 1 to 2**255 - 1, was {amount}")
