from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from keeper.backtest.prices import exact, read_csv
from keeper.core.errors import ConfigError

HEAD = "time,WETH,USDC\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "prices.csv"
    path.write_text(text)
    return path


def test_read_csv__unix_seconds__gives_prices_of_the_symbols_in_their_order(tmp_path: Path) -> None:
    file = written(tmp_path, "USDC,note,time,WETH\n1,a,300,2000.5\n1.0001,b,600,2001\n0.9999,,900,1999\n")
    prices = read_csv(file, ["WETH", "USDC"])
    assert list(prices.times) == [300, 600, 900]
    assert prices.rows[0] == (2000.5, 1.0)
    assert (prices.step, prices.seconds, prices.source) == (300, 600, "prices.csv")


def test_read_csv__iso_times_of_any_one_zone__are_the_same_moments(tmp_path: Path) -> None:
    zulu = read_csv(written(tmp_path, HEAD + "2026-01-01T00:00:00Z,1,1\n2026-01-01T01:00:00Z,1,1\n"), ["WETH"])
    east = read_csv(
        written(tmp_path, HEAD + "2026-01-01 05:30:00+05:30,1,1\n2026-01-01 06:30:00+05:30,1,1\n"), ["WETH"]
    )
    bare = read_csv(written(tmp_path, HEAD + "2026-01-01 00:00,1,1\n2026-01-01 01:00,1,1\n"), ["WETH"])
    assert list(zulu.times) == list(east.times) == list(bare.times) == [1_767_225_600, 1_767_229_200]


def test_exact__price_of_a_file__is_what_was_written() -> None:
    assert exact(2000.1) == Fraction(20_001, 10)
    assert exact(1e-9) == Fraction(1, 10**9)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "prices.csv:1: header: expected a header such as time,WETH,USDC, found nothing"),
        ("date,WETH,USDC\n1,1,1\n", "1: header: expected one column each of time,WETH,USDC, found date,WETH,USDC"),
        ("time,WETH\n1,1\n", "1: header: expected one column each of time,WETH,USDC, found time,WETH"),
        ("time,WETH,WETH,USDC\n", "1: header: expected one column each of time,WETH,USDC, found 2 columns WETH"),
        (HEAD + "300,1,1\n600,1\n", "3: columns: expected 3, found 2"),
        (HEAD + "300,1,1\n600,0,1\n", "3: WETH: expected a price above 0, found 0"),
        (HEAD + "300,1,1\n600,1,-1\n", "3: USDC: expected a price above 0, found -1"),
        (HEAD + "300,1,1\n600,nan,1\n", "3: WETH: expected a price above 0, found nan"),
        (HEAD + "300,1,1\n600,,1\n", "3: WETH: expected a price above 0, found nothing"),
        (HEAD + "300,1,1\n300,1,1\n", "3: time: expected each time once, found 300 a second time"),
        (HEAD + "600,1,1\n300,1,1\n", "3: time: expected rising times, found 300 after a later one"),
        (HEAD + "300,1,1\n600,1,1\n900,1,1\n2100,1,1\n", "5: time: expected a step of at most 900 s, where most are"),
        (HEAD + "1700000000000,1,1\n", "2: time: expected Unix seconds, not a finer unit, found 1700000000000"),
        (HEAD + "yesterday,1,1\n", "2: time: expected Unix seconds or 2026-11-01T00:00:00Z, found yesterday"),
        (
            HEAD + "2026-01-01T00:00Z,1,1\n2026-01-01T02:00+01:00,1,1\n",
            "3: time: expected a time at +00:00, as in the first line, found a time at +01:00: 2026-01-01T02:00+01:00",
        ),
        (
            HEAD + "2026-01-01T00:00Z,1,1\n2026-01-01T01:00,1,1\n",
            "3: time: expected a time at +00:00, as in the first line, found a time without a zone (UTC)",
        ),
        (HEAD + "300,1,1\n2026-01-01T01:00Z,1,1\n", "3: time: expected Unix seconds, as in the first line, found"),
        (HEAD + "300,1,1\n", "rows: expected at least 2, found 1"),
    ],
)
def test_read_csv__bad_file__is_refused_in_one_line_with_its_number(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_csv(written(tmp_path, text), ["WETH", "USDC"])
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


def test_read_csv__gap_that_is_allowed__is_read(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD + "300,1,1\n600,1,1\n900,1,1\n2100,1,1\n")
    assert len(read_csv(file, ["WETH"], max_gap=1_200).rows) == 4


def test_read_csv__no_such_file_or_no_text__is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a CSV file, found none at"):
        read_csv(tmp_path / "none.csv", ["WETH"])
    file = tmp_path / "bytes.csv"
    file.write_bytes(b"\xff\xfe\x00time")
    with pytest.raises(ConfigError, match="expected a CSV file in UTF-8"):
        read_csv(file, ["WETH"])
