"""Slopes of a deposit of one coin and of a withdrawal in one coin, in floats: the way through a base pool.

In units of 18 decimals. With K = D^(n+1)/(n^n·Πx) the invariant gives
`∂D/∂x_k = (Ann + K/x_k) / (Ann - 1 + (n+1)·K/D)`. How a dynamic fee itself moves is left aside: it is a part in a
million of the slope, and floats only steer a search.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

from keeper.venues.curve_math import FEE_UNIT, PRECISION, dynamic_fee
from keeper.venues.curve_swap import StableSwap

_ROUNDS, _CLOSE = 60, 1e-15


def mint_slope(swap: StableSwap, i: int, added: float, supply: int) -> float:
    """{share raw / coin raw} of the next unit of coin i once `added` of it is deposited."""
    n, d0 = len(swap.xp), float(swap.d)
    before = [float(x) for x in swap.xp]
    after = [x + added * swap.rates[i] / PRECISION if k == i else x for k, x in enumerate(before)]
    d1 = _find_d(swap, after)
    moved, left, turns = _partials(swap, after, d1)[i], [], []
    for k in range(n):
        fee = _fee(swap, (before[k] + after[k]) / 2, (d0 + d1) / (2 * n))
        ideal, ideal_moves, held_moves = d1 / d0 * before[k], moved / d0 * before[k], float(k == i)
        sign = 1.0 if ideal > after[k] else -1.0
        left.append(after[k] - fee * abs(ideal - after[k]))
        turns.append(held_moves - fee * sign * (ideal_moves - held_moves))
    partials = _partials(swap, left, _find_d(swap, left))
    grows = sum(partial * turn for partial, turn in zip(partials, turns, strict=True))
    return supply / d0 * grows * swap.rates[i] / PRECISION


def burn_slope(swap: StableSwap, j: int, burnt: float, supply: int) -> float:
    """{coin raw / share raw} of the next share that is burnt for coin j once `burnt` are; 0 where none are left."""
    if burnt >= supply:
        return 0.0
    n, d0 = len(swap.xp), float(swap.d)
    d1 = d0 * (1 - burnt / supply)
    held = [float(x) for x in swap.xp]
    there = [_find_y(swap, held, j, d1) if k == j else x for k, x in enumerate(held)]
    y_moves = 1 / _partials(swap, there, d1)[j]
    left, turns = [], []
    for k in range(n):
        fee = _fee(swap, (held[k] + there[k]) / 2, (d0 + d1) / (2 * n))
        ideal = held[k] * d1 / d0
        taken = ideal - there[j] if k == j else held[k] - ideal
        left.append(held[k] - fee * taken)
        turns.append(fee * (y_moves - held[k] / d0 if k == j else held[k] / d0))
    end = [_find_y(swap, left, j, d1) if k == j else x for k, x in enumerate(left)]
    partials = _partials(swap, end, d1)
    others = sum(partials[k] * turns[k] for k in range(n) if k != j)
    paid_moves = turns[j] - (1 - others) / partials[j]
    return -d0 / supply * paid_moves * PRECISION / swap.rates[j]


def _fee(swap: StableSwap, middle: float, ideal: float) -> float:
    """A share of what a coin is moved away from its part of the pool."""
    n = len(swap.xp)
    base = swap.fee * n // (4 * (n - 1))
    return dynamic_fee(int(middle), int(ideal), base, swap.offpeg) / FEE_UNIT


def _partials(swap: StableSwap, xp: Sequence[float], d: float) -> list[float]:
    """∂D/∂x of each balance."""
    n, ann = len(xp), swap.ann / swap.scale
    k = prod((d / (n * x) for x in xp), start=d)
    return [(ann + k / x) / (ann - 1 + (n + 1) * k / d) for x in xp]


def _find_d(swap: StableSwap, xp: Sequence[float]) -> float:
    n, ann, total = len(xp), swap.ann / swap.scale, sum(xp)
    d = total
    for _ in range(_ROUNDS):
        k = prod((d / (n * x) for x in xp), start=d)
        before, d = d, (ann * total + n * k) * d / ((ann - 1) * d + (n + 1) * k)
        if abs(d - before) <= _CLOSE * d:
            break
    return d


def _find_y(swap: StableSwap, xp: Sequence[float], j: int, d: float) -> float:
    n, ann = len(xp), swap.ann / swap.scale
    others = [x for k, x in enumerate(xp) if k != j]
    c = prod((d / (n * x) for x in others), start=d * d / (n * ann))
    half = (sum(others) + d / ann - d) / 2
    root = sqrt(half * half + c)
    return c / (half + root) if half > 0 else root - half
