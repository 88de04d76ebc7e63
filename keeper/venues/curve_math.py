"""The StableSwap invariant in the integers of Curve's contracts, rounding for rounding.

    Ann·Σx + D = Ann·D + D^(n+1) / (n^n·Πx),    Ann = A·n

`A` is what the contracts call so: the white paper's A times n^(n-1). Balances `xp` are in units of 18 decimals (raw
amount times rate). `ann` is Ann times `scale`: 1 in the first pools, 100 (A_PRECISION) since 2020.

Every function raises ArithmeticError where the contract reverts: a division by zero, a product beyond 256 bits, no
convergence.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

PRECISION = 10**18
"""Of rates and of `xp`."""
FEE_UNIT = 10**10
"""The whole, where a fee or its multiplier is told."""
_ROUNDS = 255
_MOST = (1 << 256) - 1
_HALF = 127
"""{bits} A number below 2**127 has a square that leaves room for another summand of 255 bits."""


class Product(StrEnum):
    """How a contract divides D^(n+1) by n^n·Πx: three generations round it in three ways."""

    EACH = "each"
    """By x·n, balance after balance: 3pool, its template, metapools, factory pools of three and four coins."""
    EACH_PLUS = "each_plus"
    """By x·n + 1: the first pools."""
    WHOLE = "whole"
    """By x, balance after balance, then by n^n: factory pools of two coins, stableswap-ng."""


def get_d(xp: Sequence[int], ann: int, scale: int, product: Product) -> int:
    """D by Newton's method from Σx, until a step is at most 1. 0 for an empty pool."""
    n, total = len(xp), sum(xp)
    if not total:
        return 0
    d = total
    for _ in range(_ROUNDS):
        share = last_term(xp, d, product)
        over = _fits((ann * total // scale + share * n) * d)
        before, d = d, over // ((ann - scale) * d // scale + (n + 1) * share)
        if -1 <= d - before <= 1:
            return d
    # Some balances send D to and fro by 2 for ever. The first pools take what the last round left; all others revert.
    if scale > 1:
        raise ArithmeticError("D does not converge")
    return d


def last_term(xp: Sequence[int], d: int, product: Product) -> int:
    """D^(n+1) / (n^n·Πx)"""
    n, share = len(xp), d
    whole: int = n**n
    if product is Product.WHOLE:
        for x in xp:
            share = _fits(share * d) // x
        return share // whole
    more = 1 if product is Product.EACH_PLUS else 0
    for x in xp:
        share = _fits(share * d) // (x * n + more)
    return share


def get_y(xp: Sequence[int], i: int, j: int, x: int, ann: int, scale: int, d: int) -> int:
    """The balance of coin j once that of coin i is `x`, all others and D as they are."""
    n = len(xp)
    total, c = 0, d
    # One after another in the pool's order: every quotient is cut, so the order shows.
    for k in range(n):
        if k != j:
            held = x if k == i else xp[k]
            total += held
            c *= d
            if c > _MOST:
                raise ArithmeticError("a product leaves 256 bits")
            c //= held * n
    return _solve(_fits(c * d * scale) // (ann * n), total + d * scale // ann, d)


def get_y_d(xp: Sequence[int], i: int, ann: int, scale: int, d: int) -> int:
    """The balance of coin i that gives this D, all others as they are."""
    n = len(xp)
    total, c = 0, d
    for k in range(n):
        if k != i:
            total += xp[k]
            c = _fits(c * d) // (xp[k] * n)
    return _solve(_fits(c * d * scale) // (ann * n), total + d * scale // ann, d)


def _solve(c: int, b: int, d: int) -> int:
    """y of `y² + (b - D)·y = c` by Newton's method from D, until a step is at most 1."""
    # The start may lie below the root: then the first step is the longest, and from there on it only falls.
    b -= d
    y = (d * d + c) // (2 * d + b)
    if c > _MOST // 2 or y >> _HALF or d >> _HALF:
        raise ArithmeticError("a square leaves 256 bits")
    if -1 <= y - d <= 1:
        return y
    for _ in range(_ROUNDS - 1):
        before = y
        y = (y * y + c) // (2 * y + b)
        if -1 <= y - before <= 1:
            return y
    raise ArithmeticError("y does not converge")


def dynamic_fee(at_i: int, at_j: int, fee: int, offpeg: int) -> int:
    """{of FEE_UNIT} The fee between two balances: `fee` where they are equal, towards `fee` · `offpeg` where they are
    far apart. `offpeg` of at most FEE_UNIT turns it off."""
    if offpeg <= FEE_UNIT:
        return fee
    near = (offpeg - FEE_UNIT) * 4 * at_i * at_j // (at_i + at_j) ** 2
    return offpeg * fee // (near + FEE_UNIT)


def _fits(number: int) -> int:
    if number > _MOST:
        raise ArithmeticError("a product leaves 256 bits")
    return number
