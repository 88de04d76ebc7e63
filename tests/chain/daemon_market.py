"""A market for a whole keeper: feeds, four pools behind three routers, and two funded vaults with keys of their own.

Vault `old` trades through v3's first router and v2's; vault `new` through SwapRouter02, and holds most of its ether as
native coin. A mixed market has more pools of the same tokens (tests/chain/mixed_pools.py). Blocks come at a steady
pace, and a move of the market is one block of its own.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from eth_account import Account

import contracts_abi
from keeper.core.abi import calldata, word
from keeper.core.units import NATIVE, WHOLE_BPS, Address, Token, TokenAmount
from tests.chain import uniswap
from tests.chain.balancer import Balancer
from tests.chain.daemon_custody import KINDS, Holder
from tests.chain.mixed_pools import Mover, add_pair, add_weighted, open_balancer
from tests.chain.node import Node
from tests.chain.uniswap import Deployment

PACE = 0.4
"""{s} From block to block: quicker than the keeper ticks, so that what one tick sends is mined before the next."""
FEE_OLD, FEE_NEW = 500, 3_000
"""{ppm}"""
DEPTH, MIXED_DEPTH = 2_000, 10
"""{WETH} Of each position in vault `new`'s v3 pool: so little that it is worth to trade elsewhere too."""
WIDTHS = 8_000, 1_200, 300
"""{ticks} Positions around the first price, so that there are ticks to cross."""
TARGETS = {
    "old": {"WETH": 4_000, "LINK": 2_000, "USDC": 4_000},
    "new": {"WETH": 6_000, "USDC": 4_000},
}
"""{bps}"""
TRIGGER = 100
"""{bps}"""
HOLDINGS = {
    "old": {"WETH": Fraction(20), "LINK": Fraction(1_500), "USDC": Fraction(60_000), "ETH": Fraction(2)},
    "new": {"WETH": Fraction(1, 4), "USDC": Fraction(40_000), "ETH": Fraction(197_700, 10_000)},
}
"""{whole} Near the targets at the first prices."""
GAS_MONEY = Fraction(1)
"""{ETH} Of a sender that holds no funds."""
PRICES = {"WETH": Fraction(3_000), "LINK": Fraction(20), "USDC": Fraction(1)}
"""{USD} The first ones."""

CONFIG = """\
chains:
  anvil:
    chain_id: {chain_id}
    rpc: "${{DAEMON_RPC}}"
    confirmations: 1
    finality: 2 blocks
    block_time: 400ms
    native: {{symbol: ETH, wrapped: WETH}}
    tokens:
      WETH: "{tokens[WETH].address}"
      LINK: "{tokens[LINK].address}"
      USDC: {{address: "{tokens[USDC].address}", decimals: 6}}
    factories:
      "{old.v3_factory}": {{kind: uniswap_v3, router: {{kind: swap_router, address: "{old.swap_router}"}}}}
      "{old.v2_factory}": {{kind: uniswap_v2, router: {{kind: v2_router, address: "{old.v2_router}"}}}}
      "{new.v2_factory}": {{kind: uniswap_v2, router: {{kind: swap_router02, address: "{new.swap_router02}"}}}}
      "{new.v3_factory}": {{kind: uniswap_v3, router: {{kind: swap_router02, address: "{new.swap_router02}"}}}}
    prices:
      WETH: {{sources: {{kind: chainlink, feed: "{feeds[WETH]}", heartbeat: 1h, pair: ETH / USD}}}}
      LINK: {{sources: {{kind: chainlink, feed: "{feeds[LINK]}", heartbeat: 1h, pair: LINK / USD}}}}
      USDC: {{sources: {{kind: chainlink, feed: "{feeds[USDC]}", heartbeat: 1h, pair: USDC / USD}}}}
signers:
  old: {{key_file: old.key, address: "{senders[old]}"}}
  new: {{key_file: new.key, address: "{senders[new]}"}}
vaults:
  old:
    chain: anvil
    mode: live
    custody: {holders[old].text}
    strategy:
      {{kind: weights, weights: {{WETH: 40%, LINK: 20%, USDC: 40%}}, trigger: 1pp, destination: 20bps, dust: 50 USD}}
    pools: {traded[old]}
    schedule: {{every: 1s}}
    guards: {{cool_down: 0s, max_turnover: 100% per 24h, max_trades: 200 per 24h}}
    breakers: {{price_jump: off}}
  new:
    chain: anvil
    mode: live
    custody: {holders[new].text}
    strategy: {{kind: weights, weights: {{WETH: 60%, USDC: 40%}}, trigger: 1pp, destination: 20bps, dust: 50 USD}}
    pools: {traded[new]}
    schedule: {{every: 1s}}
    guards: {{cool_down: 0s, max_turnover: 100% per 24h, max_trades: 200 per 24h}}
    breakers: {{price_jump: off}}
journal: keeper.db
telemetry: {{log_level: info, json: true}}
"""


