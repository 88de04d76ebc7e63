"""Many vaults in one configuration, dry, each funded at its target weights: they look and hold."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from bench.local import Local, holder
from keeper.app.loading import open_config
from keeper.config import Loaded
from keeper.local.paths import SLOW

HOLDINGS = {"WETH": Fraction(20), "USDC": Fraction(40_000)}
"""60 % and 40 % at the market's first prices."""
GAS = 10**18 // 20
"""{wei} More than the reserve for gas: a vault below it would rather fill it up than hold."""

CHAIN = """\
chains:
  local:
    chain_id: {chain_id}
    rpc: {url}
    confirmations: 1
    finality: 2 blocks
    block_time: 12s
    clock: chain
    max_head_age: off
    native: {{symbol: ETH, wrapped: WETH}}
    tokens: {{WETH: "{tokens[WETH].address}", USDC: "{tokens[USDC].address}"}}
    factories:
      "{factory}": {{kind: uniswap_v2, router: {{kind: v2_router, address: "{router}"}}}}
    prices:
      WETH:
        sources:
          - {{kind: chainlink, feed: "{feeds[ETH/USD]}", heartbeat: 1h, pair: ETH / USD}}
          - {{kind: chainlink, feed: "{slow}", heartbeat: 1h}}
        need: 2
        apart: 100bps
      USDC: {{sources: {{kind: chainlink, feed: "{feeds[USDC/USD]}", heartbeat: 1h, pair: USDC / USD}}}}
journal: bench.db
vaults:
"""
VAULT = """\
  vault{number}:
    chain: local
    custody: {{kind: wallet, address: "{account}"}}
    strategy: {{kind: weights, weights: {{WETH: 60%, USDC: 40%}}, trigger: 2pp, destination: 50bps}}
    pools: ["{pool}"]
    schedule: {{every: 30m}}
"""


def holding_vaults(local: Local, count: int, folder: Path) -> Loaded:
    """Writes `keeper.yaml` into `folder` for the first `count` holders. They must have been funded."""
    market = local.market
    text = CHAIN.format(
        chain_id=local.chain_id,
        url=local.url,
        tokens=market.tokens,
        factory=market.factory,
        router=market.router,
        feeds=market.feeds,
        slow=market.feeds[SLOW],
    )
    pool = market.pools["WETH/USDC"]
    text += "".join(VAULT.format(number=n, account=holder(n), pool=pool) for n in range(count))
    path = folder / "keeper.yaml"
    path.write_text(text, "utf-8")
    return open_config(path)


def fund(local: Local, count: int) -> None:
    for number in range(count):
        local.market.fund(holder(number), HOLDINGS)
        local.market.deployer.pay(holder(number), GAS)
