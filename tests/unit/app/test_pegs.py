"""What a peg of a configuration becomes, and what is read for it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from keeper.app.pegs import make_peg
from keeper.app.setting import Setting
from keeper.app.strategies import make_strategy, strategy_reads
from keeper.chain.reading.pins import Pins
from keeper.chain.reading.twap import TwapSource
from keeper.config.peg import PegConfig
from keeper.config.prices import TwapConfig
from keeper.core.abi import calldata
from keeper.core.chain import Read
from keeper.core.errors import ConfigError
from keeper.core.pools import Pool
from keeper.core.units import Token
from keeper.strategies.peg import Bands, Peg
from keeper.strategies.peg_price import FixedPeg, Pair, PoolMean, RatePeg, Said
from keeper.strategies.peg_stock import Hoard
from keeper.strategies.peg_trace import Persist, Renewing
from tests.builders import CHAIN, SWAP_ROUTER02, USDC, WETH, address, make_block, units, usd
from tests.unit.app.app_configs import DAI, OTHER_POOL, POOL, config

COIN = Token(CHAIN, DAI, "DAI", 18)
WEIGHTS = "strategy: {kind: weights, weights: {WETH: 60%, USDC: 40%}, trigger: 4pp, destination: 2pp}\n"
PEG = (
    "strategy: {kind: peg, coin: DAI, against: USDC, peg: 1 USD, trigger: 15bps, destination: 5bps, wall: 100bps, "
    "price: {sources: [uni.twap, uni.ema], times: USDC/USD}, capacity: 250000 USD per side per 12h}\n"
)
RATE = address(0x4A7E)


def setting(folder: Path, *edits: tuple[str, str], kind: str = "uniswap_v3") -> Setting:
    peg = PEG
    for old, new in edits:
        assert peg.count(old) == 1, old
        peg = peg.replace(old, new)
    schedule = "    schedule: {every: 1 block}\n    guards: {cool_down: 1m}\n"
    loaded = config(
        folder, (WEIGHTS, peg), (f'pools: ["{POOL}"]\n', f'pools: {{uni: "{POOL}", far: "{OTHER_POOL}"}}\n{schedule}')
    )
    pool = Pool(CHAIN, kind, POOL, (COIN, USDC), Fraction(1, 10_000), address(0xFAC), SWAP_ROUTER02, "uni")
    other = Pool(CHAIN, kind, OTHER_POOL, (WETH, USDC), Fraction(1, 10_000), address(0xFAC), SWAP_ROUTER02, "far")
    tokens = {WETH.address: WETH, USDC.address: USDC, DAI: COIN}
    return Setting(loaded.config, "treasury", Pins(make_block(), tokens=tokens, pools={POOL: pool, OTHER_POOL: other}))


def peg_of(folder: Path, *edits: tuple[str, str], kind: str = "uniswap_v3") -> Peg:
    made = setting(folder, *edits, kind=kind)
    assert isinstance(made.strategy, PegConfig)
    return make_peg(made, made.strategy)


def test_make_peg__short_form__has_every_default(tmp_path: Path) -> None:
    peg = peg_of(tmp_path)
    assert peg == make_strategy(setting(tmp_path))
    assert peg.pair == Pair(COIN, USDC, in_usd=True)
    assert (peg.goal, peg.bands, peg.persist) == (FixedPeg(Fraction(1)), Bands(15, 5, 100), Persist(blocks=3))
    average = TwapSource("twap30m", POOL, COIN, USDC, 1_800)
    assert peg.belief.sources == (Said("uni.twap", average), PoolMean("uni.ema", POOL, 30))
    assert (peg.belief.need, peg.belief.apart, peg.belief.time, peg.belief.looks, peg.belief.moving) == (
        2,
        20,
        600,
        30,
        30,
    )
    assert (peg.means.capacity, peg.means.window, peg.means.inventory) == (usd(250_000), 43_200, {})
    pace = peg.pace
    assert (pace.most, pace.clip, pace.step, pace.dust, pace.cool_down, pace.pays) == (
        usd(100_000),
        None,
        10,
        usd(10),
        60,
        0,
    )
    assert (peg.against_peg, peg.renewing) == (Fraction(1), None)


def test_make_peg__long_form__is_all_of_it(tmp_path: Path) -> None:
    more = (
        "capacity: 250000 USD per side per 12h",
        "capacity: 1000 USD per side per 1h, persist: 2m, clip: 500 USD, dust: 5 USD, step: 3bps, pay_for_peg: 7bps, "
        "against_peg: none, inventory: {DAI: {min: 5.5, max: 7}, USDC: {min: 1}}, "
        "regenerate: {after: 18, of: 24, every: 1h}",
    )
    peg = peg_of(tmp_path, more)
    assert (peg.persist, peg.against_peg, peg.renewing) == (Persist(seconds=120), None, Renewing(18, 24, 3_600))
    assert (peg.pace.clip, peg.pace.dust, peg.pace.step, peg.pace.pays) == (usd(500), usd(5), 3, 7)
    assert peg.means.inventory == {
        COIN: Hoard(units(COIN, "5.5"), units(COIN, 7)),
        USDC: Hoard(units(USDC, 1), None),
    }


def test_strategy_reads__average_and_rate__are_asked_for(tmp_path: Path) -> None:
    average = TwapSource("twap30m", POOL, COIN, USDC, 1_800)
    assert strategy_reads(setting(tmp_path)) == average.reads()
    rated = setting(tmp_path, ("peg: 1 USD", f'peg: "rate({RATE})"'), (", times: USDC/USD", ""))
    assert strategy_reads(rated) == (*average.reads(), Read(RATE, calldata("getRate()")))
    peg = make_strategy(rated)
    assert isinstance(peg, Peg)
    assert isinstance(peg.goal, RatePeg)
    assert (peg.pair.in_usd, peg.goal.step) == (False, 10)


def test_make_peg__source_that_a_pool_does_not_have__says_where(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"price.sources\[0\]: expected a pool that keeps an average .*found uniswap_v2"
    ):
        peg_of(tmp_path, kind="uniswap_v2")
    with pytest.raises(ConfigError, match=r"price.sources\[1\]: expected a pool of DAI and USDC, found WETH/USDC"):
        peg_of(tmp_path, ("uni.ema", "far.ema"))


def test_prices__of_a_coin_without_a_rule__are_its_pools_average(tmp_path: Path) -> None:
    prices = setting(tmp_path).config.prices_of("treasury")
    (source,) = prices["DAI"].sources
    assert isinstance(source, TwapConfig)
    assert (source.pool.name, source.window) == ("uni", 1_800)