class Later(Node):
    """The same node, but transactions wait in its pool until `mine` puts all of them into one block."""

    def __init__(self, node: Node) -> None:
        self.url, self.accounts, self.deployer, self.chain_id = node.url, node.accounts, node.deployer, node.chain_id
        self._waiting: list[str] = []

    def _mine(self, message: dict[str, str]) -> Any:
        self._waiting.append(self.rpc("eth_sendTransaction", message))

    def mine(self) -> int:
        """The block's number. Raises AssertionError where one of them failed."""
        self.rpc("evm_mine")
        receipts = [self.rpc("eth_getTransactionReceipt", sent) for sent in self._waiting]
        self._waiting.clear()
        assert all(receipt and receipt["status"] == "0x1" for receipt in receipts), receipts
        return int(self.rpc("eth_blockNumber"), 16)


@dataclass
class Market:
    node: Node
    old: Deployment
    new: Deployment
    tokens: Mapping[str, Token]
    feeds: Mapping[str, Address]
    pools: Mapping[str, Address]
    keys: Mapping[str, bytes]
    """Vault -> private key."""
    holders: dict[str, Holder] = field(default_factory=dict)
    """Vault -> whose balances it is, and how the configuration says so."""
    balancer: Balancer | None = None
    movers: tuple[Mover, ...] = ()
    """Of pools that are only in a mixed market."""
    prices: dict[str, Fraction] = field(default_factory=lambda: dict(PRICES))
    _mining: threading.Lock = field(default_factory=threading.Lock)

    @property
    def senders(self) -> dict[str, Address]:
        return {vault: Address(Account.from_key(key).address) for vault, key in self.keys.items()}

    @property
    def routers(self) -> dict[Address, str]:
        """Those that the keeper may use, each with its kind."""
        found = {
            self.old.swap_router: "swap_router",
            self.old.v2_router: "v2_router",
            self.new.swap_router02: "swap_router02",
        }
        return found | ({self.balancer.vault: "balancer_vault"} if self.balancer else {})

    @property
    def traded(self) -> dict[str, list[str]]:
        """Vault -> its pools, those of a mixed market among them."""
        names = {
            "old": ("old_v3", "link_usdc", "link_weth", "old_weighted"),
            "new": ("new_v3", "new_v2", "new_weighted"),
        }
        return {vault: [str(self.pools[name]) for name in mine if name in self.pools] for vault, mine in names.items()}

    def holds_itself(self, vault: str) -> bool:
        """The key's own account holds the funds, and pays the gas."""
        return self.holders[vault].account == self.senders[vault]

    # --- moving ------------------------------------------------------------------------------------------------------

    @contextmanager
    def blocks(self) -> Iterator[None]:
        """They come meanwhile, whatever is in them."""
        over = threading.Event()

        def mine() -> None:
            while not over.wait(PACE):
                with self._mining:
                    self.node.rpc("evm_mine")

        self.node.rpc("evm_setAutomine", False)
        miner = threading.Thread(target=mine)
        miner.start()
        try:
            yield
        finally:
            over.set()
            miner.join()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """No blocks meanwhile, but those that are asked for."""
        with self._mining:
            yield

    def move(self, **prices: Fraction | int) -> int:
        """Feeds and pools go to these prices {USD}, in one block; returns its number."""
        with self.quiet():
            return self.move_quietly(**prices)

    def move_quietly(self, **prices: Fraction | int) -> int:
        """The same where no blocks come by themselves."""
        self.prices |= {symbol: Fraction(price) for symbol, price in prices.items()}
        later = Later(self.node)
        old, new = replace(self.old, node=later), replace(self.new, node=later)
        weth, link, usdc = (self.tokens[symbol] for symbol in ("WETH", "LINK", "USDC"))
        for symbol in prices:
            later.send(self.feeds[symbol], _answer(self.prices[symbol]))
        if "WETH" in prices:
            uniswap.move_v3_pool(old, weth, usdc, FEE_OLD, self.prices["WETH"])
            uniswap.move_v3_pool(new, weth, usdc, FEE_NEW, self.prices["WETH"])
        if "LINK" in prices:
            uniswap.move_v2_pair(old, self.pools["link_usdc"], link, usdc, self.prices["LINK"])
        uniswap.move_v2_pair(old, self.pools["link_weth"], link, weth, self.prices["LINK"] / self.prices["WETH"])
        for mover in self.movers:
            mover(later, self.prices)
        return later.mine()

    def stir(self, price: int, step: int) -> int:
        """WETH goes to this price {USD}, and somebody adds liquidity between two ticks that had none."""
        weth, usdc = self.tokens["WETH"], self.tokens["USDC"]
        later = Later(self.node)
        with self.quiet():
            amounts = TokenAmount.from_whole(weth, 10), TokenAmount.from_whole(usdc, 30_000)
            position = uniswap.position_around(*amounts, FEE_OLD, Fraction(price), 400 + 100 * step)
            sqrt = uniswap.sqrt_price(weth, usdc, Fraction(price))
            number = self.move_quietly(WETH=price)
            uniswap.add_positions(replace(self.old, node=later), weth, usdc, FEE_OLD, sqrt, [position])
            later.mine()
        return number

    # --- looking -----------------------------------------------------------------------------------------------------

    def balances(self, vault: str) -> dict[Token, int]:
        """{raw} Native coin included."""
        holder = self.holders[vault].account
        native = Token(self.node.chain_id, NATIVE, "ETH", 18)
        held = {self.tokens[symbol]: self._balance(self.tokens[symbol], holder) for symbol in TARGETS[vault]}
        return held | {native: int(self.node.rpc("eth_getBalance", holder, "latest"), 16)}

    def _balance(self, token: Token, holder: Address) -> int:
        return uniswap.balance(self.node, token, holder).raw

    def drifts(self, vault: str) -> dict[str, Fraction]:
        """{bps} Of each token, from balances on chain; a wallet `new` counts native coin beyond a reserve of 0.02."""
        held = {token.symbol: TokenAmount(token, raw).whole for token, raw in self.balances(vault).items()}
        if vault == "new" and self.holds_itself(vault):
            held["WETH"] += max(held["ETH"] - Fraction(2, 100), Fraction(0))
        values = {symbol: held[symbol] * self.prices[symbol] for symbol in TARGETS[vault]}
        whole = sum(values.values())
        return {symbol: value / whole * WHOLE_BPS - TARGETS[vault][symbol] for symbol, value in values.items()}

    def allowances(self) -> dict[tuple[str, str, str], int]:
        """{raw} That are not zero: (vault, token, kind of router)."""
        asked = {
            (vault, token.symbol, kind): (token.address, calldata("allowance(address,address)", account, router))
            for vault, (account, *_) in self.holders.items()
            for token in self.tokens.values()
            for router, kind in self.routers.items()
        }
        found = {key: word(self.node.call(*call), 0) for key, call in asked.items()}
        return {key: raw for key, raw in found.items() if raw}

    def nonces(self) -> dict[str, int]:
        counts = {v: self.node.rpc("eth_getTransactionCount", sender, "latest") for v, sender in self.senders.items()}
        return {vault: int(count, 16) for vault, count in counts.items()}

    # --- the keeper's side -------------------------------------------------------------------------------------------

    def write_config(self, folder: Path, chain_id: int | None = None) -> Path:
        """The configuration with its key files, in a folder of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        for vault, key in self.keys.items():
            file = folder / f"{vault}.key"
            file.touch(mode=0o600)
            file.write_text(key.hex(), "utf-8")
        text = CONFIG.format(
            chain_id=self.node.chain_id if chain_id is None else chain_id,
            tokens=self.tokens,
            feeds=self.feeds,
            traded=self.traded,
            old=self.old,
            new=self.new,
            senders=self.senders,
            holders=self.holders,
        )
        path = folder / "keeper.yaml"
        path.write_text(text, "utf-8")
        return path


def _answer(price: Fraction) -> bytes:
    """Of eight decimals, as of the block it is mined in."""
    return calldata("set(int192,uint64)", int(price * 10**8), 0)


def open_market(node: Node, custody: str = "wallet", *, mixed: bool = False) -> Market:
    """On a node that mines each transaction at once. `custody` is one of `daemon_custody.KINDS`."""
    old = uniswap.deploy_uniswap(node)
    new = uniswap.deploy_uniswap(node, beside=old)
    tokens = {
        "WETH": old.weth,
        "LINK": uniswap.deploy_token(old, "LINK", 18),
        "USDC": uniswap.deploy_token(old, "USDC", 6),
    }
    uniswap.approve_routers(new, tokens["USDC"])
    uniswap.wrap(old, 1_000_000)
    market = Market(
        node=node,
        old=old,
        new=new,
        tokens=tokens,
        feeds={symbol: _deploy_feed(node, symbol) for symbol in tokens},
        pools=_create_pools(old, new, tokens, MIXED_DEPTH if mixed else DEPTH),
        keys={vault: secrets.token_bytes(32) for vault in TARGETS},
    )
    if mixed:
        _mix(market)
    for vault, funds in HOLDINGS.items():
        holdings = dict(funds)
        market.holders[vault] = KINDS[custody](market, vault)
        if not market.holds_itself(vault):
            # What holds the funds for somebody has no coin of its own: that is the sender's, for gas.
            fund(market, market.senders[vault], {"ETH": GAS_MONEY})
            holdings["WETH"] += holdings.pop("ETH") - GAS_MONEY
        fund(market, market.holders[vault].account, holdings)
    return market


def _mix(market: Market) -> None:
    """The pools that only a mixed market has, before anybody is told which routers there are."""
    weth, link, usdc = (market.tokens[symbol] for symbol in ("WETH", "LINK", "USDC"))
    market.balancer = balancer = open_balancer(market.node, market.tokens)
    made = {
        "new_v2": add_pair(market.new, market.tokens, PRICES),
        "new_weighted": add_weighted(balancer, weth, usdc, PRICES),
        "old_weighted": add_weighted(balancer, link, usdc, PRICES),
    }
    market.pools = {**market.pools, **{name: address for name, (address, _) in made.items()}}
    market.movers = tuple(mover for _, mover in made.values())


def _create_pools(old: Deployment, new: Deployment, tokens: Mapping[str, Token], depth: int) -> dict[str, Address]:
    weth, link, usdc = (tokens[symbol] for symbol in ("WETH", "LINK", "USDC"))
    price = PRICES["WETH"]

    def v3(deployment: Deployment, fee: int, depth: int = DEPTH) -> Address:
        amounts = TokenAmount.from_whole(weth, depth), TokenAmount.from_whole(usdc, depth * price)
        positions = [uniswap.position_around(*amounts, fee, price, width) for width in WIDTHS]
        return uniswap.create_v3_pool(deployment, weth, usdc, fee, price, positions)

    def v2(other: Token, symbol: str) -> Address:
        deep = TokenAmount.from_whole(link, 1_200_000), TokenAmount.from_whole(other, 24_000_000 / PRICES[symbol])
        return uniswap.create_v2_pair(old, *deep)

    return {
        "old_v3": v3(old, FEE_OLD),
        "new_v3": v3(new, FEE_NEW, depth),
        "link_usdc": v2(usdc, "USDC"),
        "link_weth": v2(weth, "WETH"),
    }


def _deploy_feed(node: Node, symbol: str) -> Address:
    description = f"{symbol.removeprefix('W')} / USD"
    code: str = contracts_abi.load("demo_feed")["bytecode"]
    feed = node.deploy(code, ["address", "string", "uint8"], [node.deployer, description, 8])
    node.send(feed, _answer(PRICES[symbol]))
    return feed


def fund(market: Market, to: Address, holdings: Mapping[str, Fraction]) -> None:
    for symbol, whole in holdings.items():
        if symbol == "ETH":
            market.node.send(to, value=int(whole * 10**18))
        else:
            uniswap.transfer(market.old, TokenAmount.from_whole(market.tokens[symbol], whole), to)
