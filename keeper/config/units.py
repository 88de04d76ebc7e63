"""Figures as people write them, parsed exactly: text in, int or Fraction out. No floats, no scientific notation.

Every parser raises ValueError whose text says what was expected; what was found is added by whoever knows the place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.units import USD, WHOLE_BPS, TokenAmount, Wei

DAY = 86_400

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)(?:\.[0-9]+)?", re.ASCII)
_MEASURE = re.compile(r"(?P<figure>-?[0-9][0-9_.]*)\s*(?P<unit>[A-Za-z%].*)", re.ASCII)
_DURATION = re.compile(r"(?:[1-9][0-9]{0,8}(?:d|h|ms|m|s))+", re.ASCII)
_PART = re.compile(r"([0-9]+)(d|h|ms|m|s)", re.ASCII)
_BLOCKS = re.compile(r"([1-9][0-9]{0,8}) blocks?", re.ASCII)
SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9.+_-]{0,15}", re.ASCII)
AUTO = "auto"
"""Worked out by the keeper, from what it sees."""
_MILLISECONDS = {"d": DAY * 1000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_WEI = {"wei": 1, "gwei": 10**9}
_LONGEST = 80
"""Digits of a figure: more than any amount needs, and too few to be slow with."""


@dataclass(frozen=True, slots=True)
class Band:
    """Tolerated drift to either side: `bps` of the vault, or, with `of_weight`, `bps` of the asset's own target."""

    bps: int
    of_weight: bool = False

    def at(self, target: int) -> Fraction:
        """{bps} The half-width around a target weight."""
        return Fraction(self.bps * target, WHOLE_BPS) if self.of_weight else Fraction(self.bps)

    def __str__(self) -> str:
        figure = plain(Fraction(self.bps, 100))
        return f"{figure}% of weight" if self.of_weight else f"{figure}pp"


@dataclass(frozen=True, slots=True)
class Blocks:
    """A number of blocks, where a duration could stand as well."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} block{'' if self.count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Amount:
    """Whole units of a token that is known by its symbol only."""

    whole: Fraction
    symbol: str

    def raw(self, decimals: int) -> int:
        """Base units, exact. Raises ValueError where the figure has more decimals than the token."""
        raw = self.whole * Fraction(10**decimals)
        if raw.denominator != 1:
            raise ValueError(f"at most {decimals} decimals")
        return raw.numerator

    def __str__(self) -> str:
        return f"{plain(self.whole)} {self.symbol}"


@dataclass(frozen=True, slots=True)
class Rate:
    """So much within a rolling window of `seconds`: bps of the vault's value, or a count."""

    limit: int
    seconds: int
    unit: str
    """`bps` or `times`."""

    def __str__(self) -> str:
        figure = f"{plain(Fraction(self.limit, 100))}%" if self.unit == "bps" else str(self.limit)
        return f"{figure} per {duration_text(self.seconds)}"


@dataclass(frozen=True, slots=True)
class ValueRate:
    """So much value within a rolling window of `seconds`."""

    limit: TokenAmount
    seconds: int

    def __str__(self) -> str:
        return f"{plain(self.limit.whole)} {self.limit.token.symbol} per {duration_text(self.seconds)}"


@dataclass(frozen=True, slots=True)
class AmountRate:
    """So much of a token, known by its symbol only, within a rolling window of `seconds`."""

    limit: Amount
    seconds: int

    def __str__(self) -> str:
        return f"{self.limit} per {duration_text(self.seconds)}"


def decimal(text: str) -> Fraction:
    """`1500.25`, `250_000`: plain decimal digits, never negative. Raises ValueError on any other notation."""
    if len(text) > _LONGEST or not _DECIMAL.fullmatch(text):
        raise ValueError("a plain decimal number")
    return Fraction(text.replace("_", ""))


def whole(text: str) -> int:
    """`8453`. Raises ValueError on signs, fractions, leading zeros, hexadecimal and exponents."""
    figure = decimal(text)
    if figure.denominator != 1 or "." in text:
        raise ValueError("a whole number")
    return figure.numerator


