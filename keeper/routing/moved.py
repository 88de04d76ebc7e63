"""A pool of several tokens after some of its sides were sold into: several of them can be used in one trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from keeper.core.pools import NoQuote, PoolState, Side
from keeper.core.units import Token, TokenAmount
from keeper.routing.search.network import After, Edge
from keeper.routing.search.sharing import Closed

Uses = tuple[tuple[int, int, int], ...]
"""From where to where how much was sold, in this order."""
_MOVE = 1_000


@dataclass(frozen=True, slots=True)
class Moved:
    """A pool of several tokens once some of its sides were sold into. `tokens` are those of the places."""

    state: PoolState
    tokens: Sequence[Token]
    _known: dict[Uses, PoolState | NoQuote] = field(default_factory=dict)

    def side(self, sell: Token, buy: Token) -> After:
        def after(uses: Sequence[tuple[Edge, int]]) -> Side:
            state = self._after(tuple((edge.tail, edge.head, sold) for edge, sold in uses if sold))
            side = state if isinstance(state, NoQuote) else state.side(sell, buy)
            return Closed(side) if isinstance(side, NoQuote) else side

        return after

    def _after(self, uses: Uses) -> PoolState | NoQuote:
        if not uses:
            return self.state
        if uses not in self._known:
            state, (tail, head, sold) = self._after(uses[:-1]), uses[-1]
            told = state if isinstance(state, NoQuote) else state.after(self._amount(tail, sold), self.tokens[head])
            self._known[uses] = told
        return self._known[uses]

    def _amount(self, place: int, raw: int) -> TokenAmount:
        return TokenAmount(self.tokens[place], raw)


def tells(state: PoolState, sell: Token, buy: Token, side: Side) -> bool:
    """Whether the pool can say what it is after a sale: asked about one that moves its price by about a thousandth."""
    sold = int(side.sold_at(side.slope(0) * (_MOVE - 1) / _MOVE))
    return not isinstance(state.after(TokenAmount(sell, sold), buy), NoQuote)
