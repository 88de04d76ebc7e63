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

Room = Callable[[int], int]
"""How far a sale stays short of its goals: falls as the sale grows, and is negative once one goal is passed."""

_STEPS = 8
"""Secant steps before the exact search. Each doubles the digits that are right; six already serve 10^24 raw units."""

_NO_FILL = -1


def largest_sell(scales: Weighing, pairing: Pairing, quote: Quote, least_total: int | None = None) -> int:
    """{sell raw} Zero where even one raw unit would pass a goal, or where no pool fills any amount.

    `least_total` is the value that the vault will have in the end, where that is less than after this sale.
    """
    room = _room(scales, pairing, quote, least_total)
    return greatest(room, scales.raw[pairing.sell], without_impact(scales, pairing))


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


def greatest(room: Room, limit: int, hint: int) -> int:
    """The greatest x in 0..limit with room(x) >= 0, for a room that falls from room(0) >= 0. `hint` only saves work."""
    near = _secant(room, limit, min(max(hint, 0), limit))
    low, high = _bracket(room, limit, near)
    while high - low > 1:
        middle = (low + high) // 2
        if room(middle) >= 0:
            low = middle
        else:
            high = middle
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


def _bracket(room: Room, limit: int, near: int) -> tuple[int, int]:
    """Steps that double, away from `near`, until low fits and high does not; zero always fits, limit + 1 never."""
    step = 1
    if near and room(near) < 0:
        low, high = near - 1, near
        while low > 0 and room(low) < 0:
            step *= 2
            low, high = max(low - step, 0), low
        return low, high
    low, high = near, near + 1
    while high <= limit and room(high) >= 0:
        step *= 2
        low, high = high, high + step
    return low, min(high, limit + 1)
