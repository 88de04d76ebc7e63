from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.schedule import Cron, Every, EveryBlocks, Window, next_look

ZURICH, NEW_YORK, UTC = "Europe/Zurich", "America/New_York", "UTC"


def at(text: str, zone: str = UTC, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


def shown(moment: int, zone: str = UTC) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %z")


# --- intervals ---


@pytest.mark.parametrize(
    ("last", "now", "due"), [(None, 5, True), (100, 399, False), (100, 400, True), (100, 9999, True), (100, 99, True)]
)
def test_every__time_since_the_last_look__decides(last: int | None, now: int, due: bool) -> None:
    assert Every(300).is_due(last, None, now, 0) == due


def test_every__next_look__is_an_interval_away() -> None:
    assert Every(300).next_at(1000) == 1300


@pytest.mark.parametrize(
    ("last", "block", "due"), [(None, 5, True), (100, 102, False), (100, 103, True), (100, 900, True), (100, 99, True)]
)
def test_every_blocks__blocks_since_the_last_look__decide(last: int | None, block: int, due: bool) -> None:
    assert EveryBlocks(3).is_due(0, last, 0, block) == due


def test_every_blocks__next_look__is_foretold_from_the_block_time() -> None:
    assert EveryBlocks(3, block_time=2.0).next_at(1000) == 1006
    assert EveryBlocks(1, block_time=0.25).next_at(1000) == 1001


@pytest.mark.fault("C8")
@pytest.mark.parametrize("make", [lambda: Every(0), lambda: Every(-5), lambda: EveryBlocks(0)])
def test_interval__not_positive__is_refused(make: object) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        make()  # type: ignore[operator]


# --- cron ---

TABLE = [
    # expression, zone, after, the moments that follow
    ("* * * * *", UTC, "2026-11-20 10:00:30", ["2026-11-20 10:01", "2026-11-20 10:02"]),
    ("*/15 * * * *", UTC, "2026-11-20 10:00", ["2026-11-20 10:15", "2026-11-20 10:30"]),
    ("5-59/20 8 * * *", UTC, "2026-11-20 08:05", ["2026-11-20 08:25", "2026-11-20 08:45", "2026-11-21 08:05"]),
    ("0 9,17 * * *", UTC, "2026-11-20 10:00", ["2026-11-20 17:00", "2026-11-21 09:00"]),
    # Sunday is 0 and 7 and sun; Monday is 1 (a parser that counts from Monday = 0 would answer a Tuesday)
    ("0 8 * * 0", UTC, "2026-11-20 10:00", ["2026-11-22 08:00"]),
    ("0 8 * * 7", UTC, "2026-11-20 10:00", ["2026-11-22 08:00"]),
    ("0 8 * * sun", UTC, "2026-11-20 10:00", ["2026-11-22 08:00"]),
    ("0 8 * * 1", UTC, "2026-11-20 10:00", ["2026-11-23 08:00"]),
    ("0 8 * * mon-fri", UTC, "2026-11-20 10:00", ["2026-11-23 08:00", "2026-11-24 08:00"]),
    ("0 8 * * 6-7", UTC, "2026-11-20 10:00", ["2026-11-21 08:00", "2026-11-22 08:00", "2026-11-28 08:00"]),
    ("0 8 * * Sat-Sun", UTC, "2026-11-20 10:00", ["2026-11-21 08:00", "2026-11-22 08:00", "2026-11-28 08:00"]),
    # day of month OR day of week, as crontab(5) says, where both are given; AND where one is a star
    ("0 8 1 * 1", UTC, "2026-11-20 10:00", ["2026-11-23 08:00", "2026-11-30 08:00", "2026-12-01 08:00"]),
    ("0 8 1 * *", UTC, "2026-11-20 10:00", ["2026-12-01 08:00", "2027-01-01 08:00"]),
    ("0 0 1 jan,jul *", UTC, "2026-11-20 10:00", ["2027-01-01 00:00", "2027-07-01 00:00"]),
    ("0 0 29 2 *", UTC, "2026-11-20 10:00", ["2028-02-29 00:00", "2032-02-29 00:00"]),
    # spring forward in Zurich: 29 March 2026, 02:00 -> 03:00. The skipped moment comes once, right after.
    ("30 2 * * *", ZURICH, "2026-03-28 12:00", ["2026-03-29 03:00", "2026-03-30 02:30"]),
    ("0 8 * * *", ZURICH, "2026-03-28 12:00", ["2026-03-29 08:00", "2026-03-30 08:00"]),
    # autumn back in Zurich: 25 October 2026, 03:00 -> 02:00. The repeated moment comes once.
    ("30 2 * * *", ZURICH, "2026-10-24 12:00", ["2026-10-25 02:30", "2026-10-26 02:30"]),
    # the same in New York: 8 March and 1 November 2026
    ("30 2 * * *", NEW_YORK, "2026-03-07 12:00", ["2026-03-08 03:00", "2026-03-09 02:30"]),
    ("30 1 * * *", NEW_YORK, "2026-10-31 12:00", ["2026-11-01 01:30", "2026-11-02 01:30"]),
]


@pytest.mark.parametrize(("expression", "zone", "after", "expected"), TABLE)
def test_cron__table__next_moments(expression: str, zone: str, after: str, expected: list[str]) -> None:
    cron, now, found = Cron(expression, zone), at(after, zone), []
    for _ in expected:
        now = cron.next_at(now)
        found.append(shown(now, zone)[:16])
    assert found == expected


@pytest.mark.fault("P37")
def test_cron__hourly_on_the_long_day__comes_in_both_of_the_equal_hours() -> None:
    cron, now, found = Cron("0 * * * *", ZURICH), at("2026-10-25 01:30", ZURICH), []
    for _ in range(3):
        now = cron.next_at(now)
        found.append(shown(now, ZURICH))
    assert found == ["2026-10-25 02:00 +0200", "2026-10-25 02:00 +0100", "2026-10-25 03:00 +0100"]


def test_cron__once_looked_at__is_due_at_the_next_moment_only() -> None:
    cron, last = Cron("0 8 * * *", ZURICH), at("2026-11-20 08:00:01", ZURICH)
    assert not cron.is_due(last, None, at("2026-11-21 07:59:59", ZURICH), 0)
    assert cron.is_due(last, None, at("2026-11-21 08:00", ZURICH), 0)


def test_cron__many_moments_missed__are_made_up_for_once() -> None:
    cron, now = Cron("*/5 * * * *"), at("2026-11-20 10:00")
    assert cron.is_due(now - 86_400, None, now, 0)
    assert not cron.is_due(now, None, now, 0)
    assert not cron.is_due(now, None, now + 299, 0)


def test_cron__start_between_moments__waits_for_the_next() -> None:
    cron = Cron("0 8 * * *")
    assert not cron.is_due(None, None, at("2026-11-20 12:00"), 0)
    assert cron.is_due(None, None, at("2026-11-20 08:00:30"), 0)
    assert not cron.is_due(None, None, at("2026-11-20 07:59:59"), 0)


@given(st.integers(0, 4_000_000_000), st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 8 1 * 1", "15 3 * * sun"]))
def test_cron__every_zone__the_next_moment_lies_ahead_and_is_due_then(now: int, expression: str) -> None:
    for zone in (UTC, ZURICH, NEW_YORK):
        cron = Cron(expression, zone)
        following = cron.next_at(now)
        assert following > now
        assert cron.is_due(now, None, following, 0)
        assert not cron.is_due(now, None, following - 1, 0)
        assert not cron.is_due(following, None, following, 0)


@pytest.mark.parametrize(
    ("expression", "zone", "message"),
    [
        ("0 8 * *", UTC, "expected 5 fields, found 4"),
        ("0 0 8 * * *", UTC, "expected 5 fields, found 6"),
        ("60 8 * * *", UTC, "bad minute"),
        ("0 24 * * *", UTC, "bad hour"),
        ("0 8 32 * *", UTC, "bad day-of-month"),
        ("0 8 * 13 *", UTC, "bad month"),
        ("0 8 * * 8", UTC, "bad day-of-week"),
        ("*/0 8 * * *", UTC, "bad minute"),
        ("0 8 31 2 *", UTC, "bad day-of-month"),
        ("0 8 * * *", "Europe/Zürich", "expected a name like Europe/Zurich"),
        ("0 8 * * *", "../etc/passwd", "expected a name like Europe/Zurich"),
    ],
)
def test_cron__impossible__is_refused_with_the_field(expression: str, zone: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cron(expression, zone)


# --- act windows ---


@pytest.mark.parametrize(
    ("text", "now", "is_open"),
    [
        ("Mon-Fri 08:00-20:00", "2026-11-20 08:00", True),  # a Friday
        ("Mon-Fri 08:00-20:00", "2026-11-20 07:59:59", False),
        ("Mon-Fri 08:00-20:00", "2026-11-20 19:59:59", True),
        ("Mon-Fri 08:00-20:00", "2026-11-20 20:00", False),
        ("Mon-Fri 08:00-20:00", "2026-11-21 12:00", False),
        ("Sat,Sun 10:00-12:00", "2026-11-21 11:00", True),
        ("Sat-Mon 10:00-12:00", "2026-11-23 11:00", True),
        ("08:00-24:00", "2026-11-22 23:59", True),
        ("Fri 22:00-06:00", "2026-11-20 23:00", True),
        ("Fri 22:00-06:00", "2026-11-21 05:59", True),
        ("Fri 22:00-06:00", "2026-11-21 06:00", False),
        ("Fri 22:00-06:00", "2026-11-20 05:00", False),
        # the wall clock counts on the days when it changes
        ("Sun 03:00-04:00", "2026-03-29 03:00", True),
        ("Sun 08:00-20:00", "2026-10-25 08:00", True),
        ("Sun 08:00-20:00", "2026-10-25 07:59", False),
    ],
)
def test_window__wall_clock_in_its_zone__decides(text: str, now: str, is_open: bool) -> None:
    window = Window(text, ZURICH)
    assert window.is_open(at(now, ZURICH)) == is_open
    assert (window.outside(at(now, ZURICH)) == "") == is_open


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-11-20 20:30", "08:00 Monday"),
        ("2026-11-20 07:30", "08:00 Friday"),
        ("2026-11-22 12:00", "08:00 Monday"),
        ("2026-03-28 12:00", "08:00 Monday"),
    ],
)
def test_window__closed__says_when_it_opens(now: str, opening: str) -> None:
    window = Window("Mon-Fri 08:00-20:00", ZURICH)
    expected = f"outside its act window (Mon-Fri 08:00-20:00 Europe/Zurich), next {opening}"
    assert window.outside(at(now, ZURICH)) == expected


@given(st.integers(1_700_000_000, 1_900_000_000))
def test_window__next_opening__is_ahead_and_open(now: int) -> None:
    for text in ("Mon-Fri 08:00-20:00", "Sun 22:00-06:00", "12:00-12:30"):
        window = Window(text, NEW_YORK)
        opening = window.next_opening(now)
        assert now < opening <= now + 8 * 86_400
        assert window.is_open(opening)
        assert not window.is_open(opening - 1)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Mon-Fri", UTC),
        ("Mon-Fri 8-20", UTC),
        ("Mon-Fri 08:00-08:00", UTC),
        ("Mon-Fri 08:00-25:00", UTC),
        ("Mon-Fri 08:61-09:00", UTC),
        ("Mon-Tue-Fri 08:00-09:00", UTC),
        ("Mon to Fri 08:00-09:00", UTC),
        ("Fre 08:00-09:00", UTC),
        ("", UTC),
        ("Mon-Fri 08:00-20:00", "Mars/Olympus"),
    ],
)
def test_window__not_one__is_refused(text: str, zone: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Window(text, zone)


def test_next_look__several_schedules__is_the_first_of_them() -> None:
    now = at("2026-11-20 07:59")
    assert next_look([Every(300), Cron("0 8 * * *")], now) == at("2026-11-20 08:00")
    assert next_look([], now) is None
