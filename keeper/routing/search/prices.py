"""The price of a middle token at which nothing of it is left over: one Newton step after another.

The dual of the routing problem (Angeris, Evans, Chitra, Boyd: "Optimal routing for constant function market makers",
2022): at given prices every pool trades for itself, and the prices are right where what arrives at each place leaves it
again. The function that is least there is convex, and its second derivative is that of a network of resistors: what a
side would sell more is its conductance.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log
from operator import mul

from keeper.routing.search.bundle import Bundle
from keeper.routing.search.network import SINK, SOURCE

_STEPS = 60
_CLOSE, _NEAR = 1e-9, 1e-4
"""Of the trade's value: what may be left over at all places together, and what still is a result in the end."""
_SHORT, _BISECTIONS = 0.02, 40
"""Of a step: less of it means that something stands like a wall, and is looked for place by place."""
_STILL, _PATIENCE = 1e-13, 3
"""A step that moves nothing, and how many that hardly help are taken where the result would do."""
_DEEPEST = 14.0
"""ln w. Where the price has fallen to an e-28th of what it was, the sides do not take so much at any price."""
_FURTHEST = 0.7
"""A step changes a price at most fourfold: beyond the lines that are known a slope says nothing."""
_HALVINGS, _LEVEL = 12, 0.3
"""How often a step that overshoots is shortened, and how level the way must have become there."""
_GROUND = 1e-10
"""Every place is held a little: those that no side joins to the sink at these prices would be a division by zero."""


def settle(bundles: Sequence[Bundle], heights: list[float], sold: float) -> list[float] | None:
    """Heights (−ln price / 2, in raw units of the sink) at which every place passes on what it gets, close to it. None
    where none are found, as where the sides do not take so much."""
    if len(bundles) == 1 and (bundles[0].tail, bundles[0].head) == (SOURCE, SINK):
        w = bundles[0].where(sold)
        return None if w is None else [log(w) if place == SOURCE else 0.0 for place in range(len(heights))]
    left, pulls = _at(bundles, heights, sold)
    deepest, stuck, far, least = heights[SOURCE] + _DEEPEST, 0, 0, inf
    for _ in range(_STEPS):
        value, off = exp(-2 * heights[SOURCE]) * sold, sum(map(abs, left))
        if off <= _CLOSE * value or (stuck > _PATIENCE and off <= _NEAR * value):
            return heights
        step = [min(_FURTHEST, max(-_FURTHEST, by)) for by in _solve(pulls, left, _GROUND * value)]
        if heights[SOURCE] > deepest or max(map(abs, step)) < _STILL:
            break
        part = _part(bundles, heights, sold, step, left)
        heights = [height + part * by for height, by in zip(heights, step, strict=True)]
        far = far + 1 if max(map(abs, step)) >= _FURTHEST else 0
        if part < _SHORT or far >= _PATIENCE:
            heights = _level_each(bundles, heights, sold)
        left, pulls = _at(bundles, heights, sold)
        stuck, least = stuck + 1 if off > least / 2 else 0, min(off, least)
    return heights if sum(map(abs, left)) <= _NEAR * exp(-2 * heights[SOURCE]) * sold else None


def _part(
    bundles: Sequence[Bundle], heights: Sequence[float], sold: float, step: Sequence[float], left: Sequence[float]
) -> float:
    """The whole step, or as much of it as does not overshoot: what is left over, seen along it, falls all the way, so
    where it has changed its sign the right part lies between."""
    start = sum(map(mul, step, left))
    low, at_low, high, at_high, part = 0.0, start, 1.0, 0.0, 1.0
    for _ in range(_HALVINGS):
        tried = [height + part * by for height, by in zip(heights, step, strict=True)]
        slant = sum(map(mul, step, _at(bundles, tried, sold)[0]))
        if (slant >= 0 and part == 1.0) or abs(slant) <= _LEVEL * start:
            break
        if slant < 0:
            high, at_high = part, slant
        else:
            low, at_low = part, slant
        part = low + (high - low) * min(0.9, max(0.1, at_low / (at_low - at_high)))
    return part


def _level_each(bundles: Sequence[Bundle], heights: Sequence[float], sold: float) -> list[float]:
    """One place after the other brought to where nothing is left over there. Slow where places depend on each other,
    but it stops at a side that has one price for all it takes, past which a common step would jump."""
    level = list(heights)
    for place in range(len(level)):
        near = [bundle for bundle in bundles if place in (bundle.tail, bundle.head)]
        if place == SINK or not near:
            continue

        def left(at: float, place: int = place, near: Sequence[Bundle] = near) -> float:
            level[place] = at
            return _at(near, level, sold)[0][place]

        middle = level[place]
        low, high, here = middle - _FURTHEST, middle + _FURTHEST, left(middle)
        low, high, at_low, at_high = (middle, high, here, left(high)) if here > 0 else (low, middle, left(low), here)
        for turn in range(_BISECTIONS):
            if at_low <= 0 or at_high >= 0 or high - low < _STILL:
                break
            share = at_low / (at_low - at_high) if turn % 2 else 1 / 2
            middle = low + (high - low) * min(0.99, max(0.01, share))
            here = left(middle)
            low, high, at_low, at_high = (middle, high, here, at_high) if here > 0 else (low, middle, at_low, here)
        level[place] = low if abs(at_low) < abs(at_high) else high
    return level


def _at(bundles: Sequence[Bundle], heights: Sequence[float], sold: float) -> tuple[list[float], list[list[float]]]:
    """At these prices: the worth of what is left over at each place, and by how much an e-fold of √price there and
    elsewhere would change it."""
    roots = [exp(height) for height in heights]
    prices = [1 / (root * root) for root in roots]
    left = [0.0] * len(prices)
    left[SOURCE] = prices[SOURCE] * sold
    pulls = [[0.0] * len(prices) for _ in prices]
    for bundle in bundles:
        tail, head = bundle.tail, bundle.head
        w = roots[tail] / roots[head]
        if w < bundle.first:
            continue
        gives, gets, grows = bundle.at(w)
        pull = grows * prices[tail]
        left[tail] -= gives * prices[tail]
        left[head] += gets * prices[head]
        pulls[tail][tail] += pull
        pulls[head][head] += pull
        pulls[tail][head] -= pull
        pulls[head][tail] -= pull
    left[SINK] = 0.0
    return left, pulls


def _solve(pulls: list[list[float]], left: list[float], ground: float) -> list[float]:
    """Steps at which the pulls take away what is left, none at the sink: elimination without pivots, as the matrix is
    that of resistors."""
    count = len(left)
    rows = [[*pulls[i], left[i]] for i in range(count)]
    for i in range(count):
        rows[i][i] += ground + _GROUND * rows[i][i]
        rows[i][SINK] = rows[SINK][i] = 0.0
    rows[SINK][SINK] = 1.0
    for i in range(count):
        row = rows[i]
        for j in range(i + 1, count):
            if factor := rows[j][i] / row[i]:
                rows[j] = [a - factor * b for a, b in zip(rows[j], row, strict=True)]
    step = [0.0] * count
    for i in reversed(range(count)):
        step[i] = (rows[i][count] - sum(rows[i][j] * step[j] for j in range(i + 1, count))) / rows[i][i]
    return step
