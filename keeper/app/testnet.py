"""The demo's market on a testnet or a private chain, deployed once and kept with a keystore of one's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

from keeper.chain.nodes.headers import quantity
from keeper.chain.nodes.rpc import Rpc
from keeper.core.errors import ConfigError
from keeper.core.ports import Signer
from keeper.core.units import Address
from keeper.local.deployer import Deployer, SignedAccount
from keeper.local.market import Market
from keeper.telemetry.mask import register_secret

TESTNETS = {
    11155111: "Sepolia",
    560048: "Hoodi",
    17000: "Holesky",
    84532: "Base Sepolia",
    11155420: "OP Sepolia",
    421614: "Arbitrum Sepolia",
    80002: "Polygon Amoy",
    1337: "a local chain",
    31337: "a local chain",
}
"""Whose coins are given away."""
REAL = frozenset(
    {1, 10, 25, 30, 56, 100, 130, 137, 146, 250, 252, 288, 324, 480, 1088, 1101, 1135, 1284, 1329, 2020, 2741, 5000}
    | {8217, 8453, 9745, 13371, 34443, 42161, 42170, 42220, 43114, 57073, 59144, 60808, 80094, 81457, 98866, 167000}
    | {534352, 7777777, 245022934}
)
"""Where coins are worth something, whatever anybody says."""
L1_FEES = {84532: "op", 11155420: "op", 421614: "node"}
HOLDINGS = {"WETH": Fraction(40), "USDC": Fraction(30_000)}
"""80 % and 20 % at the market's first prices: out of band, so that the first look trades."""
BLOCKS_BACK = 20
"""Over which the time from block to block is measured."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")

CONFIG = """\
# Written by `keeper demo --rpc`: tokens, feeds and pools of our own on {chain}. Nothing in it is worth anything.
chains:
  testnet:
    chain_id: {chain_id}
    rpc: "{rpc}"
    confirmations: 2
    finality: finalized
    block_time: {block_time}s
    max_head_age: 5m
    fees: {{max_base_fee: 100 gwei, max_fee: 300 gwei, l1: {l1}}}
    native: {{symbol: ETH, wrapped: WETH}}
    tokens:
      WETH: "{tokens[WETH].address}"
      USDC: "{tokens[USDC].address}"
    factories:
      "{factory}": {{kind: uniswap_v2, router: {{kind: v2_router, address: "{router}"}}}}
    prices:                        # nobody but `keeper demo --rpc` answers these feeds: a week, then they are stale
      WETH: {{sources: {{kind: chainlink, feed: "{feeds[ETH/USD]}", heartbeat: 7d, pair: ETH / USD}}}}
      USDC: {{sources: {{kind: chainlink, feed: "{feeds[USDC/USD]}", heartbeat: 7d, pair: USDC / USD}}}}
signers:
  ops: {{keystore: "{keystore}", password_file: "{password_file}", address: "{holder}"}}
vaults:
  treasury:
    chain: testnet
    mode: live
    custody: {{kind: wallet, signer: ops, native: ignore}}
    strategy: {{kind: weights, weights: {{WETH: 60%, USDC: 40%}}, trigger: 4pp, destination: 2pp}}
    pools: ["{pools[WETH/USDC]}"]
    schedule: {{every: 1m}}
    max_authority: 1000000 USD per 24h
    guards: {{max_slippage: 50bps, max_impact: 150bps, gas_reserve: 0.002 ETH, max_gas_cost: 500bps}}
