from __future__ import annotations

from fractions import Fraction
from math import prod

import pytest

from keeper.local.paths import CALM, DAY, PHASES, SLOW_TICKS, START, TICK, Moment, Phase, price_path


def of_phase(moments: list[Moment], word: str) -> list[Moment]:
    return [moment for moment in moments if word in moment.note]


def test_path__when_the_seed_is_the_same__then_so_is_every_moment() -> None:
    assert list(price_path(7, 2)) == list(price_path(7, 2))
    assert list(price_path(7, 2)) != list(price_path(8, 2))


@pytest.mark.parametrize("days", [1, 3, 5])
def test_path__when_it_runs__then_time_steps_evenly_and_figures_are_exact(days: int) -> None:
    moments = list(price_path(1, days))

    assert [moment.at for moment in moments] == list(range(0, days * DAY, TICK))
    assert {phase.note for phase in PHASES} == {moment.note for moment in moments}
    for moment in moments:
        for prices in (moment.prices, moment.slow, moment.traded):
            assert all(type(price) is Fraction and price > 0 for price in prices.values())


def test_path__when_it_ends__then_every_phase_has_moved_prices_as_written() -> None:
    last = list(price_path(3, 5))[-1]

    for coin, start in START.items():
        gained = prod(Fraction(10_000 + phase.move.get(coin, 0), 10_000) for phase in PHASES)
        assert abs(last.prices[coin] / (start * gained) - 1) <= Fraction(CALM[coin] + 1, 10_000)


def test_path__when_a_feed_is_silent__then_for_longer_than_it_promises() -> None:
    silent = [moment for moment in price_path(3, 5) if "ETH/USD" in moment.silent]

    assert silent[-1].at - silent[0].at > 4 * 3_600


def test_path__when_pools_sleep__then_they_stay_while_feeds_fall() -> None:
    moments = list(price_path(3, 5))
    asleep = of_phase(moments, "stay behind")
    before = moments[moments.index(asleep[0]) - 1]

    assert all(moment.traded == before.prices for moment in asleep)
    assert asleep[-1].prices["ETH"] < before.prices["ETH"] * Fraction(9, 10)
    assert of_phase(moments, "calm again")[0].traded["ETH"] < before.prices["ETH"] * Fraction(9, 10)


def test_slow__when_prices_jump__then_is_the_mean_of_the_last_moments() -> None:
    moments = list(price_path(3, 5))
    jump = moments.index(of_phase(moments, "within an hour")[1])
    past = moments[jump + 1 - SLOW_TICKS : jump + 1]

    assert moments[jump].slow["ETH"] == sum(moment.prices["ETH"] for moment in past) / SLOW_TICKS
    assert moments[jump].slow["ETH"] > moments[jump].prices["ETH"] * Fraction(101, 100)


def test_path__when_phases_are_not_one_whole__then_refused() -> None:
    with pytest.raises(ValueError, match="sum to 1, was 1/2"):
        next(price_path(1, 1, (Phase("half", Fraction(1, 2)),)))
