"""A coin, what it is traded for, a real v3 pool of the stable tier, feeds, and a keeper that holds the coin's peg.

The keeper is the product's own: configuration, pins, observer, plan, guards, signer, journal. Time is the chain's, and
somebody else's: it moves with the path.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from eth_account import Account

import contracts_abi
from keeper.app.deployment import Deployment as Keeper
from keeper.app.journals import journal_url
from keeper.config.load import load
from keeper.core.abi import calldata
from keeper.core.units import Address, Token, TokenAmount
from keeper.cycle import Turn
from keeper.journal.past import Entry
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.chain import uniswap as market
from tests.chain.daemon_market import Later
from tests.chain.node import Node
from tests.chain.peg_paths import Moment
from tests.chain.uniswap import Deployment

FEE = 100
"""{ppm} The stable tier."""
NEAR, WIDE = 2_000_000, 20_000_000
"""{whole coins of each} Liquidity within 1 %, so that 10 bps cost about $200,000; and some for wherever it may go."""

CONFIG = """\
chains:
  local:
    chain_id: {chain_id}
    rpc: "{rpc}"
    clock: chain
    confirmations: 1
    finality: 2 blocks
    block_time: 1s
    native: {{symbol: ETH, wrapped: WETH}}
    tokens: {{WETH: "{weth}", COIN: "{coin}", QUOTE: {{address: "{quote}", decimals: 6}}}}
    factories:
      "{factory}": {{kind: uniswap_v3, router: {{kind: swap_router02, address: "{router}"}}}}
    prices:
      WETH: {{sources: {{kind: chainlink, feed: "{eth_feed}", heartbeat: 24h, pair: ETH / USD}}}}
      COIN: {{sources: {{kind: chainlink, feed: "{coin_feed}", heartbeat: 24h, pair: COIN / USD}}}}
      QUOTE: {{sources: {{kind: chainlink, feed: "{quote_feed}", heartbeat: 24h, pair: QUOTE / USD}}}}
    sequencer: {{feed: "{sequencer}", grace: 1h}}
signers:
  ops: {{key_file: ops.key, address: "{holder}"}}
vaults:
  peg:
    chain: local
    mode: live
    custody: {{kind: wallet, signer: ops, native: ignore}}
    pools: {{uni: "{pool}"}}
    strategy:
      kind: peg
      coin: COIN
      against: QUOTE
      peg: 1 USD
      trigger: 15bps
      destination: 5bps
      wall: 100bps
      persist: 3 blocks
      {price}
      inventory: {{COIN: {{max: 2000000}}, QUOTE: {{min: 100000}}}}
      capacity: {capacity} USD per side per 24h
      pay_for_peg: 5bps
      clip: 250000 USD
      step: 20bps
    schedule: {{every: 1 block}}
    guards: {{cool_down: 0s, max_trade: 250000 USD, max_turnover: 100% per 24h, max_trades: 200 per 24h}}
