"""The price of a middle token at which nothing of it is left over: one Newton step after another.

The dual of the routing problem (Angeris, Evans, Chitra, Boyd: "Optimal routing for constant function market makers",
2022): at given prices every pool trades for itself, and the prices are right where what arrives at each place leaves it
again. The function that is least there is convex, and its second derivative is that of a network of resistors: what a
side would sell more is its conductance.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from operator import mul

from keeper.routing.search.network import SINK, SOURCE
from keeper.routing.search.sketch import Sketch

Line = tuple[int, int, Sketch]
"""Tail, head, and what is known of the side between them."""

_STEPS = 60
_CLOSE, _NEAR = 1e-9, 1e-4
"""Of the trade's value: what may be left over at all places together, and what still is a result in the end."""
_DEEPEST = 14.0
"""ln w. Where the price has fallen to an e-28th of what it was, the sides do not take so much at any price."""
_FURTHEST = 0.7
"""A step changes a price at most fourfold: beyond the lines that are known a slope says nothing."""
_HALVINGS, _LEVEL = 12, 0.3
"""How often a step that overshoots is shortened, and how level the way must have become there."""
_GROUND = 1e-10
"""Every place is held a little: those that no side joins to the sink at these prices would be a division by zero."""


def settle(lines: Sequence[Line], heights: list[float], sold: float) -> list[float] | None:
    """Heights (−ln price / 2, in raw units of the sink) at which every place passes on what it gets, close to it. None
    where none are found, as where the sides do not take so much."""
    left, pulls = _at(lines, heights, sold)
    deepest = heights[SOURCE] + _DEEPEST
    for _ in range(_STEPS):
        value = exp(-2 * heights[SOURCE]) * sold
        if sum(map(abs, left)) <= _CLOSE * value:
            return heights
        if heights[SOURCE] > deepest:
            break
        step = _solve(pulls, left, _GROUND * value)
        longest = _FURTHEST / max(_FURTHEST, *map(abs, step))
        heights, left, pulls = _along(lines, heights, sold, [longest * by for by in step], left)
    return heights if sum(map(abs, left)) <= _NEAR * exp(-2 * heights[SOURCE]) * sold else None


def _along(
    lines: Sequence[Line], heights: Sequence[float], sold: float, step: Sequence[float], left: list[float]
) -> tuple[list[float], list[float], list[list[float]]]:
    """The whole step, or as much of it as does not overshoot: what is left over, seen along it, falls all the way, so
    where it has changed its sign the right part lies between."""
    start = sum(map(mul, step, left))
    low, at_low, high, at_high, part = 0.0, start, 1.0, 0.0, 1.0
    for _ in range(_HALVINGS):
        tried = [height + part * by for height, by in zip(heights, step, strict=True)]
        left, pulls = _at(lines, tried, sold)
        slant = sum(map(mul, step, left))
        if (slant >= 0 and part == 1.0) or abs(slant) <= _LEVEL * start:
            break
        if slant < 0:
            high, at_high = part, slant
        else:
            low, at_low = part, slant
        part = low + (high - low) * min(0.9, max(0.1, at_low / (at_low - at_high)))
    return tried, left, pulls


def _at(lines: Sequence[Line], heights: Sequence[float], sold: float) -> tuple[list[float], list[list[float]]]:
    """At these prices: the worth of what is left over at each place, and by how much an e-fold of √price there and
    elsewhere would change it."""
    prices = [exp(-2 * height) for height in heights]
    left = [0.0] * len(prices)
    left[SOURCE] = prices[SOURCE] * sold
    pulls = [[0.0] * len(prices) for _ in prices]
    for tail, head, sketch in lines:
        w = exp(heights[tail] - heights[head])
        if w < sketch.first:
            continue
        gives, gets, grows = sketch.at(w)
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
