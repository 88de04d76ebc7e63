"""How much to sell, own price impact included: the greatest amount after which neither side is past its goal.

MATH 2 gives closed forms for constant product; this asks the pools' own exact integer quotes instead, so it holds for
every venue, and it ends on the wei.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from keeper.core.units import WHOLE_BPS
from keeper.core.weighing import Weighing
from keeper.strategies.netting import Pairing

Quote = Callable[[int], int | None]
"""{buy raw} for selling so many {sell raw}; None where no pool fills that much."""

Edge = Callable[[int], int | None]
"""{sell raw} About the least that brings as much as so many do; None where nobody knows."""

Room = Callable[[int], int]
"""How far a sale stays short of its goals: falls as the sale grows, and is negative once one goal is passed."""

_STEPS = 6
"""Secant steps before the exact search. Each doubles the digits that are right; six serve 10^24 raw units."""

_NO_FILL = -1


def _unknown(_raw: int) -> None:
    return None


def largest_sell(
    scales: Weighing, pairing: Pairing, quote: Quote, least_total: int | None = None, edge: Edge = _unknown
) -> int:
    """{sell raw} Zero where even one raw unit would pass a goal, or where no pool fills any amount.

    `least_total` is the value that the vault will have in the end, where that is less than after this sale. `edge` only
    saves quotes.
    """
    room = _room(scales, pairing, quote, least_total)
    # {sell raw / buy raw} = {value / buy raw} / {value / sell raw}
    stair = max(1, scales.unit[pairing.buy] // scales.unit[pairing.sell])
    return greatest(room, scales.raw[pairing.sell], without_impact(scales, pairing), stair, edge)


def without_impact(scales: Weighing, pairing: Pairing) -> int:
    """{sell raw} What would have to be sold if trading cost nothing, so that the total stayed as it is."""
    sell, buy, total = pairing.sell, pairing.buy, scales.total
    above = scales.value(sell) * WHOLE_BPS - pairing.floor * total
    below = pairing.ceiling * total - scales.value(buy) * WHOLE_BPS
    # {raw} = {bps value} / ({bps} * {value / raw})
    return int(max(min(above, below), Fraction(0)) / (WHOLE_BPS * scales.unit[sell]))


def _room(scales: Weighing, pairing: Pairing, quote: Quote, least_total: int | None) -> Room:
    """Value that may still move until the sold side meets its floor or the bought side its ceiling.

    weight >= floor  <=>  value * 10^4 * denominator >= numerator * total, all integers.
    """
    (floor, floor_of), (ceiling, ceiling_of) = pairing.floor.as_integer_ratio(), pairing.ceiling.as_integer_ratio()
    sold, bought, total = scales.value(pairing.sell), scales.value(pairing.buy), scales.total
    sell_unit, buy_unit = scales.unit[pairing.sell], scales.unit[pairing.buy]

    def room(sell: int) -> int:
        got = quote(sell) if sell else 0
        if got is None:
            return _NO_FILL
        give, take = sell * sell_unit, got * buy_unit
        whole = total - give + take
        above_floor = ((sold - give) * WHOLE_BPS * floor_of - floor * whole) // floor_of
        end = whole if least_total is None else min(whole, least_total)
        below_ceiling = (ceiling * end - (bought + take) * WHOLE_BPS * ceiling_of) // ceiling_of
        return min(above_floor, below_ceiling)

    return room


def greatest(room: Room, limit: int, hint: int, stair: int = 1, edge: Edge = _unknown) -> int:
    """The greatest x in 0..limit with room(x) >= 0, for a room that falls from room(0) >= 0.

    The rest only saves work: a token of few decimals comes in stairs of about so many x, and more often than not it is
    at the edge of a stair that room ends. Where that is `edge` tells, which may be one too high; else halving finds it.
    """
    near = _secant(room, limit, min(max(hint, 0), limit))
    low, high = _bracket(room, limit, near, stair)
    while high - low > 1:
        begins = edge(high) if high - low <= 2 * stair else None
        beside = () if begins is None else (begins - 1, begins, begins - 2)
        for x in (*beside, (low + high) // 2):
            if low < x < high:
                low, high = (x, high) if room(x) >= 0 else (low, x)
    return low


def _secant(room: Room, limit: int, hint: int) -> int:
    """A point near the root. Its error does not matter: the bracket that follows is exact."""
    last, last_room, at = 0, room(0), hint
    for _ in range(_STEPS):
        here = room(at)
        if at == last or here in (last_room, _NO_FILL):
            break
        # {raw} = {raw} - {value} * {raw} / {value}
        step = here * (at - last) // (here - last_room)
        last, last_room, at = at, here, min(max(at - step, 0), limit)
        if abs(at - last) <= 1:
            break
    return at


def _bracket(room: Room, limit: int, near: int, stair: int) -> tuple[int, int]:
    """A step of one and then of stairs, which double, away from `near`, until low fits and high does not; zero always
    fits, limit + 1 never."""
    step = 1
    if near and room(near) < 0:
        low, high = near - 1, near
        while low > 0 and room(low) < 0:
            step = max(step * 2, stair)
            low, high = max(low - step, 0), low
        return low, high
    low, high = near, near + 1
    while high <= limit and room(high) >= 0:
        step = max(step * 2, stair)
        low, high = high, high + step
    return low, min(high, limit + 1)
