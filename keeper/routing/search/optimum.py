"""The best way through a network, before gas: where every path that is used pays the same for its next unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from operator import mul

from keeper.core.units import Address
from keeper.routing.search.bundle import Bundles, Line
from keeper.routing.search.network import SINK, SOURCE, Edge, Loads, Network, best_rates, height, in_order, reaches
from keeper.routing.search.parallel import parallel
from keeper.routing.search.prices import settle
from keeper.routing.search.sharing import Shared
from keeper.routing.search.sketch import Sketch

_ROUNDS = 12
_TRUE = 1e-6
"""How wrong the lines may be about the slopes where the loads are, as a share of the trade's value: 0.01 bps."""
_SETTLED = 1e-4
"""Of the trade's value: loads that still move by so much are off the best by about its square."""
_BEYOND = 1.02
"""Sides are known a little past what can arrive, so that a price is told even where all goes one way."""
_TRIES, _EXCHANGES = 12, 40


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

    Guarantees: no side of a pool is used beside another one unless it tells what it is after that, paths have at most
    `hops` edges, and no load goes round in a circle; `circles` lifts the last two. Does not guarantee that no better
    balance exists where one of these binds.
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
        self._bundles = Bundles()
        self.roundabout = {at for at, edge in enumerate(used) if (edge.tail, edge.head) != (SOURCE, SINK)}
        """What does not lead straight from source to sink."""

    def best(self, sold: float, without: Collection[int] = ()) -> Balance | None:
        """`without` are indices of edges that must not be used. None where the rest does not take all of `sold`."""
        dropped = set(without)
        if not self.roundabout:
            return self._balance(sold, dropped)
        for _ in range(_TRIES):
            found = self._balance(sold, dropped)
            if found is None:
                return None
            offending = self._second_sides(found) or (set() if self._circles else self._weakest(found))
            if not offending:
                found = self._together(found, sold, dropped)
                offending = self._second_sides(found)
            if not offending:
                return found
            dropped |= offending
        return None

    def _balance(
        self, sold: float, dropped: Collection[int], moved: Mapping[int, Line] | None = None
    ) -> Balance | None:
        at = [index for index in range(len(self.network.edges)) if index not in dropped]
        at = self._through(at) if self.roundabout else at
        if not at:
            return None
        lines = [self._line(index, sold) for index in at]
        lines = [moved.get(index, line) for index, line in zip(at, lines, strict=True)] if moved else lines
        if closed := self._in_closed_form(at, lines, sold):
            return closed
        bent = [line for line in lines if not line[2].exact]
        heights = self._heights
        for _ in range(_ROUNDS):
            bundles = self._bundles.of(lines)
            settled = settle(bundles, heights, sold) or settle(bundles, self._begun, sold)
            if settled is None:
                return None
            heights = settled
            found = self._result(at, lines, heights)
            roots = [exp(height) for height in heights]
            wrong = sum(sketch.look(roots[tail] / roots[head]) / roots[tail] ** 2 for tail, head, sketch in bent)
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
        arrives, roots = 0.0, [exp(height) for height in heights]
        for index, (tail, head, sketch) in zip(at, lines, strict=True):
            gives, gets, _ = sketch.at(roots[tail] / roots[head])
            if gives <= 0:
                continue
            loads[index] = gives
            profits[index] = gets / roots[head] ** 2 - gives / roots[tail] ** 2
            arrives += gets * (head == SINK) - gives * (tail == SINK)
        return Balance(tuple(loads), tuple(heights), arrives, tuple(profits))

    # --- several sides of one pool -----------------------------------------------------------------------------------

    def _together(self, found: Balance, sold: float, dropped: Collection[int]) -> Balance:
        """Prices sides of one pool together: each as it is after the others, again and again until nothing changes."""
        last: tuple[list[float], list[float]] | None = None
        for _ in range(_EXCHANGES):
            shared = self._shared(found)
            if not shared:
                break
            lines = {index: self._line_beside(index, shared, found.loads, sold) for index in shared}
            beside = {index: line for index, line in lines.items() if line}
            again = self._balance(sold, dropped, beside) if len(beside) == len(lines) else None
            if again is None:
                break
            prices = [_price(again.heights, edge.tail) for edge in self.network.edges]
            steps = [(b - a) * price for a, b, price in zip(found.loads, again.loads, prices, strict=True)]
            loads = [(a + b) / 2 for a, b in zip(found.loads, again.loads, strict=True)]
            mixed = _further(loads, steps, *last) if last else loads
            last, found = (loads, steps), replace(again, loads=tuple(mixed))
            if sum(map(abs, steps)) <= _SETTLED * sold * _price(again.heights, SOURCE):
                break
        return found

    def _shared(self, found: Balance) -> list[int]:
        """Loaded edges that share their pool with another one and can be priced beside it, in the order of a fill."""
        edges = self.network.edges
        able = [at for at, load in enumerate(found.loads) if load > 0 and edges[at].after]
        shared = [at for at in able if sum(edges[other].pool == edges[at].pool for other in able) > 1]
        places = in_order(self.network, found.loads) or list(range(self.network.places))
        return sorted(shared, key=lambda at: (places.index(edges[at].tail), -found.loads[at]))

    def _line_beside(self, index: int, shared: Sequence[int], loads: Loads, sold: float) -> Line | None:
        """None where after the others it sells nothing."""
        edge = self.network.edges[index]
        others = [at for at in shared if self.network.edges[at].pool == edge.pool]
        uses = [(self.network.edges[at], int(loads[at])) for at in others]
        turn = others.index(index)
        before, later, after = uses[:turn], uses[turn + 1 :], edge.after
        assert after is not None
        side = Shared(after(before), lambda own: after([*before, (edge, own), *later]))
        if side.slope(0.0) <= 0:
            return None
        return edge.tail, edge.head, Sketch(side, sold * self._arrives[edge.tail] * _BEYOND)

    # --- what a sequence of swaps cannot do --------------------------------------------------------------------------

    def _second_sides(self, found: Balance) -> set[int]:
        """Of each pool all sides that cannot be used beside the one that carries most: it is one reserve, and no sum.
        Where a pool tells what it is after a swap they can, but for what goes in again where it came out."""
        edges = self.network.edges
        loaded = [index for index, load in enumerate(found.loads) if load > 0]
        if len({edges[index].pool for index in loaded}) == len(loaded):
            return set()
        kept, torn = dict[Address, list[int]](), set[Address]()
        for index in sorted(loaded, key=lambda each: -self._value(found, each)):
            mine = kept.setdefault(edges[index].pool, [])
            if all(self._are_beside(index, other) for other in mine):
                mine.append(index)
            else:
                torn.add(edges[index].pool)
        return {
            index
            for index, edge in enumerate(edges)
            if edge.pool in torn and not all(self._are_beside(index, other) for other in kept[edge.pool])
        }

    def _are_beside(self, index: int, other: int) -> bool:
        """Whether two sides of a pool can be used together; one beside itself can."""
        one, two = self.network.edges[index], self.network.edges[other]
        return index == other or bool(one.after and two.after and one.head != two.tail and one.tail != two.head)

    def _too_long(self, loads: Loads) -> list[tuple[int, int]]:
        """Pairs of places on a circle, or on a path of too many edges."""
        pairs = {(edge.tail, edge.head) for edge, load in zip(self.network.edges, loads, strict=True) if load > 0}
        if in_order(self.network, loads) is not None:
            return _longer_than(self._hops, pairs)
        return _longer_than(self.network.places, pairs)

    def _weakest(self, found: Balance) -> set[int]:
        """Of what goes on for too long, all edges of the pair of places that carries least."""
        pairs = self._too_long(found.loads)
        by_pair: dict[tuple[int, int], set[int]] = {pair: set() for pair in pairs}
        for index, edge in enumerate(self.network.edges):
            if (edge.tail, edge.head) in by_pair:
                by_pair[edge.tail, edge.head].add(index)
        return min(by_pair.values(), key=lambda edges: sum(self._value(found, index) for index in edges), default=set())

    def _value(self, found: Balance, index: int) -> float:
        return found.loads[index] * _price(found.heights, self.network.edges[index].tail)


def _price(heights: Sequence[float], place: int) -> float:
    return exp(-2 * heights[place])


def _further(loads: list[float], steps: list[float], before: list[float], steps_before: list[float]) -> list[float]:
    """Where two exchanges together point: that mixture of them whose steps come nearest to nothing (Anderson)."""
    turned = [step - other for step, other in zip(steps, steps_before, strict=True)]
    size = sum(map(mul, turned, turned))
    share = sum(map(mul, steps, turned)) / size if size else 0.0
    return [max(0.0, load + share * (other - load)) for load, other in zip(loads, before, strict=True)]


def _leads(edge: Edge, first: float, rates: list[float], arrives: list[float]) -> bool:
    return first > 0 and rates[edge.head] > 0 and arrives[edge.tail] > 0


def _longer_than(hops: int, pairs: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """The middle pairs of a path of more than `hops` of these pairs, or all of it; none where all are short enough."""
    paths = {pair[1]: [pair] for pair in sorted(pairs)}
    for _ in range(hops):
        paths = {pair[1]: [*paths[pair[0]], pair] for pair in sorted(pairs) if pair[0] in paths}
    path = next(iter(paths.values()), [])
    return [pair for pair in path if SOURCE not in pair and SINK not in pair] or path
