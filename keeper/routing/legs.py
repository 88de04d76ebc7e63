"""Paths made into legs: calls in order, each with what it really has to sell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
    held, used = {SOURCE: sold}, _Used(states, Counter(edge.pool for path in paths for edge in path.edges))
    legs = list[Leg]()
    for start in dict.fromkeys(path.start for path in paths):
        here = [path for path in paths if path.start == start]
        for path, amount in zip(here, shares(held.get(start, 0), [path.planned for path in here]), strict=True):
            leg = _leg(path, amount, graph, used)
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


def _leg(path: Path, amount: int, graph: Graph, used: _Used) -> Leg | None:
    tokens = [graph.tokens[path.start], *(graph.tokens[edge.head] for edge in path.edges)]
    held = sell = TokenAmount(tokens[0], amount)
    for edge, buy in zip(path.edges, tokens[1:], strict=True):
        brought = used.swap(edge, held, buy) if held.raw else None
        if not brought:
            return None
        held = TokenAmount(buy, brought)
    pools = [used.states[edge.pool] for edge in path.edges]
    # As they stand before the first leg: a floor by the market's price must leave room for all that the legs move.
    mids = [_mid(state, one, other) for state, one, other in zip(pools, tokens, tokens[1:], strict=False)]
    return Leg(tuple(state.pool for state in pools), sell, held, prod(mids, start=Fraction(1)), tuple(tokens[1:-1]))


@dataclass(slots=True)
class _Used:
    """Pools as the legs find them, one after the other. `turns` are the swaps that each has still before it."""

    states: Mapping[Address, PoolState]
    turns: Counter[Address]
    _moved: dict[Address, PoolState] = field(default_factory=dict)
    _untold: dict[Address, tuple[Edge, TokenAmount]] = field(default_factory=dict)
    """What was sold in pools that cannot tell what they are after it."""

    def swap(self, edge: Edge, sell: TokenAmount, buy: Token) -> int | None:
        """{raw} What it brings now."""
        state = self._moved.get(edge.pool, self.states[edge.pool])
        self.turns[edge.pool] -= 1
        if edge.pool in self._untold:
            return self._beside(state, edge, sell, buy)
        brings = state.out_for(sell, buy)
        after = state.after(sell, buy) if self.turns[edge.pool] else state
        if isinstance(after, NoQuote):
            self._untold[edge.pool] = edge, sell
        else:
            self._moved[edge.pool] = after
        return brings.raw if isinstance(brings, TokenAmount) else None

    def _beside(self, state: PoolState, edge: Edge, sell: TokenAmount, buy: Token) -> int | None:
        """The difference of two quotes: nearly right, if the same side is sold into again."""
        first, before = self._untold[edge.pool]
        if edge is not first:
            return None
        self._untold[edge.pool] = edge, before + sell
        both, already = state.out_for(before + sell, buy), state.out_for(before, buy)
        if not isinstance(both, TokenAmount) or not isinstance(already, TokenAmount):
            return None
        return both.raw - already.raw


def _mid(state: PoolState, sell: Token, buy: Token) -> Fraction:
    marginal = state.marginal(sell, buy)
    return Fraction(0) if isinstance(marginal, NoQuote) else marginal / (1 - state.pool.fee)
