"""Swaps made into paths: what one call can carry through, from a place where amounts rest to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keeper.routing.search.filling import Filled, Swap
from keeper.routing.search.network import SINK, SOURCE, Edge

_EMPTY = 1e-9
"""Of a swap: what is left of it after so many divisions is their rounding."""

Joins = Callable[[Edge, Edge], bool]
"""Whether one call can carry an amount through both."""


@dataclass(frozen=True, slots=True)
class Path:
    """Edges that one call goes along, with what it would sell if all swaps brought what they promise."""

    edges: tuple[Edge, ...]
    planned: int

    @property
    def start(self) -> int:
        return self.edges[0].tail

    @property
    def end(self) -> int:
        return self.edges[-1].head


def paths_of(filled: Filled, rests: Sequence[bool], joins: Joins) -> list[Path]:
    """In an order in which each path starts where all that it sells has arrived. Together they are the swaps.

    A path goes on through a place where amounts could rest if nothing else arrives or leaves there: one call less, and
    nothing stays behind. Where several arrive and leave it ends, so that no pool is swapped in twice.
    """
    stops = [_stops(place, filled.swaps, joins) and rest for place, rest in enumerate(rests)]
    left = {id(swap): 1.0 for swap in filled.swaps}
    paths = list[Path]()
    for start in dict.fromkeys(swap.edge.tail for swap in filled.swaps):
        while stops[start] and (path := _next(start, filled.swaps, stops, left)):
            paths.append(path)
    return paths


def _stops(place: int, swaps: Sequence[Swap], joins: Joins) -> bool:
    arriving = [swap.edge for swap in swaps if swap.edge.head == place]
    leaving = [swap.edge for swap in swaps if swap.edge.tail == place]
    if place in (SOURCE, SINK) or len(arriving) != 1 or len(leaving) != 1:
        return True
    return not joins(arriving[0], leaving[0])


def _next(start: int, swaps: Sequence[Swap], stops: Sequence[bool], left: dict[int, float]) -> Path | None:
    """The widest way that is left, taken out of `left`: what share of each swap is still to be given away."""
    way, place, factor = list[tuple[Swap, float]](), start, 1.0
    while not way or not stops[place]:
        here = [swap for swap in swaps if swap.edge.tail == place and left[id(swap)] > _EMPTY]
        if not here:
            return None
        swap = max(here, key=lambda each: each.sold * left[id(each)])
        way.append((swap, factor))
        # {raw there / raw at the start}
        factor *= swap.brings / swap.sold
        place = swap.edge.head
    planned = min(swap.sold * left[id(swap)] / each for swap, each in way)
    for swap, each in way:
        left[id(swap)] -= planned * each / swap.sold
    return Path(tuple(swap.edge for swap, _ in way), max(1, round(planned)))
