"""Amounts that refuse to mix.

Money is an int of base units, a ratio is a Fraction, and every amount knows its token: adding WETH to USDC, or
wei to ether, is a TypeError rather than a trade that is 10^12 times too large.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import NewType

Address = NewType("Address", str)
"""A checksummed 20-byte address (EIP-55)."""

Wei = NewType("Wei", int)
"""Base units of the chain's native coin; also fees per unit of gas."""

Bps = NewType("Bps", int)
"""Hundredths of a per cent. 10,000 bps is the whole."""

WHOLE_BPS = 10_000

NATIVE = Address("0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE")
"""Stands for the chain's native coin where an address is asked for (the convention of ERC-7528)."""


class Rounding(Enum):
    DOWN = "down"
    UP = "up"


def ratio_to_int(ratio: Fraction, rounding: Rounding) -> int:
    """The integer next to `ratio`, towards minus infinity (DOWN) or plus infinity (UP)."""
    return _quotient(ratio.numerator, ratio.denominator, rounding)


def _quotient(numerator: int, denominator: int, rounding: Rounding) -> int:
    return numerator // denominator if rounding is Rounding.DOWN else -(-numerator // denominator)


@dataclass(frozen=True, slots=True)
class Token:
    """An ERC-20 token, the native coin (address NATIVE), or a unit of account (chain 0).

    Identity is chain and address; symbol and decimals are what the chain says of it.
    """

    chain_id: int
    address: Address
    symbol: str = field(compare=False)
    decimals: int = field(compare=False)

    @property
    def is_native(self) -> bool:
        return self.address == NATIVE

    def __repr__(self) -> str:
        return self.symbol


USD = Token(0, Address("USD"), "USD", 18)
"""The numeraire. 18 decimals, so that no price of any feed is rounded on the way in."""


@dataclass(frozen=True, slots=True)
class TokenAmount:
    """`raw` base units of `token`. May be negative where it is a difference."""

    token: Token
    raw: int

    def __post_init__(self) -> None:
        if type(self.raw) is not int:
            raise TypeError(f"raw amount of {self.token.symbol}: expected int, was {type(self.raw).__name__}")

    @classmethod
    def zero(cls, token: Token) -> TokenAmount:
        return cls(token, 0)

    @classmethod
    def from_whole(cls, token: Token, whole: Fraction | int | str) -> TokenAmount:
        """Exact: raises ValueError where `whole` has more decimals than the token."""
        raw = Fraction(whole) * 10**token.decimals
        if raw.denominator != 1:
            raise ValueError(f"{whole} {token.symbol} has more than {token.decimals} decimals")
        return cls(token, raw.numerator)

    @property
    def whole(self) -> Fraction:
        return Fraction(self.raw, 10**self.token.decimals)

    def times(self, ratio: Fraction | int, rounding: Rounding) -> TokenAmount:
        return TokenAmount(self.token, _quotient(self.raw * ratio.numerator, ratio.denominator, rounding))

    def _other(self, other: TokenAmount) -> int:
        if not isinstance(other, TokenAmount):
            raise TypeError(f"{self.token.symbol} amount with {type(other).__name__}")
        if other.token != self.token:
            raise TypeError(f"{self.token.symbol} with {other.token.symbol}")
        return other.raw

    def __add__(self, other: TokenAmount) -> TokenAmount:
        return TokenAmount(self.token, self.raw + self._other(other))

    def __sub__(self, other: TokenAmount) -> TokenAmount:
        return TokenAmount(self.token, self.raw - self._other(other))

    def __neg__(self) -> TokenAmount:
        return TokenAmount(self.token, -self.raw)

    def __abs__(self) -> TokenAmount:
        return TokenAmount(self.token, abs(self.raw))

    def __lt__(self, other: TokenAmount) -> bool:
        return self.raw < self._other(other)

    def __le__(self, other: TokenAmount) -> bool:
        return self.raw <= self._other(other)

    def __gt__(self, other: TokenAmount) -> bool:
        return self.raw > self._other(other)

    def __ge__(self, other: TokenAmount) -> bool:
        return self.raw >= self._other(other)

    def __bool__(self) -> bool:
        return self.raw != 0

    def over(self, other: TokenAmount) -> Fraction:
        """This amount as a ratio of another one of the same token. Raises ZeroDivisionError on an empty one."""
        return Fraction(self.raw, self._other(other))


@dataclass(frozen=True, slots=True)
class Price:
    """`ratio` whole units of `quote` for one whole unit of `base`."""

    base: Token
    quote: Token
    ratio: Fraction

    def value(self, amount: TokenAmount, rounding: Rounding = Rounding.DOWN) -> TokenAmount:
        """What `amount` of base is worth in quote."""
        if amount.token != self.base:
            raise TypeError(f"price of {self.base.symbol} applied to {amount.token.symbol}")
        # {quote raw} = {base raw} * {quote whole / base whole} * {quote raw / quote whole} / {base raw / base whole}
        above = amount.raw * self.ratio.numerator * 10**self.quote.decimals
        below = self.ratio.denominator * 10**self.base.decimals
        return TokenAmount(self.quote, _quotient(above, below, rounding))

    def amount(self, value: TokenAmount, rounding: Rounding = Rounding.DOWN) -> TokenAmount:
        """How much of base is worth `value` of quote."""
        return self.inverse().value(value, rounding)

    def inverse(self) -> Price:
        return Price(self.quote, self.base, 1 / self.ratio)

    def times(self, other: Price) -> Price:
        """wstETH/ETH times ETH/USD is wstETH/USD."""
        if self.quote != other.base:
            raise TypeError(f"{self.base.symbol}/{self.quote.symbol} times {other.base.symbol}/{other.quote.symbol}")
        return Price(self.base, other.quote, self.ratio * other.ratio)


def disagreement_bps(a: Fraction, b: Fraction) -> Fraction:
    """Distance between two positive figures, in bps of the smaller one."""
    low, high = min(a, b), max(a, b)
    return (high / low - 1) * WHOLE_BPS
