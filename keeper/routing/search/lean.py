"""Which pools earn their gas: the best output less what the swaps cost, by leaving pools out.

At a balance's prices every pool makes a profit, and whatever of the pools is left out, the rest cannot bring more than
the balance less the profits of those (weak duality). So where every pool's profit is above its gas, no smaller set is
better; and where some are not, the same sum says which sets need not be tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
_SURE, _ROUNDED = 1e-6, 4
"""Of the output, and {sink raw} of each swap: nearer than this, only fills tell which of two balances is better."""

_Key = tuple[Address, int]
"""What is left out together: a pool, or where it can be used on several sides at once one side of it."""
_Keys = frozenset[_Key]
_NONE: _Keys = frozenset()


@dataclass(frozen=True, slots=True)
class _Used:
    """What a balance uses: {sink raw} its profit there, and its gas."""

    key: _Key
    profit: float
    gas: float

    @property
    def gain(self) -> float:
        return self.profit - self.gas


def leanest(search: Search, sold: int) -> Filled | None:
    """The fill that brings most after gas; never less than the best single pool does. None where nothing takes all."""
    alone = single(search, sold)
    if len(search.network.edges) == 1:
        return alone
    tried = _Tried(search, sold, alone.net if alone else None)
    # More than middle places could pass on may still find room in what leads straight there.
    whole = tried.add(_NONE) or tried.add(frozenset(tried.keys[at] for at in search.roundabout))
    if whole is None:
        return alone
    tried.idle = tried.unused(whole)
    losers, dropped = tried.losers(whole), tried.idle
    if losers:
        found: Balance | None = whole
        while losers and found:
            dropped |= {used.key for used in losers[: (len(losers) + 1) // 2]}
            found = tried.add(dropped)
            losers = tried.losers(found) if found else []
        _branch(tried, whole)
    return _better(alone, tried.filled())


def single(search: Search, sold: int) -> Filled | None:
    """The best that one pool does alone, after gas."""
    best: Filled | None = None
    for edge in search.network.edges:
        brings = edge.side.out(sold) if (edge.tail, edge.head) == (SOURCE, SINK) else None
        if isinstance(brings, int) and (best is None or brings - edge.gas > best.net):
            best = Filled((Swap(edge, sold, brings),), brings, edge.gas)
    return best


@dataclass(slots=True)
class _Tried:
    """Balances of one trade, and what each would net: only the best of them are filled. `most` is the best so far."""

    search: Search
    sold: int
    most: float | None
    idle: _Keys = _NONE
    keys: list[_Key] = field(init=False)
    balances: list[tuple[float, Balance]] = field(default_factory=list)

    def __post_init__(self) -> None:
        edges = self.search.network.edges
        self.keys = [(edge.pool, at if edge.after else -1) for at, edge in enumerate(edges)]

    def add(self, dropped: _Keys) -> Balance | None:
        without = [at for at, key in enumerate(self.keys) if key in dropped] if dropped else ()
        if len(self.keys) - len(without) <= 1:
            return None  # `single` knows it
        found = self.search.best(float(self.sold), without)
        if found is not None:
            edges = self.search.network.edges
            net = found.out - sum(edge.gas for edge, load in zip(edges, found.loads, strict=True) if load > 0)
            self.balances.append((net, found))
            self.most = net if self.most is None else max(self.most, net)
        return found

    def used(self, found: Balance) -> list[_Used]:
        parts = zip(self.keys, self.search.network.edges, found.loads, found.profits, strict=True)
        return [_Used(key, profit, edge.gas) for key, edge, load, profit in parts if load > 0]

    def losers(self, found: Balance) -> list[_Used]:
        """What costs more gas than its profit, the worst first."""
        return sorted((each for each in self.used(found) if each.gain < 0), key=lambda each: each.gain)

    def unused(self, found: Balance) -> _Keys:
        """Of many pools, those that the best split does not use: leaving out small ones does not bring them in."""
        used = {key for key, load in zip(self.keys, found.loads, strict=True) if load > 0}
        return frozenset(set(self.keys) - used) if len(set(self.keys)) > _MANY else _NONE

    def filled(self) -> Filled | None:
        best: Filled | None = None
        ranked = sorted(self.balances, key=lambda tried: -tried[0])
        for net, found in ranked:
            unsure = _SURE * found.out + _ROUNDED * len(found.loads)
            if best is not None and net < ranked[0][0] - unsure:
                break
            best = _better(best, fill(self.search.network, found.loads, self.sold))
        return best


def _branch(tried: _Tried, whole: Balance) -> None:
    """Leaves out one pool after the other, the most promising set first, for as long as one could be better."""
    pools = len({pool for pool, _ in tried.keys})
    exact = pools <= EXACT_UP_TO
    worth = 0.0 if exact else _WORTH * whole.out
    heap: list[tuple[float, int, _Keys, _Keys]] = []
    found: Balance | None = whole
    dropped, kept, ticket = tried.idle, _NONE, count()
    for _ in range(1 << len(set(tried.keys)) if exact else _TRIES):
        if found is not None:
            for most, key, before in _exclusions(tried.used(found), found.out, kept):
                if tried.most is None or most > tried.most + worth:
                    heappush(heap, (-most, next(ticket), dropped | {key}, before))
        if not heap or (tried.most is not None and -heap[0][0] <= tried.most + worth):
            break
        _, _, dropped, kept = heappop(heap)
        found = tried.add(dropped)


def _exclusions(used: Sequence[_Used], out: float, kept: _Keys) -> Iterator[tuple[float, _Key, _Keys]]:
    """For each that may be left out, the worst first: what any set without it, but with those before it, could net at
    most; which it is; and those that such sets keep."""
    free = sorted((each for each in used if each.key not in kept), key=lambda each: each.gain)
    paid = sum(each.gas for each in used if each.key in kept)
    others = sum(min(each.profit, each.gas) for each in free)
    for each in free:
        others -= min(each.profit, each.gas)
        yield out - each.profit - paid - others, each.key, kept
        kept, paid = kept | {each.key}, paid + each.gas


def _better(one: Filled | None, other: Filled | None) -> Filled | None:
    if one is None or other is None:
        return one or other
    return other if other.net > one.net else one
