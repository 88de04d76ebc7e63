"""What the settings of weights become."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from keeper.app.setting import Setting
from keeper.app.strategies import make_strategy
from keeper.core.errors import ConfigError
from keeper.core.plan import Hold, Rebalance
from keeper.strategies.auto_bands import AutoBands, Budget
from keeper.strategies.bands import Band, Bands
from keeper.strategies.gas_limits import GasLimits
from keeper.strategies.rules import Rules
from keeper.strategies.sliced import Sliced
from keeper.strategies.volatility import Volatility
from keeper.strategies.weights import Weights
from tests.builders import USDC, WETH, make_block, make_view, units
from tests.unit.app.app_configs import config
from tests.unit.app.test_slices import PINS

FIXED = ", trigger: 4pp, destination: 2pp}"


def weights(folder: Path, *lines: str) -> Weights:
    """The vault's strategy with these settings in place of its trigger and destination."""
    edited = config(folder, (FIXED, f", {', '.join(lines)}}}"))
    made = make_strategy(Setting(edited.config, "treasury", PINS))
    assert isinstance(made, Sliced)
    assert isinstance(made.of, Weights)
    return made.of


def test_make_strategy__band_auto__has_the_defaults(tmp_path: Path) -> None:
    assert weights(tmp_path, "band: auto").bands == AutoBands(10, 1_000, Fraction(3))


def test_make_strategy__budget__comes_with_its_volatilities(tmp_path: Path) -> None:
    made = weights(
        tmp_path, "band: {min: 1pp, max: 8pp, cost: 20bps, correlation: 50%, volatility: {WETH: 65%, USDC: 1%}}"
    )
    budget, volatility = Budget(cost=20), Volatility({WETH: 6_500, USDC: 100}, 5_000)
    assert made.bands == AutoBands(100, 800, Fraction(3), budget, volatility)


@pytest.mark.parametrize(("word", "bps"), [("target", 0), ("half", 200), ("edge", 400)])
def test_make_strategy__destination_in_words__is_a_band(word: str, bps: int, tmp_path: Path) -> None:
    assert weights(tmp_path, "trigger: 4pp", f"destination: {word}").bands == Bands(Band(400), Band(bps))


def test_make_strategy__rules_and_gas_limits__are_the_tokens_own(tmp_path: Path) -> None:
    made = weights(
        tmp_path,
        "band: auto",
        "dust: auto",
        "clip: auto",
        "locked: WETH",
        "cash: USDC",
        "priorities: {WETH: 3}",
        "reserve: 5000.5 USDC",
    )
    assert made.by_gas == GasLimits(25, clip=True)
    reserve = {USDC: units(USDC, "5000.5")}
    assert made.rules == Rules(frozenset([WETH]), frozenset([USDC]), {WETH: 3}, reserve)


def test_make_strategy__cron__trades_on_its_dates_in_its_zone(tmp_path: Path) -> None:
    """08:00 in Zurich is 06:00 UTC in September."""
    made = weights(tmp_path, 'calendar: {cron: "0 8 * * *", zone: Europe/Zurich, within: 1h}')
    for at, acts in ((1_790_056_799, False), (1_790_056_800, True), (1_790_060_400, False)):
        plan = made.plan(make_view([units(WETH, 395), units(USDC, 780_000)], block=make_block(at=at)))
        assert isinstance(plan, Rebalance if acts else Hold), plan
        assert acts or getattr(plan, "code", "") == "calendar"


def test_make_strategy__every_30_days__counts_from_the_epoch(tmp_path: Path) -> None:
    made = weights(tmp_path, "calendar: {every: 30d, jitter: 1h}")
    assert made.calendar is not None
    assert made.calendar.after(0) == 30 * 86_400
    assert (made.calendar.within, made.calendar.jitter) == (86_400, 3_600)


@pytest.mark.fault("C8")
def test_make_strategy__reserve_finer_than_its_token__is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"reserve of USDC: expected at most 6 decimals, found 0\.0000001 USDC"):
        weights(tmp_path, "band: auto", "reserve: 0.0000001 USDC")
