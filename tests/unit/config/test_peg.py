"""A peg in a deployment: what the example says, and every contradiction in one line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from keeper.config import load
from keeper.config.peg import PegConfig
from keeper.config.units import Blocks
from keeper.core.errors import ConfigError
from tests.unit.config.deployments import REPOSITORY, written

GOOD = (REPOSITORY / "config" / "peg.yaml").read_text("utf-8")
RATE = "0x1111111111111111111111111111111111111111"
FIXED = "    prices: {DAI: {sources: {kind: fixed, price: 1 USD}}}\n    schedule: {every: 1 block}"


def load_edited(folder: Path, *edits: tuple[str, str]) -> PegConfig:
    text = GOOD
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    strategy = load(written(folder, text), {}, need_env=False).config.vaults["dai-peg"].strategy
    assert isinstance(strategy, PegConfig)
    return strategy


def test_load__example__says_what_the_documentation_shows(tmp_path: Path) -> None:
    peg = load_edited(tmp_path)
    assert (peg.symbols, str(peg.peg), peg.is_in_usd) == (("DAI", "USDC"), "1 USD", True)
    assert (peg.trigger, peg.destination, peg.wall) == (15, 5, 100)
    assert peg.persist == Blocks(3)
    assert [str(source) for source in peg.price.sources] == ["uni.twap", "uni.ema", "DAI/USD"]
    assert str(peg.capacity) == "250000 USD per side per 24h"
    assert peg.peg_of_against == Fraction(1)


def test_load__configuration_of_its_page__is_valid_and_the_same_peg(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/strategies/peg.md").read_text("utf-8")
    shown = load(written(tmp_path, page.split("```yaml\n")[1].split("```")[0]), {}, need_env=False)
    assert shown.config.vaults["dai-peg"].strategy == load_edited(tmp_path)


def test_load__peg_in_the_other_coin__needs_no_usd_and_knows_no_peg_of_that_coin(tmp_path: Path) -> None:
    peg = load_edited(tmp_path, ("peg: 1 USD  ", "peg: 1.02 USDC  "), ("times: USDC/USD, ", ""))
    assert not peg.is_in_usd
    assert peg.peg.ratio == Fraction(102, 100)
    assert peg.peg_of_against is None


def test_load__peg_at_a_rate__keeps_the_providers_address(tmp_path: Path) -> None:
    peg = load_edited(
        tmp_path,
        ("peg: 1 USD  ", f'peg: "rate({RATE})"  '),
        ("times: USDC/USD, ", ""),
        ("persist: 3 blocks", "persist: 1m"),
    )
    assert (peg.peg.rate, peg.persist, str(peg.peg)) == (RATE, 60, f"rate({RATE})")


STRATEGY = "vaults.dai-peg.strategy"
BAD = [
    (
        "wall inside the trigger",
        ("wall: 100bps", "wall: 10bps"),
        "wall: expected more than the trigger (15bps), found 10bps",
    ),
    (
        "destination outside the trigger",
        ("destination: 5bps", "destination: 15bps"),
        "destination: expected less than the trigger (15bps), found 15bps",
    ),
    (
        "coin against itself",
        ("against: USDC", "against: DAI"),
        "against: expected another token than the coin, found DAI",
    ),
    (
        "unknown pool",
        ("[uni.twap, uni.ema, DAI/USD]", "[sushi.twap, uni.ema]"),
        "price.sources[0]: expected one of uni, found sushi.twap",
    ),
    (
        "source of another coin",
        ("[uni.twap, uni.ema, DAI/USD]", "[uni.twap, WETH/USD]"),
        "price.sources[1]: expected DAI/USD, or an average of a pool, found WETH/USD",
    ),
    (
        "source that is none",
        ("[uni.twap, uni.ema, DAI/USD]", "[uni.spot]"),
        "price.sources[0]: expected a source such as uni.twap, uni.ema or DUSD/USD, found uni.spot",
    ),
    (
        "one source twice",
        ("[uni.twap, uni.ema, DAI/USD]", "[uni.twap, uni.twap]"),
        "price.sources: expected sources that differ, found one twice",
    ),
    (
        "more needed than there are",
        ("need: 2", "need: 4"),
        "price.need: expected at most the number of sources (3), found 4",
    ),
    (
        "peg in USD without the other coin's price",
        ("times: USDC/USD, ", ""),
        "price.times: expected USDC/USD: 1 USDC is not 1 USD, found nothing",
    ),
    (
        "peg in the other coin with its price",
        ("peg: 1 USD  ", "peg: 1 USDC  "),
        "price.times: expected nothing: the peg is in USDC, found USDC/USD",
    ),
    ("peg in a third unit", ("peg: 1 USD  ", "peg: 1 EUR  "), "peg: expected a peg in USD or USDC, found 1 EUR"),
    ("peg at nothing", ("peg: 1 USD  ", "peg: 0 USD  "), "peg: expected a peg above 0, found 0 USD"),
    (
        "peg without unit",
        ("peg: 1 USD  ", "peg: 1  "),
        "peg: expected a peg such as 1 USD, 1 USDC or rate(0x…), found 1",
    ),
    (
        "inventory upside down",
        ("{min: 500000}", "{min: 500000, max: 400000}"),
        "inventory.USDC.min: expected less than max (400000), found 500000",
    ),
    (
        "inventory of another coin",
        ("{DAI: {max", "{WETH: {max"),
        "inventory.WETH: expected one of DAI, USDC, found another token",
    ),
    (
        "capacity without sides",
        ("per side per 24h", "per 24h"),
        "capacity: expected a capacity such as 250000 USD per side per 24h, found 250000 USD per 24h",
    ),
    (
        "no capacity",
        ("250000 USD per side", "0 USD per side"),
        "capacity: expected a capacity above 0 USD, found 0 USD per side per 24h",
    ),
    (
        "clip beyond max_trade",
        ("pay_for_peg: 5bps", "clip: 200000 USD"),
        "clip: expected at most max_trade (100000 USD), found 200000 USD",
    ),
    (
        "moves wider than the wall",
        ("apart: 20bps", "max_move: 200bps"),
        "price.max_move: expected at most the wall (100bps), found 200bps",
    ),
]


@pytest.mark.parametrize(
    ("every", "said"),
    [
        ("every: 10m", "every: expected less than price.ema (10m): its means would never be warm, found 10m"),
        (
            "every: 50 blocks",
            "every: expected less than price.ema (10m): its means would never be warm, found 50 blocks",
        ),
        ('cron: "0 8 * * *"', "cron: expected `every`: a peg is looked at all the time, found cron"),
    ],
)
def test_load__looked_at_too_seldom__is_refused(every: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_edited(tmp_path, ("every: 1 block", every))
    assert str(caught.value).endswith(f"vaults.dai-peg.schedule.{said}")


def test_load__coins_own_price_is_its_pools_average_again__is_no_second_source(tmp_path: Path) -> None:
    """DUSD has no price rule: `DUSD/USD` would be `uni.twap` once more."""
    coin = ("coin: DAI", "coin: DUSD"), ("DAI/USD]", "DUSD/USD]"), ("{DAI: {max", "{DUSD: {max")
    known = ("preset: mainnet\n", f'preset: mainnet\n    tokens: {{DUSD: "{RATE}"}}\n')
    with pytest.raises(
        ConfigError, match=r"sources\[2\]: expected a price of its own: chains.mainnet.prices.DUSD, found none"
    ):
        load_edited(tmp_path, *coin, known)
    peg = load_edited(tmp_path, coin[0], ("uni.ema, DAI/USD]", "uni.ema]"), coin[2], known)
    assert peg.coin == "DUSD"


def test_warnings__every_source_is_of_one_pool__says_so(tmp_path: Path) -> None:
    text = GOOD.replace(", DAI/USD]", "]")
    warnings = load(written(tmp_path, text), {}, need_env=False).warnings
    assert "vaults.dai-peg: every source of its peg is one pool's: whoever moves that one moves all of them" in warnings
    assert not any("its peg" in line for line in load(written(tmp_path, GOOD), {}, need_env=False).warnings)


@pytest.mark.fault("M10")
@pytest.mark.parametrize(("edit", "line"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_load__contradiction__is_one_line(edit: tuple[str, str], line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_edited(tmp_path, edit)
    _, _, said = str(caught.value).partition(f"{STRATEGY}.")
    assert said == line


@pytest.mark.fault("M11")
def test_load__only_source_is_a_fixed_price__is_refused_even_dry(tmp_path: Path) -> None:
    fixed = ("    schedule: {every: 1 block}", FIXED)
    with pytest.raises(
        ConfigError, match=r"price\.sources: expected a source that follows the market, found a fixed price"
    ):
        load_edited(tmp_path, ("[uni.twap, uni.ema, DAI/USD]", "[DAI/USD]"), ("need: 2, ", ""), fixed)


@pytest.mark.fault("M11")
def test_load__other_coins_price_is_fixed__is_refused(tmp_path: Path) -> None:
    fixed = ("    schedule: {every: 1 block}", FIXED.replace("DAI:", "USDC:"))
    with pytest.raises(
        ConfigError, match=r"price\.times: expected a price of USDC that follows the market, found a fixed"
    ):
        load_edited(tmp_path, fixed)


def test_load__peg_with_slices__is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="slices: expected nothing: a peg trades in bites of its own"):
        load_edited(tmp_path, ("    schedule: {every: 1 block}", "    slices: auto\n    schedule: {every: 1 block}"))


def test_load__coin_without_a_price__is_valued_by_its_pools_average_and_refused_without_one(tmp_path: Path) -> None:
    peg = load_edited(tmp_path)
    (average,) = peg.own_prices["DAI"].sources
    assert (average.kind, average.pool.name, average.window) == ("twap", "uni", 1_800)  # type: ignore[union-attr]
    without = load_edited(tmp_path, ("[uni.twap, uni.ema, DAI/USD]", "[uni.ema, DAI/USD]"))
    assert without.own_prices == {}
