"""A vault's pools as the network of one trade, as far as its custody can carry an amount through it.

An amount may rest in a token between two calls only where the vault holds that token anyway, prices it, and nothing can
come between the calls. Any other token it may only pass through inside one call, so that such a token is a place of its
own for each kind of call: what one router brings there no other can take.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core.chain import MarketPrice, VaultView
from keeper.core.pools import NoQuote, Pool, PoolState
from keeper.core.units import Address, Rounding, Token, ratio_to_int
from keeper.routing.gas import Gas
from keeper.routing.moved import Moved, tells
from keeper.routing.search.network import SINK, SOURCE, Edge, Network

Carries = Callable[[Sequence[Pool]], bool]
"""Whether one call swaps along all these pools."""


@dataclass(frozen=True, slots=True)
class Means:
    """How amounts may travel: `carries` says which paths one call takes, `atomic` that calls stand or fall together,
    and `joins` of which routers' kinds one call takes several paths.

    Guarantees about `carries` that are relied on: it looks at the pools' kinds and routers alone.
    """

    carries: Carries
    atomic: bool
    joins: frozenset[str] = frozenset()
    hops: int = 3
    gas: Gas = field(default_factory=Gas)


@dataclass(frozen=True, slots=True)
class Graph:
    """`tokens` and `rests` tell of each place what it holds, and whether a call may end there."""

    network: Network
    tokens: tuple[Token, ...]
    rests: tuple[bool, ...]


def draw(
    view: VaultView, sell: Token, buy: Token, means: Means, per_gas: Fraction, but: Collection[Address] = ()
) -> Graph:
    """All sides of the view's pools that can be part of this trade. `per_gas` {buy raw / gas}; `but` are pools that
    must not be used."""
    drawing = _Drawing(view, sell, buy, means, per_gas)
    for state in view.pools:
        if state.pool.address not in but:
            drawing.add(state)
    network = Network(len(drawing.tokens), tuple(drawing.edges))
    return Graph(network, tuple(drawing.tokens), tuple(drawing.rests))


class _Drawing:
    def __init__(self, view: VaultView, sell: Token, buy: Token, means: Means, per_gas: Fraction) -> None:
        self.tokens, self.rests = [sell, buy], [True, True]
        self.edges: list[Edge] = []
        self._view, self._means, self._per_gas = view, means, per_gas
        self._places: dict[tuple[Token, int | None], int] = {(sell, None): SOURCE, (buy, None): SINK}
        self._families: list[Pool] = []
        self._carried: dict[tuple[str, object], int | None] = {}

    def add(self, state: PoolState) -> None:
        tokens = state.pool.tokens
        moved = Moved(state, self.tokens) if len(tokens) > 2 else None
        for sell in tokens:
            for buy in tokens:
                tail, head = self._place(sell, state.pool), self._place(buy, state.pool)
                if sell == buy or tail is None or head is None or tail == SINK or head == SOURCE:
                    continue
                side = state.side(sell, buy)
                if isinstance(side, NoQuote):
                    continue
                gas = ratio_to_int(self._means.gas.of(state.pool.kind, self.rests[tail]) * self._per_gas, Rounding.UP)
                after = moved.side(sell, buy) if moved and tells(state, sell, buy, side) else None
                self.edges.append(Edge(state.pool.address, tail, head, side, gas, after))

    def _place(self, token: Token, pool: Pool) -> int | None:
        """None where an amount can neither rest nor pass through."""
        rests = token in self.tokens[:2] or self._may_rest(token)
        family = None if rests else self._family(pool)
        if not rests and family is None:
            return None
        if (token, family) not in self._places:
            self._places[token, family] = len(self.tokens)
            self.tokens.append(token)
            self.rests.append(rests)
        return self._places[token, family]

    def _may_rest(self, token: Token) -> bool:
        held, priced = token in self._view.holdings, isinstance(self._view.prices.get(token), MarketPrice)
        return self._means.atomic and held and priced

    def _family(self, pool: Pool) -> int | None:
        """Which pools one call can take this one together with; None where it takes no second one."""
        key = pool.kind, pool.router
        if key not in self._carried:
            carries = self._means.carries
            found = [at for at, other in enumerate(self._families) if carries((other, pool)) and carries((pool, other))]
            if not found and carries((pool, pool)):
                found = [len(self._families)]
                self._families.append(pool)
            self._carried[key] = found[0] if found else None
        return self._carried[key]
