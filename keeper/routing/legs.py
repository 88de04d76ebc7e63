"""Paths made into legs: calls in order, each with what it really has to sell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import prod

from keeper.core.plan import Leg
from keeper.core.pools import NoQuote, PoolState
from keeper.core.units import Address, Token, TokenAmount
from keeper.routing.graph import Graph, Means
from keeper.routing.search.network import SINK, SOURCE, Edge
from keeper.routing.search.paths import Joins, Path

MinOut = Callable[[Leg], TokenAmount]


def carried(states: Mapping[Address, PoolState], means: Means) -> Joins:
    """Whether one call can carry an amount through two edges."""
    return lambda one, other: means.carries((states[one.pool].pool, states[other.pool].pool))


def legs_of(
    paths: Sequence[Path], graph: Graph, states: Mapping[Address, PoolState], sold: int, min_out: MinOut
) -> tuple[Leg, ...] | None:
    """A leg for each path. What the first ones sell adds up to `sold`; what starts in a middle token sells the min_out
    of those that bring it, and what they bring above that stays with the vault. None where a pool refuses its part."""
    held = {SOURCE: sold}
    used = dict[int, int]()
    legs = list[Leg]()
    for start in dict.fromkeys(path.start for path in paths):
        here = [path for path in paths if path.start == start]
        for path, amount in zip(here, shares(held.get(start, 0), [path.planned for path in here]), strict=True):
            leg = _leg(path, amount, graph, states, used)
            if leg is None:
                return None
            legs.append(leg)
            if path.end != SINK:
                held[path.end] = held.get(path.end, 0) + min_out(leg).raw
    return tuple(legs)


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """The amount in proportion to the weights, to the last raw unit: what rounding leaves goes to the heaviest."""
    parts = [amount * weight // sum(weights) for weight in weights]
    parts[max(range(len(parts)), key=lambda at: weights[at])] += amount - sum(parts)
    return parts


def _leg(
    path: Path, amount: int, graph: Graph, states: Mapping[Address, PoolState], used: dict[int, int]
) -> Leg | None:
    sold = amount
    for edge in path.edges:
        brought = _through(edge, sold, used) if sold else None
        if not brought:
            return None
        sold = brought
    pools = [states[edge.pool] for edge in path.edges]
    tokens = [graph.tokens[path.start], *(graph.tokens[edge.head] for edge in path.edges)]
    mids = [_mid(state, sell, buy) for state, sell, buy in zip(pools, tokens, tokens[1:], strict=False)]
    sell, quote = TokenAmount(tokens[0], amount), TokenAmount(tokens[-1], sold)
    return Leg(tuple(state.pool for state in pools), sell, quote, prod(mids, start=Fraction(1)), tuple(tokens[1:-1]))


def _through(edge: Edge, sold: int, used: dict[int, int]) -> int | None:
    """What selling more brings in a pool that an earlier leg may have used: the two are priced together."""
    before = used.get(id(edge), 0)
    both, first = edge.side.out(before + sold), edge.side.out(before) if before else 0
    used[id(edge)] = before + sold
    return both - first if isinstance(both, int) and isinstance(first, int) else None


def _mid(state: PoolState, sell: Token, buy: Token) -> Fraction:
    marginal = state.marginal(sell, buy)
    return Fraction(0) if isinstance(marginal, NoQuote) else marginal / (1 - state.pool.fee)