journal: keeper.db
"""


@dataclass
class Scene:
    """One pool and one vault of a million of each coin, on a node that others use as well."""

    uniswap: Deployment
    coin: Token
    quote: Token
    feeds: dict[str, Address]
    pool: Address
    folder: Path
    start: int
    """Unix seconds of the path's first minute."""
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @property
    def node(self) -> Node:
        return self.uniswap.node

    @property
    def holder(self) -> Address:
        return Address(Account.from_key(self.key).address)

    def write(self, price: str, capacity: int) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "ops.key"
        file.touch(mode=0o600)
        file.write_text(self.key.hex(), "utf-8")
        path = self.folder / "keeper.yaml"
        path.write_text(
            CONFIG.format(
                chain_id=self.node.chain_id,
                rpc=self.node.url,
                weth=self.uniswap.weth.address,
                coin=self.coin.address,
                quote=self.quote.address,
                factory=self.uniswap.v3_factory,
                router=self.uniswap.swap_router02,
                eth_feed=self.feeds["ETH / USD"],
                coin_feed=self.feeds["COIN / USD"],
                quote_feed=self.feeds["QUOTE / USD"],
                sequencer=self.feeds["sequencer"],
                holder=self.holder,
                pool=self.pool,
                price=price,
                capacity=capacity,
            ),
            "utf-8",
        )
        return path

    @contextmanager
    def keeper(self, price: str, capacity: int = 400_000) -> Iterator[Keeper]:
        """Armed. A keeper that is opened again goes on where the one before stopped."""
        loaded = load(self.write(price, capacity), {})
        with SqlJournal(journal_url(loaded)) as journal:
            journal.keep_config(loaded.hash, loaded.canonical)
            made = Keeper.open(loaded, journal, live=True)
            try:
                yield made
            finally:
                made.close()

    # --- the market --------------------------------------------------------------------------------------------------

    def happen(self, moment: Moment, *, moves: bool = True) -> None:
        """Feeds and, where the market `moves` it, the pool go to this moment's prices, in one block."""
        later = Later(self.node)
        moved = replace(self.uniswap, node=later)
        self.node.rpc("evm_setAutomine", False)
        try:
            now = self.start + moment.minute * 60
            head = int(self.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
            self.node.rpc("evm_setNextBlockTimestamp", max(now, head + 1))
            self._say(later, "COIN / USD", moment.elsewhere)
            self._say(later, "QUOTE / USD", moment.against)
            self._say(later, "ETH / USD", Fraction(3_000))
            if moves:
                market.move_v3_pool(moved, self.coin, self.quote, FEE, moment.coin / moment.against)
            later.mine()
        finally:
            self.node.rpc("evm_setAutomine", True)

    def _say(self, node: Node, pair: str, price: Fraction) -> None:
        node.send(self.feeds[pair], calldata("set(int192,uint64)", int(price * 10**8), 0))

    def sequencer(self, *, up: bool) -> None:
        """It says so as of this block."""
        self.node.send(self.feeds["sequencer"], calldata("set(int192,uint64)", int(not up), 0))

    def sell(self, amount: TokenAmount, buy: Token) -> None:
        market.swap_v3(self.uniswap, amount, buy, FEE)

    # --- looking -----------------------------------------------------------------------------------------------------

    def price(self) -> Fraction:
        """{quote whole / coin whole} Where the pool stands."""
        sqrt = int.from_bytes(self.node.call(self.pool, calldata("slot0()"))[:32], "big")
        raw = Fraction(sqrt * sqrt, 1 << 192)
        first = int(self.coin.address, 16) < int(self.quote.address, 16)
        return (raw if first else 1 / raw) * Fraction(10) ** (self.coin.decimals - self.quote.decimals)

    def held(self, token: Token) -> Fraction:
        return market.balance(self.node, token, self.holder).whole

    def entries(self) -> list[Entry]:
        with JournalReader(f"sqlite:///{self.folder / 'keeper.db'}") as reader:
            return list(reader.transactions("peg"))


def look(keeper: Keeper, most: int = 60) -> list[Turn]:
    """Cycles of the vault until it rests: an approval, a swap and the approval back are one after the other, and each
    is waited for."""
    turns = []
    (loop,) = keeper.loops
    for _ in range(most):
        (turn,) = loop.cycle.turn(["peg"])
        if turn.record.code == "live":
            time.sleep(0.02)
            continue
        turns.append(turn)
        if turn.record.kind != "intended":
            break
    return turns


def open_scene(uniswap: Deployment, folder: Path) -> Scene:
    node = uniswap.node
    coin, quote = market.deploy_token(uniswap, "COIN", 18), market.deploy_token(uniswap, "QUOTE", 6)
    positions = [
        market.position_around(
            TokenAmount.from_whole(coin, each), TokenAmount.from_whole(quote, each), FEE, Fraction(1), width
        )
        for each, width in ((NEAR, 100), (WIDE, 40_000))
    ]
    pool = market.create_v3_pool(uniswap, coin, quote, FEE, Fraction(1), positions)
    node.send(pool, calldata("increaseObservationCardinalityNext(uint16)", 250))
    code: str = contracts_abi.load("demo_feed")["bytecode"]
    names = ("ETH / USD", "COIN / USD", "QUOTE / USD", "sequencer")
    feeds = {name: node.deploy(code, ["address", "string", "uint8"], [node.deployer, name, 8]) for name in names}
    head = int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    scene = Scene(uniswap, coin, quote, feeds, pool, folder, head + 60)
    for token in (coin, quote):
        market.transfer(uniswap, TokenAmount.from_whole(token, 1_000_000), scene.holder)
    node.rpc("anvil_setBalance", scene.holder, hex(10 * 10**18))
    scene.happen(Moment(0, Fraction(1), Fraction(1), Fraction(1)))
    scene.sequencer(up=True)
    scene.start += 2 * 3_600  # its grace is over
    return scene
