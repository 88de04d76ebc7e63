"""Dates, and what a vault of weights does on them and between them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from keeper.core.chain import History, PastTrade, VaultView
from keeper.core.plan import Hold, Rebalance
from keeper.schedule import Cron
from keeper.strategies.bands import Band, Bands
from keeper.strategies.calendar import DAY, REST, Calendar, Date, every
from keeper.strategies.weights import Weights
from tests.builders import USDC, WETH, make_block, make_view, units, usd

EIGHT = 1_790_064_000
"""2026-09-22 08:00 UTC, a Tuesday."""
DAILY = Calendar(Cron("0 8 * * *").next_at, within=6 * 3_600)
TARGETS = {WETH: 6000, USDC: 4000}


def at(now: int, traded: int | None = None, seed: int = 0, weth: int = 395) -> VaultView:
    """The treasury at a time; 395 WETH are 61.24 %."""
    trades = () if traded is None else (PastTrade(traded, usd(1_000), usd(1)),)
    view = make_view([units(WETH, weth), units(USDC, 780_000)], history=History(trades, seed=seed))
    return replace(view, block=make_block(at=now))


@pytest.mark.parametrize(
    ("now", "traded", "expected"),
    [
        (EIGHT - 1, None, Date.PAST),
        (EIGHT, None, Date.DUE),
        (EIGHT + 6 * 3_600 - 1, None, Date.DUE),
        (EIGHT + 6 * 3_600, None, Date.PAST),
        (EIGHT + 60, EIGHT - 60, Date.DUE),
        (EIGHT + 900, EIGHT, Date.GOING_ON),
        (EIGHT + 900 + REST - 1, EIGHT + 900, Date.GOING_ON),
        (EIGHT + 900 + REST, EIGHT + 900, Date.PAST),
    ],
    ids=["before", "at once", "late", "missed", "traded before it", "further legs", "still", "acted on"],
)
def test_at__time_and_history__say_where_the_date_stands(now: int, traded: int | None, expected: Date) -> None:
    assert DAILY.at(at(now, traded))[0] is expected


def test_at__past__says_what_was_done_and_when_it_goes_on() -> None:
    assert DAILY.at(at(EIGHT - 1))[1] == "waiting for the calendar, about 2026-09-22 08:00 UTC"
    assert DAILY.at(at(EIGHT + 2 * REST, EIGHT))[1] == (
        "the calendar's date of 2026-09-22 08:00 UTC was acted on 2h ago, the next one is about 2026-09-23 08:00 UTC"
    )


def test_every__dates__do_not_depend_on_when_one_asks() -> None:
    week = every(7 * DAY)
    assert week(EIGHT) == week(EIGHT + 3_600)
    assert week(week(EIGHT)) == week(EIGHT) + 7 * DAY


@pytest.mark.fault("M17")
def test_jitter__a_thousand_dates__are_spread_evenly_and_alike_when_asked_again() -> None:
    """Ten bins of 100 expected: chi-square with 9 degrees of freedom is below 27.9 in 999 of 1,000 draws."""
    hidden = replace(DAILY, jitter=2 * 3_600 - 1)
    shifts = [hidden.shift(EIGHT + n * DAY, seed=7) for n in range(1_000)]
    assert shifts == [hidden.shift(EIGHT + n * DAY, seed=7) for n in range(1_000)]
    assert shifts != [hidden.shift(EIGHT + n * DAY, seed=8) for n in range(1_000)]
    bins = Counter(shift * 10 // (2 * 3_600) for shift in shifts)
    assert sum((bins[n] - 100) ** 2 / 100 for n in range(10)) < 27.9
    steps = [abs(b - a) for a, b in pairwise(shifts)]
    assert sum(steps) / len(steps) == pytest.approx(2 * 3_600 / 3, rel=0.1), "one shift says nothing of the next"


@pytest.mark.fault("M17")
def test_at__jitter__waits_for_its_own_moment() -> None:
    hidden = replace(DAILY, jitter=2 * 3_600)
    shift = hidden.shift(EIGHT, seed=7)
    assert 0 < shift < 2 * 3_600
    assert hidden.at(at(EIGHT + shift - 1, seed=7))[0] is Date.PAST
    assert hidden.at(at(EIGHT + shift, seed=7))[0] is Date.DUE


@pytest.mark.parametrize(
    ("within", "jitter", "message"),
    [
        (DAY + 1, 0, "expected a date to stay open for at most 24h, was 86401 s"),
        (0, 0, "at most 24h, was 0 s"),
        (DAY, -1, "expected a jitter of 0 s or more, was -1"),
    ],
)
def test_calendar__beyond_what_history_tells__is_refused(within: int, jitter: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Calendar(every(DAY), within, jitter)


# --- in a plan -------------------------------------------------------------------------------------------------------

ON_DATES = Weights(TARGETS, Bands(Band(0), Band(0)), dust=usd(10), calendar=DAILY)
BEYOND_ON_DATES = Weights(TARGETS, Bands(Band(400), Band(200)), dust=usd(10), calendar=DAILY)


def test_plan__on_the_date__trades_whatever_the_drift() -> None:
    plan = ON_DATES.plan(at(EIGHT))
    assert isinstance(plan, Rebalance)
    assert plan.reason.endswith("for USDC to bring WETH to 60.00 %")


def test_plan__on_the_date_but_dust__holds() -> None:
    plan = replace(ON_DATES, dust=usd(100_000)).plan(at(EIGHT))
    assert isinstance(plan, Hold)
    assert plan.code == "dust"


def test_plan__between_dates__holds_however_far_it_has_drifted() -> None:
    for weights in (ON_DATES, BEYOND_ON_DATES):
        plan = weights.plan(at(EIGHT - 3_600, weth=900))
        assert isinstance(plan, Hold)
        assert plan.code == "calendar"
        assert plan.reason.startswith("waiting for the calendar, about 2026-09-22 08:00 UTC; widest drift ")


def test_plan__on_the_date_with_a_trigger__trades_only_beyond_it() -> None:
    inside = BEYOND_ON_DATES.plan(at(EIGHT))
    assert isinstance(inside, Hold)
    assert inside.code == "in_band"
    assert isinstance(BEYOND_ON_DATES.plan(at(EIGHT, weth=500)), Rebalance)


@pytest.mark.fault("M20")
def test_plan__after_the_dates_first_trade__leaves_what_prices_move_between_legs() -> None:
    """396 WETH at 780,000 USDC is 1.30pp off; 376 WETH is 0.06pp off: not traded back and forth all day."""
    going_on = at(EIGHT + 600, EIGHT, weth=376)
    plan = ON_DATES.plan(going_on)
    assert isinstance(plan, Hold)
    assert plan.code == "in_band"
    assert isinstance(ON_DATES.plan(at(EIGHT, weth=376)), Rebalance), "the first trade has no such limit"
    assert isinstance(ON_DATES.plan(at(EIGHT + 600, EIGHT)), Rebalance), "further legs go on"


def test_plan__restarted__decides_the_same_from_history_alone() -> None:
    view = at(EIGHT + 600, EIGHT)
    assert replace(ON_DATES, calendar=Calendar(Cron("0 8 * * *").next_at, 6 * 3_600)).plan(view) == ON_DATES.plan(view)
