"""Presets: complete, checksummed, sourced; and pools that follow from their factory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.config import load, presets
from keeper.config.chains import ChainConfig
from keeper.config.prices import ChainlinkConfig, leaves
from keeper.config.yaml_text import Tree
from tests.unit.config.deployments import written

FOLDER = Path(presets.__file__).parent / "presets"
LIVE = sorted(set(presets.known()) - {"anvil"})
L2 = {"base": 8453, "arbitrum": 42161, "optimism": 10}

V3_INIT_CODE = bytes.fromhex("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
V2_INIT_CODE = bytes.fromhex("96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f")
"""Hashes of the pools' creation code, from POOL_INIT_CODE_HASH of v3-periphery and UniswapV2Library of v2-periphery."""


def chain_of(preset: str, folder: Path) -> ChainConfig:
    """The preset alone, laid under a vault that asks for as little as possible."""
    pools = '["0x2222222222222222222222222222222222222222"]'
    tokens = 'tokens: {WETH: "0x' + "4" * 40 + '", USDC: "0x' + "3" * 40 + '"}'
    fixed = "prices: {WETH: {sources: [{kind: fixed, price: 1 USD}]}, USDC: {sources: [{kind: fixed, price: 1 USD}]}}"
    own = f", {tokens}, {fixed}" if preset == "anvil" else ""
    text = f"""\
chains:
  it: {{preset: {preset}, rpc: "https://a.example"{own}}}
vaults:
  one:
    chain: it
    custody: {{kind: wallet, address: "0x1111111111111111111111111111111111111111"}}
    strategy: {{kind: weights, weights: {{WETH: 50%, USDC: 50%}}, trigger: 1pp, destination: 0pp}}
    pools: {pools}
"""
    return load(written(folder, text), {}).config.chains["it"]


def addresses(tree: Tree) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, child in tree.items():
            yield from addresses(key)
            yield from addresses(child)
    elif isinstance(tree, list):
        for child in tree:
            yield from addresses(child)
    elif re.fullmatch("0x[0-9a-fA-F]{40}", tree):
        yield tree


def test_known__the_seven_of_the_documentation() -> None:
    assert presets.known() == ("anvil", "arbitrum", "base", "base-sepolia", "mainnet", "optimism", "sepolia")


@pytest.mark.parametrize(
    ("preset", "chain_id"),
    [("mainnet", 1), ("sepolia", 11155111), ("base-sepolia", 84532), ("anvil", 31337), *L2.items()],
)
def test_preset__loads_with_its_chain_id_and_a_priced_native_coin(preset: str, chain_id: int, tmp_path: Path) -> None:
    chain = chain_of(preset, tmp_path)
    assert chain.chain_id == chain_id
    assert chain.native.wrapped == "WETH"
    assert "WETH" in chain.prices


@pytest.mark.fault("C2")
@pytest.mark.parametrize("preset", LIVE)
def test_preset__every_address__has_its_checksum_and_stands_for_one_thing(preset: str) -> None:
    found = list(addresses(presets.read(preset)))
    assert len(found) > 6
    assert [address for address in found if to_checksum_address(address) != address] == []


@pytest.mark.parametrize("preset", LIVE)
def test_preset__every_feed__says_its_pair_heartbeat_and_range(preset: str, tmp_path: Path) -> None:
    prices = chain_of(preset, tmp_path).prices
    for price in prices.values():
        assert price.min is not None
        assert price.max is not None
        for leaf in (leaf for source in price.sources for leaf in leaves(source)):
            assert isinstance(leaf, ChainlinkConfig)
            assert leaf.pair is not None
            assert leaf.heartbeat <= 86_400


@pytest.mark.parametrize("preset", sorted(L2))
def test_preset__of_an_l2_with_a_sequencer_feed__has_it_with_an_hour_of_grace(preset: str, tmp_path: Path) -> None:
    sequencer = chain_of(preset, tmp_path).sequencer
    assert sequencer is not None
    assert sequencer.grace == 3_600


@pytest.mark.parametrize("preset", LIVE)
def test_preset__says_where_its_addresses_come_from(preset: str) -> None:
    text = (FOLDER / f"{preset}.yaml").read_text("utf-8")
    assert text.count("docs.uniswap.org") >= 1
    assert "docs.chain.link" in text
    assert max(len(line) for line in text.splitlines()) <= 125


def create2(factory: str, salt: bytes, init_code: bytes) -> str:
    """EIP-1014."""
    return to_checksum_address(keccak(b"\xff" + bytes.fromhex(factory[2:]) + salt + init_code)[12:])


@pytest.mark.parametrize("preset", LIVE)
def test_preset__every_pool__follows_from_factory_tokens_and_fee(preset: str, tmp_path: Path) -> None:
    chain = chain_of(preset, tmp_path)
    tokens = {symbol.lower(): bytes.fromhex(token.address[2:]) for symbol, token in chain.tokens.items()}
    factories = {factory.kind: address for address, factory in chain.factories.items()}
    for name, address in chain.pools.items():
        one, other, fee = name.split("-")
        low, high = sorted((tokens[one], tokens[other]))
        if fee == "v2":
            expected = create2(factories["uniswap_v2"], keccak(low + high), V2_INIT_CODE)
        else:
            words = low.rjust(32, b"\0") + high.rjust(32, b"\0") + int(fee).to_bytes(32, "big")
            expected = create2(factories["uniswap_v3"], keccak(words), V3_INIT_CODE)
        assert address == expected, name


def test_apply__file_over_preset__joins_mappings_and_replaces_the_rest(tmp_path: Path) -> None:
    text = """\
chains:
  base:
    preset: base
    rpc: https://a.example
    fees: {max_tip: 2 gwei}
    tokens: {DUSD: "0x3333333333333333333333333333333333333333"}
    prices: {USDC: {sources: [{kind: fixed, price: 1 USD}]}}
vaults:
  one:
    chain: base
    custody: {kind: wallet, address: "0x1111111111111111111111111111111111111111"}
    strategy: {kind: weights, weights: {WETH: 50%, USDC: 50%}, trigger: 1pp, destination: 0pp}
    pools: weth-usdc-500
"""
    chain = load(written(tmp_path, text), {}).config.chains["base"]
    assert (chain.fees.max_tip, chain.fees.max_fee) == (2 * 10**9, 6 * 10**9)
    assert {"DUSD", "WETH", "USDC"} <= set(chain.tokens)
    assert [source.kind for source in chain.prices["USDC"].sources] == ["fixed"]
    assert chain.prices["USDC"].max == 2
