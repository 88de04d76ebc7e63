from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts_abi import runtime
from keeper.app.claims import Claims
from keeper.app.pinning import look_for_reader, require
from keeper.chain.nodes.messages import Request
from keeper.chain.reading.pins import FeedWant, Finding, Pinner, Pins, PoolWant, TokenWant, code_hash
from keeper.core.errors import ConfigError
from tests.builders import CHAIN, USDC, WETH, make_block
from tests.unit.app.app_configs import ETH_FEED, OTHER_POOL, POOL, USDC_FEED, WETH_PRICE, config

SECOND = """
  reserve:
    chain: local
    custody: {kind: wallet, address: "0x6000000000000000000000000000000000000001"}
    strategy: {kind: weights, weights: {WETH: 50%, USDC: 50%}, trigger: 4pp, destination: 2pp}
    pools: [deep, "POOL"]
""".replace("POOL", POOL)


def claims(folder: Path, *edits: tuple[str, str], vaults: tuple[str, ...] = ("treasury",)) -> Claims:
    return Claims(config(folder, *edits).config, "local", vaults)


def test_claims__of_one_vault__are_what_it_uses_and_no_more(tmp_path: Path) -> None:
    found = claims(tmp_path)
    assert list(found.tokens()) == [
        TokenWant("chains.local.tokens.USDC", USDC.address, "USDC"),
        TokenWant("chains.local.tokens.WETH", WETH.address, "WETH"),
    ]
    assert list(found.pools()) == [PoolWant("vaults.treasury.pools[0]", POOL, spare=True)]
    assert list(found.feeds()) == [
        FeedWant("chains.local.prices.USDC.sources[0]", USDC_FEED, description="USDC / USD"),
        FeedWant("chains.local.prices.WETH.sources[0]", ETH_FEED, description="ETH / USD"),
    ]


def test_claims__with_declared_decimals__compare_them(tmp_path: Path) -> None:
    edit = (f'USDC: "{USDC.address}"', f'USDC: {{address: "{USDC.address}", decimals: 6}}')
    assert [want.decimals for want in claims(tmp_path, edit).tokens()] == [6, None]


def test_claims__of_two_vaults__look_at_a_shared_pool_once(tmp_path: Path) -> None:
    found = claims(tmp_path, ("\nvaults:", f"\nvaults:{SECOND.rstrip()}"), vaults=("reserve", "treasury"))
    assert list(found.pools()) == [
        PoolWant("vaults.reserve.pools[0]", OTHER_POOL, name="deep", spare=True),
        PoolWant("vaults.reserve.pools[1]", POOL, spare=True),
    ]


def test_claims__of_an_average__look_at_its_pool(tmp_path: Path) -> None:
    price = WETH_PRICE.replace("}]}", "}, {kind: twap, pool: deep, window: 30m}]}")
    found = claims(tmp_path, (WETH_PRICE, price))
    assert list(found.pools())[1:] == [PoolWant("chains.local.prices.WETH.sources[1]", OTHER_POOL, name="deep")]


def test_claims__of_a_pool_that_a_price_is_taken_from__cannot_spare_it(tmp_path: Path) -> None:
    price = WETH_PRICE.replace("}]}", f'}}, {{kind: twap, pool: "{POOL}", window: 30m}}]}}')
    assert list(claims(tmp_path, (WETH_PRICE, price)).pools()) == [PoolWant("vaults.treasury.pools[0]", POOL)]


@pytest.mark.fault("C19")
def test_claims__of_one_feed_for_two_pairs__are_both_looked_at(tmp_path: Path) -> None:
    swapped = WETH_PRICE.replace(ETH_FEED, USDC_FEED)
    descriptions = [want.description for want in claims(tmp_path, (WETH_PRICE, swapped)).feeds()]
    assert descriptions == ["USDC / USD", "ETH / USD"]


def test_claims__of_a_feed_in_two_places__look_at_it_once(tmp_path: Path) -> None:
    own = f'    pools: ["{POOL}"]\n    prices: {{USDC: {WETH_PRICE.replace("ETH / USD", "USDC / USD")}}}\n'
    found = claims(tmp_path, (f'    pools: ["{POOL}"]\n', own))
    assert [(want.path, want.address) for want in found.feeds()] == [
        ("vaults.treasury.prices.USDC.sources[0]", ETH_FEED),
        ("chains.local.prices.WETH.sources[0]", ETH_FEED),
    ]


def test_require__where_something_is_wrong__names_the_first_and_counts_the_rest(tmp_path: Path) -> None:
    loaded = config(tmp_path)
    good, bad = Finding("a", "1", "1", True), Finding("b", "1", "2", False)
    require(loaded, [good])
    for findings, more in (([good, bad], ""), ([bad, good, bad, bad], r" \(and 2 more: keeper check\)")):
        with pytest.raises(ConfigError, match=f"keeper.yaml: b: expected 1, found 2{more}$"):
            require(loaded, findings)


@pytest.mark.parametrize("name", ["reader", "probe"])
def test_runtime__of_our_contracts__is_code(name: str) -> None:
    assert len(runtime(name)) > 100


def test_require__where_only_a_spared_pool_is_wrong__goes_on(tmp_path: Path) -> None:
    loaded = config(tmp_path)
    spared = Finding("vaults.treasury.pools[1]", "a pool", "none", False, spares=True)
    require(loaded, [Finding("a", "b", "b", True), spared])
    with pytest.raises(ConfigError, match=r"vaults.treasury.pools\[1\]: expected a pool, found none \(and 1 more"):
        require(loaded, [spared, Finding("vaults.treasury.pools", "a pool for every token", "none for WETH", False)])


@dataclass
class Codes:
    """A node that is asked for code only."""

    code: str

    def batch(self, requests: Sequence[Request]) -> list[str]:
        return [self.code] * len(requests)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("0x" + runtime("reader").hex(), []),
        ("0x", [f"reader: expected a contract at {POOL}, found no code"]),
        ("0x00", [f"reader: expected the code of contracts/Reader.sol ({code_hash(runtime('reader'))[:10]}…), found "]),
    ],
)
def test_look_for_reader__where_our_code_is_or_is_not__says_so(code: str, wrong: list[str]) -> None:
    pins = Pins(make_block())
    look_for_reader(Pinner(Codes(code), CHAIN, b""), pins, POOL, "reader")  # type: ignore[arg-type]
    assert [str(each).startswith(text) for each, text in zip(pins.wrong, wrong, strict=True)] == [True] * len(wrong)
