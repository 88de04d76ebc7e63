"""The best way through a network, before gas: where every path that is used pays the same for its next unit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import exp, log

from keeper.core.units import Address
from keeper.routing.search.network import SINK, SOURCE, Edge, Loads, Network, best_rates, height, in_order, reaches
from keeper.routing.search.parallel import parallel
from keeper.routing.search.prices import Line, settle
from keeper.routing.search.sketch import Sketch

_ROUNDS = 12
_TRUE = 1e-6
"""How wrong the lines may be about the slopes where the loads are, as a share of the trade's value: 0.01 bps."""
_BEYOND = 1.02
"""Sides are known a little past what can arrive, so that a price is told even where all goes one way."""
_TRIES = 12


@dataclass(frozen=True, slots=True)
class Balance:
    """Loads of a network's edges and the prices that hold them there. `out` {sink raw} is close to what they
    bring.

    `profits` {sink raw} is what each edge's pool brings above these prices: without it the best output would be lower
    by that or more.
    """

    loads: tuple[float, ...]
    heights: tuple[float, ...]
    out: float
    profits: tuple[float, ...]


class Search:
    """Finds balances in one network, for any amounts and any of its edges, and remembers what the sides said.

    Guarantees: a balance uses one side of a pool at most, its paths have at most `hops` edges, and no load goes round
    in a circle; `circles` lifts all three. Does not guarantee that no better one exists where one of them binds.
    """

    def __init__(self, network: Network, hops: int = 3, circles: bool = False) -> None:
        firsts = [edge.side.slope(0.0) for edge in network.edges]
        rates = best_rates(network, firsts, hops)
        arrives = reaches(network, firsts, 1.0, hops)
        used = [edge for edge, first in zip(network.edges, firsts, strict=True) if _leads(edge, first, rates, arrives)]
        self.network = Network(network.places, tuple(used))
        self.rate = rates[SOURCE]
        """{sink raw / source raw} Of the first unit along the best path; 0 where none leads there."""
        self._arrives, self._hops, self._circles = arrives, hops, circles
        self._heights = self._begun = [height(rate) if rate else 0.0 for rate in rates]
        self._sketches: list[Sketch | None] = [None] * len(used)

    def best(self, sold: float, without: Collection[int] = ()) -> Balance | None:
        """`without` are indices of edges that must not be used. None where the rest does not take all of `sold`."""
        dropped = set(without)
        for _ in range(_TRIES):
            found = self._balance(sold, dropped)
            if found is None or self._circles:
                return found
            offending = self._offending(found)
            if not offending:
                return found
            dropped |= offending
        return None

    def _balance(self, sold: float, dropped: Collection[int]) -> Balance | None:
        at = self._through([index for index in range(len(self.network.edges)) if index not in dropped])
        if not at:
            return None
        lines = [self._line(index, sold) for index in at]
        if closed := self._in_closed_form(at, lines, sold):
            return closed
        heights = self._heights
        for _ in range(_ROUNDS):
            settled = settle(lines, heights, sold) or settle(lines, self._begun, sold)
            if settled is None:
                return None
            heights = settled
            found = self._result(at, lines, heights)
            wrong = sum(_price(heights, line[0]) * line[2].look(_w(heights, line)) for line in lines)
            if wrong <= _TRUE * sold * _price(heights, SOURCE):
                break
        self._heights = heights
        return found

    def _in_closed_form(self, at: list[int], lines: list[Line], sold: float) -> Balance | None:
        """Where all are constant products from the source straight to the sink, none of which sells out."""
        curves = [sketch.side.curve for tail, head, sketch in lines if (tail, head) == (SOURCE, SINK)]
        if len(curves) != len(lines) or None in curves:
            return None
        loads, w = parallel([curve for curve in curves if curve], sold)
        if any(load > sketch.cap for load, (_, _, sketch) in zip(loads, lines, strict=True)):
            return None
        heights = [0.0] * self.network.places
        heights[SOURCE] = log(w)
        return self._result(at, lines, heights)

    def _through(self, at: list[int]) -> list[int]:
        """Those of these edges that lie on a way from the source to the sink."""
        edges = self.network.edges
        reached, leading = {SOURCE}, {SINK}
        for _ in range(self._hops):
            reached |= {edges[index].head for index in at if edges[index].tail in reached}
            leading |= {edges[index].tail for index in at if edges[index].head in leading}
        return [index for index in at if edges[index].tail in reached and edges[index].head in leading]

    def _line(self, index: int, sold: float) -> Line:
        edge, sketch = self.network.edges[index], self._sketches[index]
        reach = sold * self._arrives[edge.tail] * _BEYOND
        if sketch is None:
            sketch = self._sketches[index] = Sketch(edge.side, reach)
        else:
            sketch.stretch(reach)
        return edge.tail, edge.head, sketch

    def _result(self, at: list[int], lines: list[Line], heights: list[float]) -> Balance:
        loads, profits = [0.0] * len(self.network.edges), [0.0] * len(self.network.edges)
        arrives = 0.0
        for index, line in zip(at, lines, strict=True):
            tail, head, sketch = line
            gives, gets, _ = sketch.at(_w(heights, line))
            if gives <= 0:
                continue
            loads[index] = gives
            profits[index] = _price(heights, head) * gets - _price(heights, tail) * gives
            arrives += gets * (head == SINK) - gives * (tail == SINK)
        return Balance(tuple(loads), tuple(heights), arrives, tuple(profits))

    # --- what a sequence of swaps cannot do --------------------------------------------------------------------------

    def _offending(self, found: Balance) -> set[int]:
        """Edges without which the loads come closer to something that swaps can bring about."""
        return self._second_sides(found) or self._weakest(found, self._too_long(found.loads))

    def _second_sides(self, found: Balance) -> set[int]:
        """Of each pool all but the side that carries most: a pool's sides are one reserve, and are no sum."""
        edges, best = self.network.edges, dict[Address, int]()
        torn = set()
        for index in (index for index, load in enumerate(found.loads) if load > 0):
            other = best.setdefault(edges[index].pool, index)
            if other != index:
                torn.add(edges[index].pool)
                best[edges[index].pool] = max(other, index, key=lambda each: self._value(found, each))
        return {index for index, edge in enumerate(edges) if edge.pool in torn and index != best[edge.pool]}

    def _too_long(self, loads: Loads) -> list[tuple[int, int]]:
        """Pairs of places on a circle, or on a path of too many edges."""
        pairs = {(edge.tail, edge.head) for edge, load in zip(self.network.edges, loads, strict=True) if load > 0}
        if in_order(self.network, loads) is not None:
            return _longer_than(self._hops, pairs)
        return _longer_than(self.network.places, pairs)

    def _weakest(self, found: Balance, pairs: list[tuple[int, int]]) -> set[int]:
        """All edges of the pair of places that carries least."""
        by_pair: dict[tuple[int, int], set[int]] = {pair: set() for pair in pairs}
        for index, edge in enumerate(self.network.edges):
            if (edge.tail, edge.head) in by_pair:
                by_pair[edge.tail, edge.head].add(index)
        return min(by_pair.values(), key=lambda edges: sum(self._value(found, index) for index in edges), default=set())

    def _value(self, found: Balance, index: int) -> float:
        return found.loads[index] * _price(found.heights, self.network.edges[index].tail)


def _price(heights: Sequence[float], place: int) -> float:
    return exp(-2 * heights[place])


def _w(heights: Sequence[float], line: Line) -> float:
    return exp(heights[line[0]] - heights[line[1]])


def _leads(edge: Edge, first: float, rates: list[float], arrives: list[float]) -> bool:
    return first > 0 and rates[edge.head] > 0 and arrives[edge.tail] > 0


def _longer_than(hops: int, pairs: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """The middle pairs of a path of more than `hops` of these pairs; none where all are short enough."""
    paths = [[pair] for pair in pairs]
    for _ in range(hops):
        paths = [[*path, pair] for path in paths for pair in pairs if path[-1][1] == pair[0]]
    return [pair for path in paths[:1] for pair in path if SOURCE not in pair and SINK not in pair]
