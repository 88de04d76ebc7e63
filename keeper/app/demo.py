"""The demo's world: a chain in this process, a market on it, two funded vaults with their keys, and a config."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from keeper.chain.nodes.rpc import Rpc
from keeper.core.units import Address
from keeper.local.deployer import Deployer, UnlockedAccount
from keeper.local.embedded import EmbeddedChain
from keeper.local.market import Market
from keeper.local.paths import SLOW

DEPLOYER = Address("0x00000000000000000000000000000000000De907")
WEI = 10**18

HOLDINGS = {
    "treasury": {"WETH": Fraction(200), "USDC": Fraction(400_000)},
    "basket": {"WETH": Fraction(40), "BTC": Fraction(3, 2), "USDC": Fraction(90_000)},
}
"""Each begins at its target weights."""

CONFIG = """\
# Written by `keeper demo`. The chain lives only while the demo runs; the journal beside this file stays.
chains:
  demo:
    chain_id: {chain_id}
    rpc: {url}
    confirmations: 1
    finality: 2 blocks
    block_time: 12s
    clock: chain                 # simulated days: the latest block says what time it is
    max_head_age: off
    native: {{symbol: ETH, wrapped: WETH}}
    tokens:
      WETH: "{tokens[WETH].address}"
      BTC: "{tokens[BTC].address}"
      USDC: "{tokens[USDC].address}"
    factories:
      "{factory}": {{kind: uniswap_v2, router: {{kind: v2_router, address: "{router}"}}}}
    prices:
      WETH:
        sources:                 # a quick feed, and an average that lags behind it
          - {{kind: chainlink, feed: "{feeds[ETH/USD]}", heartbeat: 1h, pair: ETH / USD}}
          - {{kind: chainlink, feed: "{slow}", heartbeat: 1h}}
        need: 2
        apart: 2000bps
      BTC: {{sources: {{kind: chainlink, feed: "{feeds[BTC/USD]}", heartbeat: 1h, pair: BTC / USD}}}}
      USDC: {{sources: {{kind: chainlink, feed: "{feeds[USDC/USD]}", heartbeat: 1h, pair: USDC / USD}}}}
signers:
  treasury: {{key_file: treasury.key, address: "{treasury}"}}
  basket: {{key_file: basket.key, address: "{basket}"}}
vaults:
  treasury:
    chain: demo
    mode: live
    custody: {{kind: wallet, signer: treasury}}
    strategy: {{kind: weights, weights: {{WETH: 60%, USDC: 40%}}, trigger: 2pp, destination: 50bps}}
    pools: ["{pools[WETH/USDC]}"]
    schedule: {{every: 30m}}
    guards: {{max_slippage: 30bps, max_impact: 100bps, max_deviation: 60bps, max_turnover: 40% per 24h}}
  basket:
    chain: demo
    mode: live
    custody: {{kind: wallet, signer: basket}}
    strategy:
      kind: weights
      weights: {{WETH: 40%, BTC: 30%, USDC: 30%}}
      trigger: 10% of weight
      destination: 4% of weight
    pools: ["{pools[WETH/USDC]}", "{pools[BTC/USDC]}", "{pools[WETH/BTC]}"]
    schedule: {{every: 30m}}
    guards: {{max_slippage: 30bps, max_impact: 100bps, max_deviation: 60bps, max_turnover: 60% per 24h}}
journal: demo.db
telemetry: {{log_level: info, json: true}}
"""


@dataclass(frozen=True, slots=True)
class World:
    """A market that somebody still has to move, and the configuration of the keeper on it."""

    chain: EmbeddedChain
    market: Market
    config: Path
    born: int
    """{Unix seconds} When its first moment came."""


@contextmanager
def world(out: Path, port: int) -> Iterator[World]:
    """Builds everything in `out`, a folder of its own: keys and configuration are written anew, and so is the journal.

    Raises OSError where the folder cannot be written or the port is taken.
    """
    from eth_account import Account

    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("demo.db*"):
        old.unlink()
    keys = {name: secrets.token_bytes(32) for name in HOLDINGS}
    holders = {name: Address(Account.from_key(key).address) for name, key in keys.items()}
    for name, key in keys.items():
        _write_private(out / f"{name}.key", key.hex())
    with EmbeddedChain(accounts={DEPLOYER: 1_000 * WEI}, port=port) as chain:
        rpc = Rpc("demo", [chain.url])
        deployer = Deployer(rpc, UnlockedAccount(DEPLOYER))
        market = Market.deploy(deployer)
        for name, amounts in HOLDINGS.items():
            market.fund(holders[name], amounts)
            deployer.pay(holders[name], WEI // 2)
        config = out / "keeper.yaml"
        config.write_text(_config(chain, market, holders), "utf-8")
        try:
            yield World(chain, market, config, chain.now)
        finally:
            rpc.close()


def _config(chain: EmbeddedChain, market: Market, holders: dict[str, Address]) -> str:
    return CONFIG.format(
        chain_id=chain.chain_id,
        url=chain.url,
        tokens=market.tokens,
        factory=market.factory,
        router=market.router,
        feeds=market.feeds,
        slow=market.feeds[SLOW],
        pools=market.pools,
        **holders,
    )


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
