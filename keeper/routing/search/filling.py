"""Loads made into whole swaps: at every place all that has arrived is handed on, to the last raw unit, and what each
swap brings is the pool's own exact quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.routing.search.network import SINK, SOURCE, Edge, Loads, Network, in_order

_ASKED = 4
"""So many sides are asked what the last few raw units would bring there; of the others each carries less."""
_SPECK = 1e-7
"""Of what leaves a place: less is the search's rounding rather than a part worth a swap."""
_DUST = 1e-9
"""Of what is handed on: less than this goes to the largest part unasked."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Exactly `sold` of the edge's side, and exactly what it brings."""

    edge: Edge
    sold: int
    brings: int


@dataclass(frozen=True, slots=True)
class Filled:
    """Swaps in an order in which each has what it sells. `out` is what arrives at the sink, `gas` what all of them
    cost, both in its raw units."""

    swaps: tuple[Swap, ...]
    out: int
    gas: int

    @property
    def net(self) -> int:
        return self.out - self.gas


def fill(network: Network, loads: Loads, sold: int) -> Filled | None:
    """None where a side refuses its part, or where the loads cannot be carried in any order."""
    order = in_order(network, loads)
    if order is None:
        return None
    held, swaps = [0] * network.places, list[Swap]()
    held[SOURCE] = sold
    leaving = _leaving(network, loads, order)
    for place in order:
        if place == SINK or not held[place]:
            continue
        made = hand_out(leaving[place], held[place]) if leaving[place] else None
        for swap in made or ():
            after = _after(swap, [(one.edge, one.sold) for one in swaps if one.edge.pool == swap.edge.pool])
            if after is None:
                return None
            held[after.edge.head] += after.brings
            swaps.append(after)
        if made is None:
            return None
    return Filled(tuple(swaps), held[SINK], sum(swap.edge.gas for swap in swaps))


def _leaving(network: Network, loads: Loads, order: Sequence[int]) -> list[list[tuple[Edge, float]]]:
    """What leaves each place, largest load first, less what would only go astray: a speck that the search's rounding
    sends where nothing leads on."""
    leaving = [list[tuple[Edge, float]]() for _ in range(network.places)]
    for edge, load in zip(network.edges, loads, strict=True):
        if load > 0:
            leaving[edge.tail].append((edge, load))
    for place in reversed(order):
        leads = [(edge, load) for edge, load in leaving[place] if edge.head == SINK or leaving[edge.head]]
        total = sum(load for _, load in leads)
        leaving[place] = sorted((part for part in leads if part[1] > total * _SPECK), key=lambda part: -part[1])
    return leaving


def hand_out(leaving: Sequence[tuple[Edge, float]], held: int) -> list[Swap] | None:
    """`held` in proportion to the loads, largest first; what rounding leaves goes where it brings most."""
    edges, total = [edge for edge, _ in leaving], sum(load for _, load in leaving)
    parts = [min(int(held * (load / total)), edge.side.most) for edge, load in leaving]
    rest = held - sum(parts)
    swaps = [_swap(edge, part) for edge, part in zip(edges, parts, strict=True)]
    if rest:
        found = list[tuple[int, int, Swap]]()
        for at, (edge, before) in enumerate(zip(edges, swaps, strict=True)):
            if found and at >= (_ASKED if rest > held * _DUST else 1):
                break
            if before and (swap := _swap(edge, parts[at] + rest)):
                found.append((swap.brings - before.brings, -at, swap))
        if not found:
            return None
        _, at, swap = max(found)
        swaps[-at] = swap
    made = [swap for swap in swaps if swap is not None]
    return [swap for swap in made if swap.sold] if len(made) == len(edges) else None


def _after(swap: Swap, uses: list[tuple[Edge, int]]) -> Swap | None:
    """What it brings where earlier swaps have moved its pool."""
    if not uses:
        return swap
    brings = swap.edge.after(uses).out(swap.sold) if swap.edge.after else None
    return Swap(swap.edge, swap.sold, brings) if isinstance(brings, int) else None


def _swap(edge: Edge, sold: int) -> Swap | None:
    brings = edge.side.out(sold) if sold else 0
    return Swap(edge, sold, brings) if sold >= 0 and isinstance(brings, int) else None
