from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from keeper.app.prices import PriceMaker
from keeper.chain.reading.chainlink import DECIMALS, LATEST_ROUND, Sequencer
from keeper.chain.reading.pins import Pins
from keeper.chain.reading.prices import PriceRule
from keeper.chain.reading.twap import SLOT0, TwapSource, observe_calldata
from keeper.core.chain import Answers, Read, Reading
from keeper.core.errors import ConfigError
from keeper.core.pools import Pool
from keeper.core.units import USD, Address, Token
from tests.builders import CHAIN, NOW, SWAP_ROUTER02, USDC, WETH, address, make_block
from tests.unit.app.app_configs import ETH_FEED, OTHER_POOL, POOL, RATE_FEED, USDC_FEED, WETH_PRICE, WSTETH, config
from tests.unit.chain.fake_node import words

STAKED = Token(CHAIN, WSTETH, "wstETH", 18)
SECOND_FEED = address(0xFEED4)
CHAINLINK = f'kind: chainlink, feed: "{ETH_FEED}", heartbeat: 1h, pair: ETH / USD'
TWAP = f'kind: twap, pool: "{POOL}", window: 30m'


def pool_at(place: Address, *tokens: Token) -> Pool:
    return Pool(CHAIN, "uniswap_v3", place, tokens, Fraction(5, 10_000), address(0xFAC), SWAP_ROUTER02)


PINS = Pins(
    make_block(),
    pools={POOL: pool_at(POOL, WETH, USDC), OTHER_POOL: pool_at(OTHER_POOL, WETH, USDC)},
    feed_decimals={ETH_FEED: 8, USDC_FEED: 8, RATE_FEED: 18, SECOND_FEED: 8},
)


def rule_of(folder: Path, symbol: str, token: Token, price: str, sequencer: Sequencer | None = None) -> PriceRule:
    """The rule of `symbol` where the chain's prices say `price` of it."""
    place = WETH_PRICE if symbol == "WETH" else f"{WETH_PRICE}\n      USDC:"
    edit = (place, price) if symbol == "WETH" else (place, f"{WETH_PRICE}\n      {symbol}: {price}\n      USDC:")
    loaded = config(folder, edit)
    chain = loaded.config.chains["local"]
    return PriceMaker(chain, PINS, loaded.config.prices_of("treasury"), sequencer, {}).rule(symbol, token)


def feed(place: Address, answer: Fraction | int | str, decimals: int = 8, age: int = 60) -> Answers:
    raw = int(Fraction(answer) * 10**decimals)
    return {
        Read(place, LATEST_ROUND): words(7, raw, NOW - age, NOW - age, 7),
        Read(place, DECIMALS): words(decimals),
    }


def mean(place: Address, window: int, tick: int) -> Answers:
    """An average at `tick` over `window` seconds, with plenty of liquidity."""
    observed = words(64, 160, 2, 0, tick * window % (1 << 256), 2, 0, 1)
    return {Read(place, SLOT0): words(1, 0, 0, 10, 10, 0, 1), Read(place, observe_calldata(window)): observed}


def read(rule: PriceRule, answers: Answers) -> list[Reading]:
    assert set(rule.reads()) <= set(answers)
    found = [source.price(answers, NOW) for source in rule.sources]
    assert all(isinstance(reading, Reading) for reading in found), found
    return [reading for reading in found if isinstance(reading, Reading)]


def test_rule__of_one_feed__is_chainlink_in_usd(tmp_path: Path) -> None:
    (found,) = read(rule_of(tmp_path, "WETH", WETH, f"{{sources: {{{CHAINLINK}}}}}"), feed(ETH_FEED, "3120.5"))
    assert (found.source, found.age, found.max_age) == ("chainlink", 60, 3_900)
    assert (found.price.base, found.price.quote, found.price.ratio) == (WETH, USD, Fraction("3120.5"))


def test_rule__of_several_feeds__tells_them_apart(tmp_path: Path) -> None:
    price = (
        f'{{sources: [{{{CHAINLINK}}}, {{kind: chainlink, feed: "{SECOND_FEED}", heartbeat: 1h}}], need: 2, apart: 2%}}'
    )
    rule = rule_of(tmp_path, "WETH", WETH, price)
    assert [source.name for source in rule.sources] == [
        f"chainlink {place[:6]}…{place[-4:]}" for place in (ETH_FEED, SECOND_FEED)
    ]
    assert (rule.need, rule.apart_bps) == (2, 200)


def test_rule__of_different_kinds__has_names_without_places(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, "WETH", WETH, f"{{sources: [{{{CHAINLINK}}}, {{{TWAP}}}], min: 100 USD, max: 9000 USD}}")
    assert [source.name for source in rule.sources] == ["chainlink", "twap30m"]
    assert (rule.low, rule.high) == (100, 9_000)