journal: keeper.db
"""


@dataclass(frozen=True, slots=True)
class Key:
    """Who deploys, and later keeps: an opened signer, and where its files are."""

    signer: Signer
    keystore: Path
    password_file: Path


@dataclass(frozen=True, slots=True)
class Testnet:
    """A chain that may be played on, reached through `rpc`; `written` is how the configuration names its URL."""

    __test__ = False

    rpc: Rpc
    chain_id: int
    written: str

    @property
    def name(self) -> str:
        return TESTNETS.get(self.chain_id, f"chain {self.chain_id}")


def open_testnet(url: str, private: int | None) -> Testnet:
    """`url` is one, or the name of the variable that holds it; `private` is the id of a chain of one's own.

    Raises ConfigError for a chain with real value, or one that nobody named; Unreachable where it does not answer.
    """
    written, reached = url, url
    if _VARIABLE.fullmatch(url):
        written, reached = f"${{{url}}}", os.environ.get(url, "")
        if not reached:
            raise ConfigError("command", "--rpc", f"the variable {url} to be set", "nothing")
        register_secret(reached)
    elif (parts := urlsplit(url)).path.strip("/") or parts.query or parts.username:
        # It is written into the configuration, where a provider's key has no place.
        raise ConfigError(
            "command",
            "--rpc",
            "the name of a variable, such as TESTNET_RPC, for a URL like that",
            "a URL that may carry a token",
        )
    rpc = Rpc("testnet", [reached])
    chain_id = quantity(rpc.call("eth_chainId", []), "chain id")
    if chain_id in REAL:
        raise ConfigError("command", "--rpc", "a testnet or a private chain", f"chain {chain_id}, whose coins are real")
    if chain_id not in TESTNETS and chain_id != private:
        known = ", ".join(f"{number} {name}" for number, name in TESTNETS.items() if number > 31337)
        expected = f"a testnet ({known}), or --private-chain {chain_id} if it is yours"
        raise ConfigError("command", "--rpc", expected, f"chain {chain_id}")
    return Testnet(rpc, chain_id, written)


def deploy(net: Testnet, key: Key, out: Path) -> Iterator[str]:
    """Deploys market and vault, and writes `out`/keeper.yaml; yields what is being done.

    Raises ConfigError where there is a configuration already or no coin for gas, DeployError, Unreachable.
    """
    config = out / "keeper.yaml"
    if config.exists():
        raise ConfigError("command", "--out", "a folder without a keeper.yaml", str(config))
    holder = key.signer.address
    if not quantity(net.rpc.call("eth_getBalance", [holder, "latest"]), "balance"):
        raise ConfigError("command", "--rpc", f"coin for gas at {holder} on {net.name} (a faucet)", "none")
    out.mkdir(parents=True, exist_ok=True)
    yield f"deploying tokens, feeds, pools and a router to {net.name} ({net.chain_id}) with {holder}"
    market = Market.deploy(Deployer(net.rpc, SignedAccount(holder, key.signer.sign)))
    yield f"minting {' and '.join(f'{whole} {symbol}' for symbol, whole in HOLDINGS.items())} to {holder}"
    market.fund(holder, HOLDINGS)
    config.write_text(_config(net, key, market, holder), "utf-8")
    yield f"wrote {config}"


def _config(net: Testnet, key: Key, market: Market, holder: Address) -> str:
    return CONFIG.format(
        chain=net.name,
        chain_id=net.chain_id,
        rpc=net.written,
        block_time=_block_time(net.rpc),
        l1=L1_FEES.get(net.chain_id, "none"),
        tokens=market.tokens,
        factory=market.factory,
        router=market.router,
        feeds=market.feeds,
        pools=market.pools,
        keystore=key.keystore.resolve(),
        password_file=key.password_file.resolve(),
        holder=holder,
    )


def _block_time(rpc: Rpc) -> int:
    """{s} From block to block, lately; at least one."""
    head = rpc.call("eth_getBlockByNumber", ["latest", False])
    back = min(BLOCKS_BACK, quantity(head["number"], "number"))
    earlier = rpc.call("eth_getBlockByNumber", [hex(quantity(head["number"], "number") - back), False])
    passed = quantity(head["timestamp"], "timestamp") - quantity(earlier["timestamp"], "timestamp")
    return max(1, round(passed / max(back, 1)))
