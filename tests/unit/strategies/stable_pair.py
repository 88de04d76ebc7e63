"""A two-coin StableSwap pool in integers, for tests: `4A(x + y) + D = 4AD + D³/(4xy)`, and a fee on what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.pools import NoQuote, Pool, Side
from keeper.core.sides import Searched
from keeper.core.units import Token, TokenAmount
from tests.builders import V2_ROUTER, address


def invariant(x: int, y: int, amplification: int) -> int:
    """D, by Newton's steps to a difference of 1; `amplification` is A, so that A·n = 2A multiplies the sum."""
    ann, total = 2 * amplification, x + y
    d = total
    while True:
        product = d**3 // (4 * x * y)
        before, d = d, (ann * total + 2 * product) * d // ((ann - 1) * d + 3 * product)
        if abs(d - before) <= 1:
            return d


def other_balance(x: int, d: int, amplification: int) -> int:
    """y that belongs to x, rounded up."""
    ann = 2 * amplification
    c, b, y = d**3 // (4 * x * ann), x + d // ann, d
    while True:
        before, y = y, (y * y + c) // (2 * y + b - d)
        if abs(y - before) <= 1:
            return y + 1


@dataclass(frozen=True, slots=True)
class StablePair:
    """Both coins of 18 decimals."""

    pool: Pool
    balances: Mapping[Token, int]
    amplification: int

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        x, y = self.balances[sell.token], self.balances[buy]
        d = invariant(x, y, self.amplification)
        out = y - other_balance(x + sell.raw, d, self.amplification)
        return TokenAmount(buy, int(max(out, 0) * (1 - self.pool.fee)))

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        raise NotImplementedError("no test buys exactly so much")

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """-dy/dx of the invariant."""
        x, y = self.balances[sell], self.balances[buy]
        ann, d = 2 * self.amplification, invariant(x, y, self.amplification)
        slope = (ann + Fraction(d**3, 4 * x * x * y)) / (ann + Fraction(d**3, 4 * x * y * y))
        return slope * (1 - self.pool.fee)

    def after(self, sell: TokenAmount, buy: Token) -> StablePair | NoQuote:
        raise NotImplementedError("no test swaps twice")

    def side(self, sell: Token, buy: Token) -> Side | NoQuote:
        return Searched(self, sell, buy)


def stable_pair(
    one: TokenAmount, other: TokenAmount, amplification: int = 100, fee: Fraction = Fraction(0)
) -> StablePair:
    pool = Pool(31337, "stable", address(0xC0), (one.token, other.token), fee, address(0xFAC), V2_ROUTER)
    return StablePair(pool, {one.token: one.raw, other.token: other.raw}, amplification)
