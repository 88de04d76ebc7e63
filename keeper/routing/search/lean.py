"""Which pools earn their gas: the best output less what the swaps cost, by leaving pools out.

At a balance's prices every pool makes a profit, and whatever of the pools is left out, the rest cannot bring more than
the balance less the profits of those (weak duality). So where every pool's profit is above its gas, no smaller set is
better; and where some are not, the same sum says which sets need not be tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from keeper.core.units import Address
from keeper.routing.search.filling import Filled, Swap, fill
from keeper.routing.search.network import SINK, SOURCE
from keeper.routing.search.optimum import Balance, Search

EXACT_UP_TO = 6
"""Pools: every set of them that could be better is tried. Of more, a few sets are."""
_TRIES, _MANY = 6, 24
_WORTH = 1e-6
"""Of the output: where there are many pools, a better set is looked for as long as it could bring more than this."""

_Pools = frozenset[Address]
_NONE: _Pools = frozenset()


@dataclass(frozen=True, slots=True)
class _Used:
    """A pool in a balance: {sink raw} its profit there, its gas, and the edges that leave with it."""

    pool: Address
    profit: float
    gas: float


def leanest(search: Search, sold: int) -> Filled | None:
    """The fill that brings most after gas; never less than the best single pool does. None where nothing takes all."""
    best = single(search, sold)
    whole = search.best(float(sold))
    if whole is None:
        return best
    best = _better(best, fill(search.network, whole.loads, sold))
    losers, idle = _losers(search, whole), _idle(search, whole)
    dropped = idle
    if not losers:
        return best
    while losers:
        dropped |= {used.pool for used in losers[: (len(losers) + 1) // 2]}
        found = _without(search, dropped, sold)
        if found is None:
            break
        best = _better(best, fill(search.network, found.loads, sold))
        losers = _losers(search, found)
    return _branch(search, whole, sold, best, idle)


def single(search: Search, sold: int) -> Filled | None:
    """The best that one pool does alone, after gas."""
    best: Filled | None = None
    for edge in search.network.edges:
        brings = edge.side.out(sold) if (edge.tail, edge.head) == (SOURCE, SINK) else None
        if isinstance(brings, int):
            best = _better(best, Filled((Swap(edge, sold, brings),), brings, edge.gas))
    return best


def _branch(search: Search, whole: Balance, sold: int, best: Filled | None, idle: _Pools) -> Filled | None:
    """Leaves out one pool after the other, the most promising set first, for as long as one could be better."""
    pools = len({edge.pool for edge in search.network.edges})
    exact = pools <= EXACT_UP_TO
    worth = 0.0 if exact else _WORTH * whole.out
    heap: list[tuple[float, int, _Pools, _Pools]] = []
    found: Balance | None = whole
    dropped, kept, ticket = idle, _NONE, count()
    for _ in range(1 << pools if exact else _TRIES):
        if found is not None:
            best = _better(best, fill(search.network, found.loads, sold))
            for most, pool, before in _exclusions(_used(search, found), found.out, kept):
                if best is None or most > best.net + worth:
                    heappush(heap, (-most, next(ticket), dropped | {pool}, before))
        if not heap or (best is not None and -heap[0][0] <= best.net + worth):
            break
        _, _, dropped, kept = heappop(heap)
        found = _without(search, dropped, sold)
    return best


def _exclusions(used: Sequence[_Used], out: float, kept: _Pools) -> Iterator[tuple[float, Address, _Pools]]:
    """For each pool that may be left out, the worst first: what any set without it, but with those before it, could
    net at most; the pool; and those that such sets keep."""
    free = sorted((each for each in used if each.pool not in kept), key=lambda each: each.profit - each.gas)
    paid = sum(each.gas for each in used if each.pool in kept)
    others = sum(min(each.profit, each.gas) for each in free)
    for each in free:
        others -= min(each.profit, each.gas)
        yield out - each.profit - paid - others, each.pool, kept
        kept, paid = kept | {each.pool}, paid + each.gas


def _used(search: Search, found: Balance) -> list[_Used]:
    parts = zip(search.network.edges, found.loads, found.profits, strict=True)
    return [_Used(edge.pool, profit, edge.gas) for edge, load, profit in parts if load > 0]


def _idle(search: Search, found: Balance) -> _Pools:
    """Of many pools, those that the best split does not use: leaving out small ones does not bring them in."""
    edges = search.network.edges
    used = {edge.pool for edge, load in zip(edges, found.loads, strict=True) if load > 0}
    pools = {edge.pool for edge in edges}
    return frozenset(pools - used) if len(pools) > _MANY else _NONE


def _losers(search: Search, found: Balance) -> list[_Used]:
    """Pools whose gas is more than their profit, the worst first."""
    losing = [each for each in _used(search, found) if each.profit < each.gas]
    return sorted(losing, key=lambda each: each.profit - each.gas)


def _without(search: Search, dropped: _Pools, sold: int) -> Balance | None:
    edges = search.network.edges
    return search.best(float(sold), [at for at, edge in enumerate(edges) if edge.pool in dropped])


def _better(one: Filled | None, other: Filled | None) -> Filled | None:
    if one is None or other is None:
        return one or other
    return other if other.net > one.net else one
