"""What a vault of weights has to respect beside its bands: what is never sold, what is kept out, who goes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeper.core.units import Token, TokenAmount

FIRST = 1_000_000
"""Cash-like tokens count so many times: they take the other side before any other does."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`locked` tokens are bought but never sold. A `reserve` does not count as the vault's. `priorities` say how many
    times a token's drift counts where it is decided who trades first; `cash` goes before all of them.

    Raises ValueError where a priority is below one.
    """

    locked: frozenset[Token] = frozenset()
    cash: frozenset[Token] = frozenset()
    priorities: Mapping[Token, int] = field(default_factory=dict)
    reserve: Mapping[Token, TokenAmount] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for token, priority in self.priorities.items():
            if priority < 1:
                raise ValueError(f"priority of {token.symbol}: expected 1 or more, was {priority}")

    def importance(self, token: Token) -> int:
        return self.priorities.get(token, 1) * (FIRST if token in self.cash else 1)

    def counted(self, held: TokenAmount) -> int:
        """{raw} What is left for the weights; nothing where less than the reserve is there."""
        kept = self.reserve.get(held.token)
        return held.raw if kept is None else max(0, held.raw - kept.raw)
