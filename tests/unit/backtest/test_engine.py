"""The back-test against closed forms (MATH 1), against the Monte-Carlo of `bench/policy`, and by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import sqrt

import numpy as np
import pytest

from bench.drifting import Array, BandRule, World, keep
from keeper.backtest.engine import ride
from keeper.backtest.policies import Policy
from keeper.backtest.prices import Prices
from keeper.core.backtests import Ride
from keeper.core.units import Token, TokenAmount
from keeper.guards import CoolDown, DriftFalls, MaxImpact, MaxTrades, NoCrossing
from keeper.strategies.auto_bands import AutoBands
from keeper.strategies.bands import Band, Bands
from keeper.strategies.expected import OVERSHOOT
from tests.builders import DAI, USDC, WBTC, WETH, usd
from tests.unit.backtest.scenes import DEAR, HALVES, gbm, halfway, path, policy, scene

YEARS = 30 if os.environ.get("KEEPER_SOAK") else 12
FOUR = {WETH: 4_000, WBTC: 3_000, DAI: 2_000, USDC: 1_000}


@pytest.mark.parametrize(("trigger", "destination"), [(400, 200), (300, 0)])
def test_ride__gbm_of_many_years__trades_turnover_and_error_as_the_closed_forms_say(
    trigger: int, destination: int
) -> None:
    """s²/(h² − m²), s²/(h + m), q·√((h² + m²)/6), with the trigger widened by what hourly looks overshoot."""
    volatility = 0.8
    prices = gbm(f"seed=11 years={YEARS} step=3600 volatility={volatility}")
    found = ride(policy(halfway(trigger, destination)), prices, scene())
    s = 0.25 * volatility
    h = trigger / 10_000 + float(OVERSHOOT) * s * sqrt(1 / (365 * 24))
    m = destination / 10_000
    assert float(found.trades_a_year) == pytest.approx(s**2 / (h**2 - m**2), rel=0.10)
    assert float(found.a_year(found.traded)) == pytest.approx(s**2 / (h + m), rel=0.07)
    assert found.tracking_error == pytest.approx(volatility * sqrt((h**2 + m**2) / 6), rel=0.05)
    assert found.cost.raw < 10**18 * 100, "trading was free"


def same_paths(world: World, symbols: tuple[str, ...]) -> list[Prices]:
    """The very random numbers that `bench.drifting.keep` draws, as prices."""
    random = np.random.default_rng(world.seed)
    steps, assets = int(world.years * 365 * world.looks), len(world.targets)
    scale = np.linalg.cholesky(world.covariance) / (365 * world.looks) ** 0.5
    trend = -np.diag(world.covariance) / (2 * 365 * world.looks)
    moves = [random.standard_normal((world.paths, assets)) @ scale.T + trend for _ in range(steps)]
    logs = np.concatenate([np.zeros((1, world.paths, assets)), np.cumsum(moves, 0)])
    step = 86_400 // world.looks
    times = range(0, step * (steps + 1), step)
    return [
        Prices(symbols, times, [tuple(100 * float(price) for price in row) for row in np.exp(logs[:, number])], "same")
        for number in range(world.paths)
    ]


def beside_monte_carlo(targets: Mapping[Token, int], sigma: tuple[float, ...], years: float) -> list[tuple[Array, ...]]:
    """Trades, turnover and tracking error of every path: ours and the Monte-Carlo's."""
    count = len(targets)
    alike = np.full((count, count), 0.6) + 0.4 * np.eye(count)
    weights = np.array([target / 10_000 for target in targets.values()])
    world = World(weights, np.outer(sigma, sigma) * alike, 3, years, 4)
    kept = keep(world, [BandRule("", np.full(count, 0.03), np.full(count, 0.015))])
    rides = [
        ride(policy(halfway(300, 150), targets), prices, scene(targets=targets))
        for prices in same_paths(world, tuple(token.symbol for token in targets))
    ]
    return [
        (np.array([float(each.trades_a_year) for each in rides]), kept.swaps[0]),
        (np.array([turnover(each) for each in rides]), kept.turnover[0]),
        (np.array([each.tracking_error for each in rides]), np.sqrt(kept.variance[0])),
    ]


def test_ride__two_assets_on_the_random_numbers_of_the_monte_carlo__makes_the_same_trades() -> None:
    """One engine is integers, one vault and the cycle's own decisions; the other is numpy, floats and many vaults."""
    trades, traded, error = beside_monte_carlo({WETH: 6_000, WBTC: 4_000}, (0.9, 0.6), 1.0)
    assert trades[0] == pytest.approx(trades[1], abs=0.01)
    assert traded[0] == pytest.approx(traded[1], rel=0.001)
    assert error[0] == pytest.approx(error[1], rel=0.10), "realised beside expected squares"


