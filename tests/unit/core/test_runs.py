"""How long a start waits after runs that died."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.runs import FIRST, HEALTHY, LONGEST, Run, count_deaths, wait_after

NOW = 1_000_000


@pytest.mark.fault("P38")
@pytest.mark.parametrize(
    ("deaths", "seconds"),
    [(0, 0), (1, 0), (2, 0), (3, 10), (4, 20), (5, 40), (6, 80), (7, 160), (8, 320), (9, 640), (10, 900), (10**6, 900)],
)
def test_wait_after__so_many_deaths__doubles_from_the_third_on(deaths: int, seconds: int) -> None:
    assert wait_after(deaths) == seconds


def test_count_deaths__table() -> None:
    quick = [Run(NOW - 1), Run(NOW - 2), Run(NOW - 3)]
    assert count_deaths([], NOW) == 0
    assert count_deaths(quick, NOW) == 3
    assert count_deaths([Run(NOW - 1, ended=True), *quick], NOW) == 0, "it ended itself"
    assert count_deaths([quick[0], Run(NOW - 2, ended=True), quick[2]], NOW) == 1
    assert count_deaths([Run(NOW - HEALTHY)], NOW) == 0, "it acted for long"
    assert count_deaths([Run(NOW - HEALTHY + 1)], NOW) == 1
    assert count_deaths([Run(NOW + 50)], NOW) == 1, "another clock"


def test_count_deaths__what_a_run_waited__is_no_life_of_the_one_before() -> None:
    latest = Run(NOW - 1, waited=LONGEST)
    before = Run(NOW - 1 - LONGEST - 2)
    assert count_deaths([latest, before], NOW) == 2
    assert count_deaths([Run(latest.at), before], NOW) == 1


@given(lives=st.lists(st.integers(0, HEALTHY - 20), min_size=3, max_size=20))
def test_count_deaths__each_dies_soon_and_is_started_at_once__waits_only_grow(lives: list[int]) -> None:
    runs: list[Run] = []
    now, waits = NOW, []
    for life in lives:
        waits.append(wait_after(count_deaths(runs, now)))
        runs.insert(0, Run(now + waits[-1], waits[-1]))
        now += waits[-1] + life
    assert waits == sorted(waits)
    assert waits[:3] == [0, 0, 0]
    assert max(waits) <= LONGEST
    assert len(waits) == 3 or waits[3] == FIRST
