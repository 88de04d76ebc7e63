"""Many vaults in one configuration, dry, each funded at its target weights: they look and hold."""

from __future__ import annotations

from pathlib import Path

from bench.local import Local, holder
from keeper.app.loading import open_config
from keeper.config import Loaded
from keeper.local.market import COINS, Market
from keeper.local.paths import SLOW, START

WEIGHTS = {"WETH": 50, "BTC": 20, "USDC": 30}
"""{%}"""
VALUE = 100_000
"""{USD} Of each vault, at the market's first prices."""
GAS = 10**18 // 20
"""{wei} More than the reserve for gas: a vault below it would rather fill it up than hold."""
AT_ONCE = 50
"""Accounts that one transaction funds."""

CHAIN = """\
chains:
  local:
    chain_id: {chain_id}
    rpc: {url}
    confirmations: 1
    finality: 2 blocks
    block_time: 12s
    clock: {clock}
    max_head_age: off
    native: {{symbol: ETH, wrapped: WETH}}
    tokens: {{WETH: "{tokens[WETH].address}", BTC: "{tokens[BTC].address}", USDC: "{tokens[USDC].address}"}}
    factories:
      "{factory}": {{kind: uniswap_v2, router: {{kind: v2_router, address: "{router}"}}}}
    prices:
      WETH:
        sources:
          - {{kind: chainlink, feed: "{feeds[ETH/USD]}", heartbeat: 1h, pair: ETH / USD}}
          - {{kind: chainlink, feed: "{slow}", heartbeat: 1h}}
        need: 2
        apart: 100bps
      BTC: {{sources: {{kind: chainlink, feed: "{feeds[BTC/USD]}", heartbeat: 1h, pair: BTC / USD}}}}
      USDC: {{sources: {{kind: chainlink, feed: "{feeds[USDC/USD]}", heartbeat: 1h, pair: USDC / USD}}}}
journal: bench.db
vaults:
"""
VAULT = """\
  vault{number}:
    chain: local
    custody: {{kind: wallet, address: "{account}"}}
    strategy: {{kind: weights, weights: {{WETH: 50%, BTC: 20%, USDC: 30%}}, trigger: 2pp, destination: 50bps}}
    pools: ["{pools[WETH/USDC]}", "{pools[BTC/USDC]}"]
    schedule: {{every: 30m}}
"""


def holding_vaults(local: Local, count: int, folder: Path, clock: str = "system") -> Loaded:
    """Writes `keeper.yaml` into `folder` for the first `count` holders. They must have been funded."""
    market = local.market
    text = CHAIN.format(
        chain_id=local.chain_id,
        clock=clock,
        url=local.url,
        tokens=market.tokens,
        factory=market.factory,
        router=market.router,
        feeds=market.feeds,
        slow=market.feeds[SLOW],
    )
    text += "".join(VAULT.format(number=n, account=holder(n), pools=market.pools) for n in range(count))
    path = folder / "keeper.yaml"
    path.write_text(text, "utf-8")
    return open_config(path)


def fund(local: Local, count: int) -> None:
    """Each at its target weights, with a little native coin."""
    raws = {symbol: raw_of(local.market, symbol) for symbol in WEIGHTS}
    for first in range(0, count, AT_ONCE):
        holders = [holder(number) for number in range(first, min(first + AT_ONCE, count))]
        local.market.mint([(symbol, account, raw) for account in holders for symbol, raw in raws.items()])
        local.rpc.batch([("anvil_setBalance", [account, hex(GAS)]) for account in holders], nullable=True)


def raw_of(market: Market, symbol: str) -> int:
    """{raw} What a vault holds of it."""
    return int(VALUE * WEIGHTS[symbol] * 10 ** market.tokens[symbol].decimals / 100 / START[COINS[symbol]])
