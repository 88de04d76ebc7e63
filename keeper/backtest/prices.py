"""A price history: a CSV with a column `time` and one for each token, in USD for one whole token.

Times are Unix seconds or ISO 8601, all of one kind and one zone, rising, without holes. Columns that are not asked for
are left aside. Nothing is filled in, and nothing is fetched.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from keeper.core.errors import ConfigError

HOLE = 3
"""A step that is longer than so many usual ones is a hole: the vault would be tested on days that never were."""
LEAST = 2
_FORM = "a header such as time,WETH,USDC"


@dataclass(frozen=True, slots=True)
class Prices:
    """`rows[i]` are the prices of `symbols` in USD at `times[i]` (Unix seconds)."""

    symbols: tuple[str, ...]
    times: Sequence[int]
    rows: Sequence[tuple[float, ...]]
    source: str

    @property
    def step(self) -> int:
        """{s} The usual one."""
        return Counter(later - earlier for earlier, later in pairwise(self.times)).most_common(1)[0][0]

    @property
    def seconds(self) -> int:
        return self.times[-1] - self.times[0]


def exact(price: float) -> Fraction:
    """The price as it was written: the shortest decimal that means this float."""
    return Fraction(repr(price))


def read_csv(path: Path, symbols: Sequence[str], max_gap: int | None = None) -> Prices:
    """Raises ConfigError with file and line. `max_gap` {s} allows longer holes than HOLE usual steps."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read(path, list(csv.reader(file)), symbols, max_gap)
    except FileNotFoundError:
        raise ConfigError("command", "--prices", "a CSV file", f"none at {path}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(str(path), "file", "a CSV file in UTF-8", str(error)) from None


def from_table(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], symbols: Sequence[str], max_gap: int | None
) -> Prices:
    """The same rules for what another kind of file held, as text."""
    return _read(path, [list(header), *(list(row) for row in rows)], symbols, max_gap)


def _read(path: Path, lines: Sequence[Sequence[str]], symbols: Sequence[str], max_gap: int | None) -> Prices:
    if not lines or not any(lines[0]):
        raise ConfigError(f"{path}:1", "header", _FORM, "nothing")
    places = _places(path, [name.strip() for name in lines[0]], symbols)
    times: list[int] = []
    rows: list[tuple[float, ...]] = []
    kind = ""
    for number, cells in enumerate(lines[1:], start=2):
        where = f"{path}:{number}"
        if len(cells) != len(lines[0]):
            raise ConfigError(where, "columns", str(len(lines[0])), str(len(cells)))
        at, found = _moment(where, cells[places[0]].strip())
        kind = kind or found
        if found != kind:
            raise ConfigError(where, "time", f"{kind}, as in the first line", f"{found}: {cells[places[0]].strip()}")
        _check_order(where, times, at, cells[places[0]].strip())
        times.append(at)
        rows.append(tuple(_price(where, s, cells[p].strip()) for s, p in zip(symbols, places[1:], strict=True)))
    if len(rows) < LEAST:
        raise ConfigError(str(path), "rows", f"at least {LEAST}", str(len(rows)))
    prices = Prices(tuple(symbols), times, rows, path.name)
    _check_holes(path, prices, max_gap)
    return prices


def _places(path: Path, header: Sequence[str], symbols: Sequence[str]) -> list[int]:
    """Where time and each symbol stand."""
    where = f"{path}:1"
    for name in ("time", *symbols):
        if header.count(name) != 1:
            wanted = ",".join(("time", *symbols))
            found = ",".join(header) if not header.count(name) else f"{header.count(name)} columns {name}"
            raise ConfigError(where, "header", f"one column each of {wanted}", found)
    return [header.index(name) for name in ("time", *symbols)]


def _moment(where: str, text: str) -> tuple[int, str]:
    """Unix seconds, and how they are written."""
    if text.isdecimal():
        if len(text) > 11:
            raise ConfigError(where, "time", "Unix seconds, not a finer unit", text)
        return int(text), "Unix seconds"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(where, "time", "Unix seconds or 2026-11-01T00:00:00Z", text or "nothing") from None
    if found.tzinfo is None:
        return int(found.replace(tzinfo=UTC).timestamp()), "a time without a zone (UTC)"
    offset = found.utcoffset()
    hours = int(offset.total_seconds()) // 60 if offset else 0
    sign = "-" if hours < 0 else "+"
    return int(found.timestamp()), f"a time at {sign}{abs(hours) // 60:02d}:{abs(hours) % 60:02d}"


def _check_order(where: str, times: Sequence[int], at: int, text: str) -> None:
    if times and at == times[-1]:
        raise ConfigError(where, "time", "each time once", f"{text} a second time")
    if times and at < times[-1]:
        raise ConfigError(where, "time", "rising times", f"{text} after a later one")


def _price(where: str, symbol: str, text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        raise ConfigError(where, symbol, "a price above 0", text or "nothing") from None
    if not (math.isfinite(price) and price > 0):
        raise ConfigError(where, symbol, "a price above 0", text)
    return price


def _check_holes(path: Path, prices: Prices, max_gap: int | None) -> None:
    usual = prices.step
    most = max_gap if max_gap is not None else HOLE * usual
    for number, (earlier, later) in enumerate(pairwise(prices.times), start=3):
        if later - earlier > most:
            expected = f"a step of at most {most} s, where most are {usual} s"
            raise ConfigError(f"{path}:{number}", "time", expected, f"a gap of {later - earlier} s (see --max-gap)")
