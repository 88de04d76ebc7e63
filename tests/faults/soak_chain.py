"""A chain and a market for hours of weather: Anvil, whose blocks and clock the test moves, and a config on it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from eth_account import Account

from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.core.abi import calldata, word
from keeper.core.units import WHOLE_BPS, Address, Token
from keeper.local.anvil import Anvil, run_anvil
from keeper.local.deployer import Deployer, DeployError, UnlockedAccount
from keeper.local.market import COINS, Market
from keeper.local.paths import SLOW, START, Moment
from tests.chain.node import Node

BLOCK = 12
"""{s}"""
BORN = 1_700_000_000
USUAL_BASE_FEE, SPIKE = 2 * 10**8, 400 * 10**9
"""{wei} The spike is four times what `max_base_fee` allows."""
PATIENT = 10**13
"""{wei} What the market offers for gas, so that no spike holds it up."""
FINALITY = 12
"""{blocks} Deeper than any reorg of the soak."""
TARGETS = {
    "treasury": {"WETH": 6_000, "USDC": 4_000},
    "basket": {"WETH": 4_000, "BTC": 3_000, "USDC": 3_000},
}
"""{bps}"""
TRIGGER = 100
"""{bps}"""
HOLDINGS = {
    "treasury": {"WETH": Fraction(200), "USDC": Fraction(400_000)},
    "basket": {"WETH": Fraction(40), "BTC": Fraction(3, 2), "USDC": Fraction(90_000)},
}
GAS_MONEY = 5 * 10**18

CONFIG = """\
chains:
  soak:
    chain_id: {chain_id}
    rpc: [{urls}]
    quorum: 1
    confirmations: 1
    finality: {finality} blocks
    block_time: 12s
    clock: chain
    max_head_age: off
    native: {{symbol: ETH, wrapped: WETH}}
    tokens:
      WETH: "{tokens[WETH].address}"
      BTC: "{tokens[BTC].address}"
      USDC: "{tokens[USDC].address}"
    factories:
      "{factory}": {{kind: uniswap_v2, router: {{kind: v2_router, address: "{router}"}}}}
    prices:
      WETH: {{sources: {{kind: chainlink, feed: "{feeds[ETH/USD]}", heartbeat: 1h, pair: ETH / USD}}}}
      BTC: {{sources: {{kind: chainlink, feed: "{feeds[BTC/USD]}", heartbeat: 1h, pair: BTC / USD}}}}
      USDC: {{sources: {{kind: chainlink, feed: "{feeds[USDC/USD]}", heartbeat: 1h, pair: USDC / USD}}}}
signers:
  treasury: {{key_file: treasury.key, address: "{senders[treasury]}"}}
  basket: {{key_file: basket.key, address: "{senders[basket]}"}}
vaults:
  treasury:
    chain: soak
    mode: live
    dangerously_exceed_ceilings: true
    custody: {{kind: wallet, signer: treasury, native: ignore}}
    strategy: {{kind: weights, weights: {{WETH: 60%, USDC: 40%}}, trigger: 1pp, destination: 20bps}}
    pools: ["{pools[WETH/USDC]}"]
    schedule: {{every: 1m}}
    guards: {{cool_down: 0s, max_impact: 100bps, max_turnover: 2000% per 24h, max_trades: 2000 per 24h}}
    breakers: {{price_jump: off, reverts: off, loss: off}}
  basket:
    chain: soak
    mode: live
    dangerously_exceed_ceilings: true
    custody: {{kind: wallet, signer: basket, native: ignore}}
    strategy: {{kind: weights, weights: {{WETH: 40%, BTC: 30%, USDC: 30%}}, trigger: 1pp, destination: 20bps}}
    pools: ["{pools[WETH/USDC]}", "{pools[BTC/USDC]}", "{pools[WETH/BTC]}"]
    schedule: {{every: 1m}}
    guards: {{cool_down: 0s, max_impact: 100bps, max_turnover: 2000% per 24h, max_trades: 2000 per 24h}}
    breakers: {{price_jump: off, reverts: off, loss: off}}
