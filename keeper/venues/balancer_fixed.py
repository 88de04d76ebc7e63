"""Balancer's fixed point: 18 decimals, products and quotients rounded one way or the other.

Every function raises ArithmeticError where the contract would revert.
"""

from __future__ import annotations

ONE = 10**18
MAX_UINT256 = (1 << 256) - 1


def checked(figure: int) -> int:
    """The same figure, where a word of 256 bits holds it."""
    if figure > MAX_UINT256:
        raise ArithmeticError("the pool's arithmetic overflows 256 bits")
    return figure


def minus(a: int, b: int) -> int:
    """Unsigned difference."""
    if b > a:
        raise ArithmeticError("the pool's arithmetic falls below 0")
    return a - b


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def mul_down(a: int, b: int) -> int:
    return checked(a * b) // ONE


def mul_up(a: int, b: int) -> int:
    return -(-checked(a * b) // ONE)


def div_down(a: int, b: int) -> int:
    return checked(a * ONE) // b


def div_up(a: int, b: int) -> int:
    return -(-checked(a * ONE) // b)


def less_fee(amount: int, fee: int) -> int:
    """What is left to trade of an amount in; the fee is rounded up."""
    return amount - mul_up(amount, fee)


def plus_fee(amount: int, fee: int) -> int:
    """The amount in of which `amount` is left to trade, rounded up."""
    return div_up(amount, ONE - fee)


def most_in(kept: int, fee: int) -> int:
    """The largest amount in of which no more than `kept` is left to trade."""
    # 1 raw of fee may be rounded up, so that the amount found is at most one short.
    amount = kept * ONE // (ONE - fee)
    while less_fee(amount + 1, fee) <= kept:
        amount += 1
    return amount