def test_ride__four_assets_on_the_random_numbers_of_the_monte_carlo__does_the_same_over_all() -> None:
    """Where several swaps would do, each engine has its own order, so paths part: sums must still agree."""
    trades, traded, error = beside_monte_carlo(FOUR, (0.65, 0.75, 0.90, 0.02), 2.0)
    assert trades[0].mean() == pytest.approx(trades[1].mean(), rel=0.10)
    assert traded[0].mean() == pytest.approx(traded[1].mean(), rel=0.05)
    assert error[0].mean() == pytest.approx(error[1].mean(), rel=0.05)


def turnover(found: Ride) -> float:
    """A year, each trade over the vault's value of its own moment."""
    return sum(float(fill.notional.whole) / value_at(found, fill.at) for fill in found.fills) / float(found.years)


def value_at(found: Ride, at: int) -> float:
    """{USD} Nearest point of the curve at or after: of a ride short enough to have every step on it."""
    return next(point.value for point in found.points if point.at >= at)


def test_ride__one_jump__trades_once_to_the_destination_and_pays_what_the_parts_say() -> None:
    found = ride(policy(halfway()), path(2_000, 2_000, 2_500, 2_500, 2_500), scene(DEAR))
    (fill,) = found.fills
    assert (fill.at, fill.sell.token, fill.got.token) == (7_200, WETH, USDC)
    # 55.56 % back to 52 %, of 1,125,000
    assert float(fill.notional.whole) == pytest.approx(40_000, rel=0.01)
    assert found.points[-1].weights[0] == pytest.approx(0.52, abs=1e-4)
    paid = fill.notional - TokenAmount(fill.notional.token, fill.got.raw * 10**12)
    assert abs((fill.fee + fill.basis + fill.impact - paid).raw) <= 4 * 10**12
    assert float(fill.fee.whole) == pytest.approx(40_000 * 0.003, rel=0.01)
    # The pool had followed up to its fee only, so it paid 0.3 % less than the market.
    assert float(fill.basis.whole) == pytest.approx(40_000 * 0.997 * 0.003, rel=0.02)
    assert fill.gas == usd(2)
    assert found.cost == fill.fee + fill.basis + fill.impact + fill.gas


def test_ride__buy_and_hold__never_trades_and_is_worth_what_it_held() -> None:
    found = ride(Policy("hold", "", None, None, 0.0), path(2_000, 2_500, 1_000), scene(DEAR))
    assert found.fills == ()
    assert float(found.end.whole) == pytest.approx(750_000)
    assert found.outside == pytest.approx(0.5)


def test_ride__every_step__no_asset_is_left_outside_where_trading_is_free() -> None:
    found = ride(policy(halfway()), gbm("seed=2 years=0.2"), scene())
    assert found.outside == 0.0
    assert found.fills


def test_ride__bands_from_costs__trades_and_keeps_near_its_targets() -> None:
    found = ride(policy(AutoBands(), FOUR), gbm("seed=2 years=0.3 step=1800", FOUR), scene(DEAR, FOUR))
    assert 3 < len(found.fills) < 300
    assert found.tracking_error < 0.04


def test_ride__looked_at_once_a_day__trades_on_whole_days_only() -> None:
    found = ride(policy(halfway()), gbm("seed=2 years=0.3"), scene(every=86_400))
    start = gbm("seed=2 years=0.3").times[0]
    assert found.fills
    assert {(fill.at - start) % 86_400 for fill in found.fills} == {0}


def test_ride__guard_refuses__nothing_is_traded_and_every_look_counts() -> None:
    found = ride(policy(halfway()), path(2_000, *[3_000.0] * 10), scene(DEAR, guards=[MaxImpact(1)]))
    assert found.fills == ()
    assert found.refused == {"max_impact": 10}
    assert found.outside == pytest.approx(0.9)


def test_ride__cool_down_and_count__hold_over_every_window() -> None:
    guards = [CoolDown(7_200), MaxTrades(3, 86_400), DriftFalls(), NoCrossing()]
    found = ride(policy(halfway(50, 20)), gbm("seed=4 years=0.1"), scene(guards=guards))
    times = [fill.at for fill in found.fills]
    assert len(times) > 20
    assert all(later - earlier >= 7_200 for earlier, later in pairwise(times))
    assert all(later - earlier >= 86_400 for earlier, later in zip(times, times[3:], strict=False))
    assert set(found.refused) <= {"cool_down", "max_trades"}


def test_ride__own_hours__acts_in_them_only() -> None:
    open_scene = replace(scene(), may_act=lambda now: "" if now // 3_600 % 24 < 12 else "outside its hours")
    found = ride(policy(halfway()), gbm("seed=2 years=0.3"), open_scene)
    assert found.fills
    assert all(fill.at // 3_600 % 24 < 12 for fill in found.fills)
    assert found.refused["outside its hours"] > 0


def test_ride__steps__are_all_told() -> None:
    told: list[int] = []
    prices = gbm("seed=2 years=0.05")
    ride(policy(halfway()), prices, scene(), told.append)
    assert sum(told) == len(prices.rows)


def test_ride__same_prices__same_ride() -> None:
    prices = gbm("seed=9 years=0.1")
    again = [ride(policy(Bands(Band(100), Band(50)), HALVES), prices, scene(DEAR)) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0].total(Fraction(3)) > 0