def test_rule__of_an_average__is_brought_to_usd_by_the_other_token(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, "WETH", WETH, f"{{sources: [{{{CHAINLINK}}}, {{{TWAP}}}]}}")
    first = int(WETH.address, 16) < int(USDC.address, 16)
    tick = -196_000 if first else 196_000
    answers = {**feed(ETH_FEED, 3_000), **feed(USDC_FEED, "0.99"), **mean(POOL, 1_800, tick)}
    _, average = read(rule, answers)
    alone = TwapSource("twap", POOL, WETH, USDC, 1_800).price(answers, NOW)
    assert isinstance(alone, Reading)
    assert average.price.quote == USD
    assert average.price.ratio == alone.price.ratio * Fraction("0.99")
    assert average.source == "twap30m"


def test_rule__of_an_average_by_the_pools_name__finds_it(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, "WETH", WETH, f"{{sources: [{{{CHAINLINK}}}, {{kind: twap, pool: deep, window: 30m}}]}}")
    assert Read(OTHER_POOL, SLOT0) in rule.reads()


PRODUCT = f"""{{sources: [{{kind: product, of: [
        {{kind: chainlink, feed: "{RATE_FEED}", heartbeat: 24h, pair: wstETH / ETH}},
        {{{CHAINLINK}}}]}}]}}"""


def test_rule__of_a_product__multiplies_and_is_as_stale_as_the_stalest(tmp_path: Path) -> None:
    answers = {**feed(RATE_FEED, "1.2", 18, age=80_000), **feed(ETH_FEED, 3_000, age=3_000)}
    (found,) = read(rule_of(tmp_path, "wstETH", STAKED, PRODUCT), answers)
    assert (found.price.base, found.price.quote, found.price.ratio) == (STAKED, USD, 3_600)
    assert (found.source, found.age, found.max_age) == ("chainlink", 3_000, 3_900)


def test_rule__of_a_product_with_a_factor_turned_round__inverts_it(tmp_path: Path) -> None:
    price = PRODUCT.replace("pair: wstETH / ETH", "pair: ETH / wstETH, invert: true")
    (found,) = read(rule_of(tmp_path, "wstETH", STAKED, price), {**feed(RATE_FEED, "0.8", 18), **feed(ETH_FEED, 3_000)})
    assert (found.price.base, found.price.quote, found.price.ratio) == (STAKED, USD, 3_750)


def test_rule__of_a_fixed_price__is_that_price(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, "wstETH", STAKED, "{sources: [{kind: fixed, price: 3500.25 USD}]}")
    (found,) = read(rule, {})
    assert (found.source, found.price.ratio, found.age) == ("fixed", Fraction("3500.25"), None)


def test_rule__on_a_chain_with_a_sequencer__reads_its_feed_as_well(tmp_path: Path) -> None:
    uptime = Sequencer(address(0x5E9), 3_600)
    rule = rule_of(tmp_path, "WETH", WETH, f"{{sources: {{{CHAINLINK}}}}}", uptime)
    assert Read(uptime.feed, LATEST_ROUND) in rule.reads()
    down = {**feed(ETH_FEED, 3_000), Read(uptime.feed, LATEST_ROUND): words(1, 1, NOW - 9_000, NOW, 1)}
    assert "sequencer is down" in rule.sources[0].price(down, NOW).reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("price", "pins", "expected"),
    [
        (
            f"{{sources: [{{{TWAP}}}]}}",
            replace(PINS, pools={}),
            f"prices.wstETH: expected a pool of this vault or chain, found {POOL}",
        ),
        (f"{{sources: [{{{TWAP}}}]}}", PINS, "prices.wstETH: expected an average of wstETH, found a pool of WETH/USDC"),
        (
            PRODUCT.replace(CHAINLINK, TWAP),
            PINS,
            "prices.wstETH: expected an average of ETH, found a pool of WETH/USDC",
        ),
    ],
)
def test_rule__of_an_average_that_cannot_be__is_refused(tmp_path: Path, price: str, pins: Pins, expected: str) -> None:
    loaded = config(tmp_path, (f"{WETH_PRICE}\n      USDC:", f"{WETH_PRICE}\n      wstETH: {price}\n      USDC:"))
    maker = PriceMaker(loaded.config.chains["local"], pins, loaded.config.prices_of("treasury"), None, {})
    with pytest.raises(ConfigError) as caught:
        maker.rule("wstETH", STAKED)
    assert str(caught.value) == f"config: {expected}"


def test_rule__of_an_average_against_an_unpriced_token__is_refused(tmp_path: Path) -> None:
    dai = Token(CHAIN, address(0xDA1), "DAI", 18)
    pins = replace(PINS, pools={POOL: pool_at(POOL, WETH, dai)})
    loaded = config(tmp_path, (WETH_PRICE, f"{{sources: [{{{CHAINLINK}}}, {{{TWAP}}}]}}"))
    maker = PriceMaker(loaded.config.chains["local"], pins, loaded.config.prices_of("treasury"), None, {})
    with pytest.raises(ConfigError, match="expected a price of DAI in USD to multiply with, found none"):
        maker.rule("WETH", WETH)
