"""Figures as people read them: exact rounding to the nearest digit, no floats on the way."""

from __future__ import annotations

from fractions import Fraction

from keeper.core.units import TokenAmount

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def decimal(value: Fraction | int, places: int, sign: bool = False) -> str:
    """`1234.5` to two places is `1,234.50`; halves round away from zero. `sign` also writes a plus."""
    return _quotient(*value.as_integer_ratio(), places, sign)


def _quotient(numerator: int, denominator: int, places: int, sign: bool = False) -> str:
    digits = (2 * abs(numerator) * 10**places + denominator) // (2 * denominator)
    mark = ("−" if numerator < 0 else "+" if sign else "") if digits else ""
    whole, rest = divmod(digits, 10**places)
    return f"{mark}{whole:,}" + (f".{rest:0{places}d}" if places else "")


def trimmed(value: Fraction | int, places: int = 2, sign: bool = False) -> str:
    """As `decimal`, without zeros at the end: `4`, `4.35`."""
    text = decimal(value, places, sign)
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(value: TokenAmount) -> str:
    """`15.0696 WETH`, `46,989.46 USDC`: six digits that count and two decimals, as far as the token has them."""
    most = value.token.decimals
    wanted = max(2, 6 + most - len(str(abs(value.raw)))) if value.raw else 2
    return f"{_quotient(value.raw, 10**most, min(most, wanted))} {value.token.symbol}"


def short(address: str) -> str:
    """`0x6c56…4171`"""
    return f"{address[:6]}…{address[-4:]}"


def usd(value: TokenAmount) -> str:
    """`$47,017.20`"""
    text = _quotient(abs(value.raw), 10**value.token.decimals, 2)
    return f"−${text}" if value.raw < 0 else f"${text}"


def percent(bps: Fraction | int) -> str:
    """A share in bps as `64.35 %`."""
    return f"{decimal(Fraction(bps, 100), 2)} %"


def pp(bps: Fraction | int, sign: bool = False) -> str:
    """A difference of shares in bps as percentage points: `4.35pp`, with `sign` `+4.35pp`."""
    return f"{trimmed(Fraction(bps, 100), 2, sign)}pp"


def bps(value: Fraction | int) -> str:
    """`5.9 bps`, `163 bps`"""
    return f"{trimmed(value, 1)} bps"


def duration(seconds: int) -> str:
    """`45s`, `4m`, `2h 5m`, `41d`: the two largest units that are not zero."""
    if seconds < _MINUTE:
        return f"{seconds}s"
    parts = []
    for unit, letter in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (1, "s")):
        count, seconds = divmod(seconds, unit)
        if count:
            parts.append(f"{count}{letter}")
    return " ".join(parts[:2])