def measure(text: str, expected: str) -> tuple[Fraction, str]:
    """`1500.25 USDC` -> its figure and its unit. Raises ValueError(`expected`)."""
    found = _MEASURE.fullmatch(text)
    if not found:
        raise ValueError(expected)
    try:
        return decimal(found["figure"]), found["unit"].strip()
    except ValueError:
        raise ValueError(expected) from None


def _to_bps(figure: Fraction, per_unit: int, expected: str) -> int:
    value = figure * per_unit
    if value.denominator != 1:
        raise ValueError(f"{expected}, in steps of 1 bps")
    return value.numerator


def bps(text: str) -> int:
    """`30bps`, `0.3%`."""
    expected = "bps such as 30bps or 0.3%"
    figure, unit = measure(text, expected)
    if unit not in ("bps", "%"):
        raise ValueError(expected)
    return _to_bps(figure, 100 if unit == "%" else 1, expected)


def slippage(text: str) -> int | str:
    """{bps} `30bps`, or `auto`: worked out for each trade."""
    if text == AUTO:
        return AUTO
    try:
        return bps(text)
    except ValueError as error:
        raise ValueError(f"auto, or {error}") from None


def weight(text: str) -> int:
    """{bps} `60%`, `33.34%`."""
    expected = "a share such as 60%"
    figure, unit = measure(text, expected)
    if unit != "%":
        raise ValueError(expected)
    return _to_bps(figure, 100, expected)


def band(text: str) -> Band:
    """`4pp`, `400bps`, `20% of weight`. A bare `5%` is refused: it could mean either."""
    expected = "a band such as 4pp, 400bps or 20% of weight"
    figure, unit = measure(text, expected)
    if unit == "%":
        share = plain(figure)
        raise ValueError(f"{share}pp (of the vault) or {share}% of weight (of the asset's own target)")
    if unit == "pp":
        return Band(_to_bps(figure, 100, expected))
    if unit == "bps":
        return Band(_to_bps(figure, 1, expected))
    if re.fullmatch(r"%\s+of\s+weight", unit):
        return Band(_to_bps(figure, 100, expected), of_weight=True)
    raise ValueError(expected)


def _milliseconds(text: str, expected: str) -> int:
    if not _DURATION.fullmatch(text):
        raise ValueError(expected)
    parts = _PART.findall(text)
    order = [list(_MILLISECONDS).index(unit) for _, unit in parts]
    if order != sorted(set(order)):
        raise ValueError(expected)
    return sum(int(count) * _MILLISECONDS[unit] for count, unit in parts)


def duration(text: str) -> int:
    """{s} `15m`, `1h30m`, `2d`, `0s`."""
    expected = "a duration such as 45s, 15m, 1h30m or 2d"
    if text == "0s":
        return 0
    found = _milliseconds(text, expected)
    if found % 1000:
        raise ValueError(f"{expected}, in whole seconds")
    return found // 1000


def block_time(text: str) -> Fraction:
    """{s} `12s`, `250ms`."""
    return Fraction(_milliseconds(text, "a block time such as 12s or 250ms"), 1000)


def blocks(text: str) -> Blocks:
    """`3 blocks`, `1 block`."""
    found = _BLOCKS.fullmatch(text)
    if not found:
        raise ValueError("a number of blocks such as 3 blocks")
    return Blocks(int(found[1]))


def interval(text: str) -> int | Blocks:
    """`5m` in seconds, or `3 blocks`."""
    expected = "an interval such as 5m or 3 blocks"
    try:
        return blocks(text) if text.endswith(("block", "blocks")) else duration(text)
    except ValueError:
        raise ValueError(expected) from None


def fee(text: str) -> Wei:
    """Wei per unit of gas: `40 gwei`, `0.05 gwei`. A bare number is refused: it could be either."""
    expected = "a fee with its unit, such as 40 gwei"
    figure, unit = measure(text, expected)
    if unit not in _WEI:
        raise ValueError(expected)
    found = figure * _WEI[unit]
    if found.denominator != 1:
        raise ValueError("at most 9 decimals of gwei")
    return Wei(found.numerator)


def amount(text: str) -> Amount:
    """`1500.25 USDC`, `0.05 ETH`."""
    expected = "an amount with its unit, such as 0.05 ETH"
    figure, unit = measure(text, expected)
    if not SYMBOL.fullmatch(unit):
        raise ValueError(expected)
    return Amount(figure, unit)


