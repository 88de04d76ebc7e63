"""Nouns of a pool: what is pinned of it, what it is at one block, and why it will not trade."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from keeper.core.text import trimmed
from keeper.core.units import Address, Token, TokenAmount


@dataclass(frozen=True, slots=True)
class Router:
    """The contract a swap is sent to. `kind` picks its ABI: v2_router, swap_router, swap_router02, …

    `coins` are the tokens in the order in which its calldata counts them, where it names none (Curve).
    """

    kind: str
    address: Address
    coins: tuple[Address, ...] = ()


Details = tuple[tuple[str, int | str], ...]
"""What only one family of pools knows: names and values."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as pinned at start: whatever cannot change is read once. `fee` is a fraction of the amount in; where a
    pool may change it, the state at a block holds a pool with the fee of that block."""

    chain_id: int
    kind: str
    address: Address
    tokens: tuple[Token, ...]
    fee: Fraction
    factory: Address
    router: Router
    name: str = ""
    spacing: int = 0
    code_hash: str = ""
    details: Details = ()

    def detail(self, name: str) -> int | str:
        """Raises KeyError where this pool's family does not pin it."""
        return dict(self.details)[name]

    def trades(self, sell: Token, buy: Token) -> bool:
        return sell != buy and sell in self.tokens and buy in self.tokens

    @property
    def label(self) -> str:
        """`uniswap_v3 0.05 % WETH/USDC 0xd0b5…F224`"""
        if not self.tokens:
            return f"{self.name or 'pool'} {self.address[:6]}…{self.address[-4:]}"
        pair = "/".join(token.symbol for token in self.tokens)
        return f"{self.kind} {trimmed(self.fee * 100, 4)} % {pair} {self.address[:6]}…{self.address[-4:]}"


def unknown_pool(chain_id: int, address: Address, name: str) -> Pool:
    """A pool of a configuration that could not be recognised: it trades nothing."""
    return Pool(chain_id, "unknown", address, (), Fraction(0), address, Router("none", address), name)


@dataclass(frozen=True, slots=True)
class NoLiquidity:
    """The pool cannot fill this size from what is known of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class LimitExceeded:
    """The pool's own rules forbid this size."""

    reason: str


@dataclass(frozen=True, slots=True)
class Paused:
    """The pool does not trade at all."""

    reason: str


NoQuote = NoLiquidity | LimitExceeded | Paused


def brings_nothing(sell: TokenAmount) -> NoLiquidity:
    return NoLiquidity(f"brings nothing for {sell.raw} raw {sell.token.symbol}")


class PoolState(Protocol):
    """A pool at one block. Pure, and exact to the wei against the contract at that block."""

    @property
    def pool(self) -> Pool: ...

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        """What selling exactly `sell` brings, fee and impact included."""
        ...

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        """The least that must be sold to receive at least `buy`."""
        ...

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """{buy raw / sell raw} for the first unit, fee included."""
        ...

    def side(self, sell: Token, buy: Token) -> Side | NoQuote:
        """The same in plain numbers, for routing."""
        ...

    def after(self, sell: TokenAmount, buy: Token) -> PoolState | NoQuote:
        """The pool once exactly this swap is done, in the same block: its quotes are those of the next call. NoQuote
        where the swap brings nothing, or where what the pool will be cannot be told from what was read."""
        ...


# --- one direction of it --------------------------------------------------------------------------------------------


Curve = tuple[float, float, float]
"""(x, y, g): selling d brings g·d·y/(x + g·d), whatever d is. A constant product with the share kept g."""


class Side(Protocol):
    """Selling one token of a pool for another at one block; amounts are raw units. Floats only steer a search: what a
    trade brings is what `out` says, exact to the wei."""

    @property
    def most(self) -> int:
        """{sell raw} Beyond this there is no quote."""
        ...

    @property
    def curve(self) -> Curve | None:
        """Where all of this side is one constant product."""
        ...

    def out(self, sold: int) -> int | NoQuote: ...

    def slope(self, sold: float) -> float:
        """{buy raw / sell raw} of the next unit once `sold` is sold, fee included; 0 where no more can be sold."""
        ...

    def sold_at(self, slope: float) -> float:
        """{sell raw} How much is sold when the next unit brings only `slope`; 0 where the first brings less."""
        ...
