"""All sides between the same two places as one: straight lines of w add up to straight lines.

Within a line, sold is `s + g·w` and what it brings `o − c/w` (sketch.py), so that a sum over fifty sides is one look-up
among all their bends and four numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain
from operator import itemgetter

from keeper.routing.search.sketch import Bend, Sketch

Line = tuple[int, int, Sketch]
"""Tail, head, and what is known of the side between them."""
Parts = list[list[Bend]]
_W = itemgetter(0)


class Bundle:
    """Tail, head, and what the sketches between them, whose bends are `parts`, do together."""

    __slots__ = ("_falls", "_grows", "_outs", "_pulls", "_solds", "_ws", "first", "head", "parts", "tail")

    def __init__(self, tail: int, head: int, parts: Parts) -> None:
        self.tail, self.head, self.parts = tail, head, parts
        bends = sorted(chain.from_iterable(parts), key=_W)
        ws, solds, grows, outs, falls, pulls = zip(*bends, strict=True)
        self.first, self._ws = ws[0], ws
        self._solds, self._grows, self._outs, self._falls, self._pulls = (
            list(accumulate(column)) for column in (solds, grows, outs, falls, pulls)
        )
        # What is left of a sum whose parts have all gone again is rounding, and no side grows dearer by selling less.
        self._pulls = [max(0.0, pull) for pull in self._pulls]

    def at(self, w: float) -> tuple[float, float, float]:
        """Sold and out where slopes have come down to 1/w², and how much more is sold for each e-fold of w."""
        j = bisect_right(self._ws, w) - 1
        if j < 0:
            return 0.0, 0.0, 0.0
        return self._solds[j] + self._grows[j] * w, self._outs[j] - self._falls[j] / w, self._pulls[j] * w

    def where(self, sold: float) -> float | None:
        """w at which so much is sold; None where that is more than is known of."""
        low, high = 0, len(self._ws) - 1
        if self.at(self._ws[high])[0] < sold:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.at(self._ws[middle])[0] < sold else (low, middle)
        grows: float = self._grows[low]
        w: float = (sold - self._solds[low]) / grows if grows > 0 else self._ws[high]
        return w


class Bundles:
    """Remembers them: of most, nothing changes from one look to the next."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Bundle] = {}

    def of(self, lines: Sequence[Line]) -> list[Bundle]:
        between: dict[tuple[int, int], Parts] = {}
        for tail, head, sketch in lines:
            between.setdefault((tail, head), []).append(sketch.bends)
        return [self._bundle(pair, parts) for pair, parts in between.items()]

    def _bundle(self, pair: tuple[int, int], parts: Parts) -> Bundle:
        known = self._known.get(pair)
        if known is None or known.parts != parts:
            known = self._known[pair] = Bundle(*pair, parts)
        return known
