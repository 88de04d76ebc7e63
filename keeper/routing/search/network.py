"""What one trade may pass through: places where an amount rests, and pools' sides that lead from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log

from keeper.core.pools import Side
from keeper.core.units import Address

SOURCE, SINK = 0, 1
"""Where the amount to sell is, and where what is bought is to arrive."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One side of a pool between two places. `gas` is what using it costs, in raw units of what the trade buys.

    `after` tells the same side once other edges of its pool have sold so much, in this order; without it a pool of
    several tokens is used on one side only.
    """

    pool: Address
    tail: int
    head: int
    side: Side
    gas: int = 0
    after: After | None = None


After = Callable[[Sequence[tuple[Edge, int]]], Side]


@dataclass(frozen=True, slots=True)
class Network:
    """Places 0 (sold from), 1 (bought into) and up to `places`, with the edges between them."""

    places: int
    edges: tuple[Edge, ...]


Loads = Sequence[float]
"""{sell raw of each edge} How much every edge of a network carries."""


def best_rates(network: Network, firsts: Sequence[float], hops: int) -> list[float]:
    """{sink raw / raw of each place} Along the best path of at most `hops` edges, for the first unit; 0 where none
    leads to the sink. `firsts` are the edges' first slopes."""
    rates = [0.0] * network.places
    rates[SINK] = 1.0
    for _ in range(hops):
        before = list(rates)
        for edge, first in zip(network.edges, firsts, strict=True):
            rates[edge.tail] = max(rates[edge.tail], first * before[edge.head])
    return rates


def reaches(network: Network, firsts: Sequence[float], sold: float, hops: int) -> list[float]:
    """{raw of each place} More than this of `sold` never arrives there."""
    most = [0.0] * network.places
    most[SOURCE] = sold
    for _ in range(hops):
        before = list(most)
        for edge, first in zip(network.edges, firsts, strict=True):
            most[edge.head] = max(most[edge.head], first * before[edge.tail])
    return most


def in_order(network: Network, loads: Loads) -> list[int] | None:
    """The places, each one after all that send to it; None where loads go round in a circle."""
    sends = [edge for edge, load in zip(network.edges, loads, strict=True) if load > 0]
    waits = [0] * network.places
    for edge in sends:
        waits[edge.head] += 1
    ready, order = [place for place in range(network.places) if not waits[place]], []
    while ready:
        place = ready.pop()
        order.append(place)
        for edge in sends:
            if edge.tail == place:
                waits[edge.head] -= 1
                if not waits[edge.head]:
                    ready.append(edge.head)
    return order if len(order) == network.places else None


def height(rate: float) -> float:
    """ln w of a place whose unit is worth `rate`: the search's scale, on which a slope is a difference of heights."""
    return -log(rate) / 2 if rate > 0 else inf