def usd(text: str) -> TokenAmount:
    """`250000 USD`, `250_000.50 USD`."""
    expected = "an amount of USD such as 100000 USD"
    figure, unit = measure(text, expected)
    if unit != USD.symbol:
        raise ValueError(expected)
    return TokenAmount.from_whole(USD, figure)


def _window(text: str, expected: str, most_days: int = 1) -> tuple[str, int]:
    """`25% per 24h` -> `25%` and the window, at most a day: that is how far the journal's trades look back."""
    left, per, right = text.partition(" per ")
    if not per:
        raise ValueError(expected)
    try:
        seconds = duration(right.strip())
    except ValueError:
        raise ValueError(expected) from None
    if not 60 <= seconds <= most_days * DAY:
        longest = "24h" if most_days == 1 else f"{most_days}d"
        raise ValueError(f"{expected}: a rolling window from 1m to {longest}")
    return left.strip(), seconds


def share_rate(text: str, most_days: int = 1) -> Rate:
    """`25% per 24h`."""
    expected = "a share and its window, such as 25% per 24h"
    left, seconds = _window(text, expected, most_days)
    try:
        return Rate(weight(left), seconds, "bps")
    except ValueError:
        raise ValueError(expected) from None


def long_share_rate(text: str) -> Rate:
    """`10% per 7d`, up to 30 days: as far back as samples are looked at."""
    return share_rate(text, most_days=30)


def count_rate(text: str) -> Rate:
    """`24 per 24h`."""
    expected = "a number and its window, such as 24 per 24h"
    left, seconds = _window(text, expected)
    try:
        return Rate(whole(left), seconds, "times")
    except ValueError:
        raise ValueError(expected) from None


def value_rate(text: str) -> ValueRate:
    """`250000 USD per 24h`; without a window, 24 hours are meant."""
    expected = "an amount and its window, such as 50 USD per 24h"
    left, seconds = _window(text, expected) if " per " in text else (text, DAY)
    try:
        return ValueRate(usd(left), seconds)
    except ValueError:
        raise ValueError(expected) from None


def value_a_day(text: str) -> ValueRate:
    """`200000 USD per 24h`: as `value_rate`, of a day and nothing else."""
    expected = "an amount a day, such as 200000 USD per 24h"
    try:
        rate = value_rate(text)
    except ValueError:
        raise ValueError(expected) from None
    if rate.seconds != DAY:
        raise ValueError(expected)
    return rate


def amount_rate(text: str) -> AmountRate:
    """`0.05 ETH per 24h`, `20 USD`; without a window, 24 hours are meant."""
    expected = "an amount and its window, such as 0.05 ETH per 24h"
    left, seconds = _window(text, expected) if " per " in text else (text, DAY)
    try:
        return AmountRate(amount(left), seconds)
    except ValueError:
        raise ValueError(expected) from None


def price(text: str) -> Fraction:
    """{USD per whole token} `1 USD`, `3120.50 USD`."""
    return usd(text).whole


def boolean(text: str) -> bool:
    """`true` or `false`, as YAML 1.2 has it: `NO` is a text, not a no."""
    words: Mapping[str, bool] = {"true": True, "false": False}
    if text not in words:
        raise ValueError("true or false")
    return words[text]


def plain(figure: Fraction | int) -> str:
    """A figure in decimal digits, exact. Raises ValueError where it has no end."""
    value = Fraction(figure)
    rest, places = value.denominator, 0
    while rest % 2 == 0 or rest % 5 == 0:
        rest //= 10 if rest % 10 == 0 else 2 if rest % 2 == 0 else 5
        places += 1
    if rest != 1:
        raise ValueError(f"{value} has no end in decimals")
    digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}d}"
    sign = "-" if value < 0 else ""
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".") if places else digits
    return sign + text


def duration_text(seconds: int) -> str:
    """`1h30m`: what `duration` parses back. A day is written as 24h where it stands alone, as windows are."""
    if seconds == DAY:
        return "24h"
    parts = []
    for letter, unit in (("d", DAY), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, unit)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"


def fee_text(fee: int) -> str:
    """`40 gwei`"""
    return f"{plain(Fraction(fee, 10**9))} gwei"