journal: keeper.db
telemetry: {{log_level: info, json: true}}
"""


class Unhurried(Deployer):
    """Its calls wait in the pool for the next block, and offer enough for any."""

    def call(self, to: Address, signature: str, *arguments: Any, value: int = 0) -> dict[str, Any]:
        data = "0x" + calldata(signature, *arguments).hex()
        fees = {"maxFeePerGas": hex(PATIENT), "maxPriorityFeePerGas": hex(10**9), "gas": hex(5_000_000)}
        try:
            self._account.send(self.rpc, {"to": to, "data": data, "value": hex(value), **fees})
        except RpcError as error:
            raise DeployError(f"{signature}: {error}") from None
        return {}


@dataclass
class SoakChain:
    """Whoever holds it makes the blocks. `now` is the time of the last one, in Unix seconds."""

    anvil: Anvil
    node: Node
    market: Market
    keys: Mapping[str, bytes]
    """Vault -> private key."""
    now: int
    prices: dict[str, Fraction] = field(default_factory=lambda: dict(START))

    @property
    def senders(self) -> dict[str, Address]:
        return {vault: Address(Account.from_key(key).address) for vault, key in self.keys.items()}

    # --- moving ------------------------------------------------------------------------------------------------------

    def mine(self, *, base_fee: int = USUAL_BASE_FEE) -> None:
        """One block, 12 seconds after the last one that there ever was."""
        self.now += BLOCK
        steps: list[tuple[str, list[Any]]] = [
            ("anvil_setNextBlockBaseFeePerGas", [hex(base_fee)]),
            ("evm_setNextBlockTimestamp", [hex(self.now)]),
            ("evm_mine", []),
        ]
        for method, params in steps:
            self.node.rpc(method, *params)

    def move(self, **moves: int) -> None:
        """Feeds and pools go by so many bps, in the next block; those that have been undone come along."""
        for coin, bps in moves.items():
            self.prices[coin] = round(self.prices[coin] * (WHOLE_BPS + bps) / WHOLE_BPS, 6)
        self.market.move(Moment(0, "", self.prices, self.prices, self.prices))

    def undo(self, depth: int, *, rebuilt: bool) -> None:
        """A reorg: the last blocks are gone, and where it is `rebuilt` empty ones stand in their place."""
        if rebuilt:
            self.node.rpc("anvil_reorg", depth, [])
        else:
            self.node.rpc("anvil_rollback", depth)
        self.now = max(self.now, int(self.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16))

    def forget_pending(self) -> None:
        self.node.rpc("anvil_dropAllTransactions")

    # --- looking -----------------------------------------------------------------------------------------------------

    def sent(self) -> dict[str, list[str]]:
        """Sender -> hashes of all its transactions that are on chain, in their order."""
        head = int(self.node.rpc("eth_blockNumber"), 16)
        senders = {sender.lower(): sender for sender in self.senders.values()}
        found: dict[str, list[str]] = {sender: [] for sender in senders.values()}
        for block in self.node.batch([("eth_getBlockByNumber", [hex(number), True]) for number in range(head + 1)]):
            for transaction in block["transactions"]:
                if transaction["from"] in senders:
                    found[senders[transaction["from"]]].append(transaction["hash"])
        return found

    def balances(self, vault: str) -> dict[Token, int]:
        """{raw} Of its tokens."""
        tokens = [self.market.tokens[symbol] for symbol in TARGETS[vault]]
        return {token: self._word(token.address, "balanceOf(address)", self.senders[vault]) for token in tokens}

    def allowances(self) -> list[int]:
        """{raw} That are not zero."""
        found = [
            self._word(token.address, "allowance(address,address)", sender, self.market.router)
            for token in self.market.tokens.values()
            for sender in self.senders.values()
        ]
        return [raw for raw in found if raw]

    def _word(self, to: Address, signature: str, *arguments: Any) -> int:
        return word(self.node.call(to, calldata(signature, *arguments)), 0)

    def widest_drift(self, vault: str) -> Fraction:
        """{bps}"""
        held = self.balances(vault).items()
        values = {token.symbol: raw * self.prices[COINS[token.symbol]] / 10**token.decimals for token, raw in held}
        whole = sum(values.values())
        return max(abs(value / whole * WHOLE_BPS - TARGETS[vault][symbol]) for symbol, value in values.items())


@contextmanager
def soak_chain() -> Iterator[SoakChain]:
    with run_anvil(timestamp=BORN) as anvil:
        node = Node(anvil.url)
        rpc = Rpc("market", [anvil.url])
        account = UnlockedAccount(node.deployer)
        market = Market.deploy(Deployer(rpc, account))
        keys = {vault: secrets.token_bytes(32) for vault in HOLDINGS}
        for vault, amounts in HOLDINGS.items():
            holder = Address(Account.from_key(keys[vault]).address)
            market.fund(holder, amounts)
            market.deployer.pay(holder, GAS_MONEY)
        node.rpc("evm_setAutomine", False)
        now = int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        try:
            yield SoakChain(anvil, node, replace(market, deployer=Unhurried(rpc, account)), keys, now)
        finally:
            rpc.close()


def write_config(chain: SoakChain, folder: Path, urls: Sequence[str]) -> Path:
    """The configuration with its key files."""
    for vault, key in chain.keys.items():
        file = folder / f"{vault}.key"
        file.touch(mode=0o600)
        file.write_text(key.hex(), "utf-8")
    market = chain.market
    path = folder / "keeper.yaml"
    text = CONFIG.format(
        chain_id=chain.node.chain_id,
        urls=", ".join(f'"{url}"' for url in urls),
        finality=FINALITY,
        tokens=market.tokens,
        factory=market.factory,
        router=market.router,
        feeds={name: feed for name, feed in market.feeds.items() if name != SLOW},
        pools=market.pools,
        senders=chain.senders,
    )
    path.write_text(text, "utf-8")
    return path
