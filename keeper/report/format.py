"""Figures as people read them, and as machines keep them. No float anywhere: what is exact stays exact."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction

from keeper.core import text as core

MINUS = "−"
DIGITS = 36
"""Significant digits kept of a ratio that has no finite decimal form: 18 each side of the point of any price."""
_RATIOS = Context(prec=DIGITS, Emin=-999_999, Emax=999_999)

_AGES = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


# --- for machines ----------------------------------------------------------------------------------------------------


def exact(raw: int, decimals: int) -> str:
    """Base units as whole ones, every digit of them and no zeros at the end."""
    digits = f"{abs(raw):0{decimals + 1}d}"
    point = len(digits) - decimals
    text = f"{digits[:point]}.{digits[point:]}".rstrip("0").rstrip(".")
    return f"-{text}" if raw < 0 else text


def decimal(value: Fraction) -> str:
    """A ratio as a decimal: exact where that takes at most DIGITS significant digits, else rounded to so many."""
    return f"{_RATIOS.divide(Decimal(value.numerator), Decimal(value.denominator)):f}"


def utc(at: int) -> str:
    """`2026-11-20T03:12:05Z`, from Unix seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- for people ------------------------------------------------------------------------------------------------------


def rounded(value: Fraction | int, places: int, *, plus: bool = False) -> str:
    """`1,234.50`, with a typographic minus and never `−0.00`; `plus` signs gains too."""
    return core.decimal(value, places, plus)


trimmed = core.trimmed
percent = core.percent


def amount(value: Fraction, places: int) -> str:
    """Like `rounded`, but something small is never shown as nothing: it keeps two significant digits."""
    while value and abs(value) * 10**places < Fraction(1, 2) and places < DIGITS:
        places += 1
        if abs(value) * 10**places >= Fraction(1, 2):
            places += 1
    return rounded(value, places)


def places_for(price: Fraction | None, decimals: int) -> int:
    """Decimals that matter of a token at this price: a dearer one has more. At most what the token has."""
    if price is None:
        return min(decimals, 4)
    return min(decimals, max(2, len(str(int(price)))))


def usd(value: Fraction, places: int = 2) -> str:
    """`$47,017.20`, `−$1.20`."""
    text = amount(abs(value), places)
    return f"{MINUS}${text}" if value < 0 and text.strip("0.,") else f"${text}"


def price(value: Fraction) -> str:
    """`$3,120.00`, `$1.0000`, `$0.00001234`: at least four significant digits."""
    if value >= 10:
        return f"${rounded(value, 2)}"
    places = 4
    while value and value * 10**places < 1_000 and places < DIGITS:
        places += 1
    return f"${rounded(value, places)}"


def short_percent(bps: Fraction | int) -> str:
    """`60 %`, `33.3 %`, from bps of the whole."""
    return f"{trimmed(Fraction(bps) / 100)} %"


def pp(bps: Fraction | int) -> str:
    """Signed percentage points: `+4.35pp`."""
    return f"{rounded(Fraction(bps) / 100, 2, plus=True)}pp"


def band(bps: Fraction | int) -> str:
    """`±4pp`."""
    return f"±{trimmed(Fraction(bps) / 100)}pp"


def age(seconds: int) -> str:
    """The largest unit that fits, rounded down: `4m`, `2h`, `41d`."""
    for length, unit in _AGES:
        if abs(seconds) >= length:
            return f"{seconds // length if seconds >= 0 else -(-seconds // length)}{unit}"
    return "0s"


def clock(at: int, beside: int | None = None) -> str:
    """`03:12` UTC; with its date where it is not the day of `beside`."""
    moment = datetime.fromtimestamp(at, UTC)
    same_day = beside is not None and datetime.fromtimestamp(beside, UTC).date() == moment.date()
    return moment.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M")


def moment(at: int) -> str:
    """`2026-11-20 03:12:05 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def short(address: str) -> str:
    """`0xd0b5…F224`; anything short stays as it is."""
    return f"{address[:6]}…{address[-4:]}" if len(address) > 14 else address


def count(number: int, noun: str) -> str:
    """`1 cycle`, `4 cycles`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
