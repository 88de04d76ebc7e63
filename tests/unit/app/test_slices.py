"""What `slices` and `slippage` of a configuration become."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from keeper.app.parts import make_routing, make_tolerance
from keeper.app.setting import Setting
from keeper.app.strategies import make_strategy
from keeper.chain.reading.pins import Pins
from keeper.config import load
from keeper.core.pools import Pool
from keeper.core.units import WHOLE_BPS
from keeper.routing.bounded import Bounded
from keeper.routing.split import SplitRouting
from keeper.routing.tolerance import Tolerance
from keeper.strategies.auto_bands import AutoBands
from keeper.strategies.bands import Band, Bands
from keeper.strategies.parents import no_pauses
from keeper.strategies.sliced import Sliced
from keeper.strategies.weights import Weights
from tests.builders import CHAIN, SWAP_ROUTER02, USDC, WETH, address, make_block, usd
from tests.unit.app.app_configs import POOL, config

POOLS = f'    pools: ["{POOL}"]\n'
PINS = Pins(
    make_block(),
    tokens={WETH.address: WETH, USDC.address: USDC},
    pools={POOL: Pool(CHAIN, "uniswap_v3", POOL, (WETH, USDC), Fraction(5, 10_000), address(0xFAC), SWAP_ROUTER02)},
)


def setting(folder: Path, more: str = "", chain: str = "") -> Setting:
    edits = [(POOLS, POOLS + more), ("    block_time: 1s\n", f"    block_time: 1s\n{chain}")]
    return Setting(config(folder, *edits).config, "treasury", PINS)


def test_make_strategy__without_slices__cuts_only_what_exceeds_the_clip(tmp_path: Path) -> None:
    found = make_strategy(setting(tmp_path))
    assert isinstance(found, Sliced)
    assert found.of is found.resumed
    assert isinstance(found.of, Weights)
    assert (found.of.clip, found.wishes) == (None, no_pauses(usd(100_000)))


def test_make_strategy__with_slices_auto__wraps_it_and_takes_its_clip(tmp_path: Path) -> None:
    found = make_strategy(setting(tmp_path, "    slices: auto\n"))
    assert isinstance(found, Sliced)
    assert isinstance(found.of, Weights)
    assert isinstance(found.resumed, Weights)
    assert isinstance(found.of.bands, Bands)
    assert isinstance(found.resumed.bands, Bands)
    assert (found.of.clip, found.resumed.clip, found.wishes.clip) == (None, None, usd(100_000))
    assert found.wishes.volatility == Fraction(8, 10)
    assert (found.wishes.most, found.wishes.least_wait, found.wishes.spacing) == (24, 300, None)
    assert (found.of.bands.trigger, found.of.bands.destination) == (Band(400), Band(200))
    assert (found.resumed.bands.trigger, found.resumed.bands.destination) == (Band(200), Band(200))


def test_make_strategy__with_every_key__follows_each(tmp_path: Path) -> None:
    keys = "{most: 50, spacing: 20m, deadline: 8h, worse: 40bps, jitter: 10%}"
    more = f"    slices: {keys}\n    execution: {{volatility: 60%}}\n    guards: {{max_trades: 12 per 24h}}\n"
    found = make_strategy(setting(tmp_path, more))
    assert isinstance(found, Sliced)
    wishes = found.wishes
    assert (wishes.most, wishes.spacing, wishes.deadline) == (12, 1200, 28_800)
    assert (wishes.worse, wishes.variation, wishes.volatility) == (40, Fraction(1, 10), Fraction(6, 10))


def test_make_strategy__with_bands_a_clip_and_a_calendar_of_its_own__goes_on_once_begun(tmp_path: Path) -> None:
    """What costs say of bands and clips is said once, and no date ends what has begun on it."""
    path, old = setting(tmp_path, "    slices: auto\n"), "trigger: 4pp, destination: 2pp"
    text = (tmp_path / "keeper.yaml").read_text("utf-8").replace(old, "band: auto, clip: auto, calendar: {every: 24h}")
    (tmp_path / "keeper.yaml").write_text(text, "utf-8")
    config = load(tmp_path / "keeper.yaml", {}, need_env=False).config
    found = make_strategy(Setting(config, path.name, path.pins))
    assert isinstance(found, Sliced)
    of, resumed = found.of, found.resumed
    assert isinstance(of, Weights)
    assert isinstance(resumed, Weights)
    assert (of.by_gas.clip, resumed.by_gas.clip) == (False, False)
    assert of.calendar is not None
    assert resumed.calendar is None
    assert isinstance(of.bands, AutoBands)
    assert resumed.bands == of.bands.to_destination() != of.bands


@pytest.mark.parametrize(("written", "bps"), [("", 50), ("    execution: {slippage: 20bps}\n", 20)])
def test_make_routing__with_a_constant_slippage__has_no_other(tmp_path: Path, written: str, bps: int) -> None:
    found = make_routing(setting(tmp_path, written))
    assert isinstance(found, SplitRouting)
    assert found._floors.slippage == bps


def test_make_routing__with_slippage_auto__works_it_out_below_the_guard(tmp_path: Path) -> None:
    found = make_routing(setting(tmp_path, "    execution: {slippage: auto}\n    guards: {max_slippage: 40bps}\n"))
    assert isinstance(found, Bounded)
    assert found.tolerance == Tolerance(Fraction(8_000, WHOLE_BPS), seconds=2, most=40, private=False)


@pytest.mark.fault("M16")
@pytest.mark.parametrize(("deadline", "private"), [("10m", False), ("30s", True)])
def test_make_tolerance__with_a_relay__is_private_only_if_nothing_outlives_it(
    tmp_path: Path, deadline: str, private: bool
) -> None:
    relay = '    relay: {url: "https://relay.example", kind: raw, max_blocks: 60}\n'
    found = make_tolerance(setting(tmp_path, f"    execution: {{slippage: auto, deadline: {deadline}}}\n", relay))
    assert found.private is private
