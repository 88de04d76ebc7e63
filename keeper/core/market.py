"""What a vault's pools give together, for whoever sizes a trade before it is routed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from keeper.core.pools import NoQuote, Router
from keeper.core.units import Address, Token, TokenAmount

NO_POOLS: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a sale brings, and the pools that it would use."""

    out: TokenAmount
    pools: frozenset[Address]


@dataclass(frozen=True, slots=True)
class FirstCall:
    """Of a sale that takes several calls, the one that goes first: what it sells, through which router and pools."""

    router: Router
    sell: TokenAmount
    pools: frozenset[Address]
    calls: int = 1
    """Of how many it is the first."""


class Market(Protocol):
    """One view's pools as its routing would use them. `but` are pools that an earlier trade of the same plan uses."""

    def quote(self, sell: TokenAmount, buy: Token, but: Collection[Address] = NO_POOLS) -> Quoted | NoQuote:
        """What selling exactly `sell` brings, fee and impact included."""
        ...

    def trades(self, sell: Token, buy: Token) -> bool:
        """Whether any way leads from one to the other."""
        ...

    def first(self, sell: TokenAmount, buy: Token) -> FirstCall | NoQuote:
        """What one call can carry of it; the largest part where there are several."""
        ...
