"""A market for one odd token at a time: a real pool against USDC, feeds, and a vault with a key of its own, which the
keeper's own parts turn: configuration, pins, plan, simulation, guards, signer, journal.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from eth_account import Account

import contracts_abi
from keeper.app.deployment import Deployment as Keeper
from keeper.app.journals import journal_url
from keeper.config.load import load
from keeper.core.abi import calldata, word
from keeper.core.units import NATIVE, Address, Token, TokenAmount
from keeper.cycle import Turn
from keeper.journal.flows import changes_of
from keeper.journal.past import Entry
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.chain.node import Node
from tests.chain.solidity import compile_solidity
from tests.chain.uniswap import (
    Deployment,
    approve_routers,
    create_v2_pair,
    create_v3_pool,
    deploy_token,
    position_around,
)

FEE = 500
SYMBOL = "ODD"
HELD = {"sells": (Fraction(3_000), Fraction(1_000)), "buys": (Fraction(1_000), Fraction(3_000))}
"""{whole ODD, whole USDC} Each is worth a dollar and should be half."""

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
    tokens:
      WETH: "{weth}"
      ODD: "{odd}"
      USDC: {{address: "{usdc}", decimals: 6}}
    factories:
      "{v3_factory}": {{kind: uniswap_v3, router: {{kind: swap_router02, address: "{swap_router02}"}}}}
      "{v2_factory}": {{kind: uniswap_v2, fee: 0.3%, router: {{kind: v2_router, address: "{v2_router}"}}}}
    prices:
      WETH: {{sources: {{kind: chainlink, feed: "{weth_feed}", heartbeat: 24h, pair: ETH / USD}}}}
      ODD: {{sources: {{kind: chainlink, feed: "{odd_feed}", heartbeat: 24h, pair: ODD / USD}}}}
      USDC: {{sources: {{kind: chainlink, feed: "{usdc_feed}", heartbeat: 24h, pair: USDC / USD}}}}
signers:
  ops: {{key_file: ops.key, address: "{holder}"}}
vaults:
  odd:
    chain: local
    mode: live
    custody: {{kind: wallet, signer: ops, native: ignore}}
    strategy: {{kind: weights, weights: {{ODD: 50%, USDC: 50%}}, trigger: 2pp, destination: 1pp}}
    pools: [{pools}]
    schedule: {{every: 1s}}
    guards: {{cool_down: 0s, max_turnover: 100% per 24h, max_gas_cost: 300bps}}
journal: keeper.db
"""


@dataclass
class Stall:
    """One odd token with its pool, and a vault that is out of its band."""

    uniswap: Deployment
    usdc: Token
    feeds: dict[str, Address]
    odd: Token
    folder: Path
    venue: str
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    pool: Address = field(init=False)
    more: tuple[Address, ...] = ()
    """Pools beside its own that the vault names."""

    @property
    def node(self) -> Node:
        return self.uniswap.node

    @property
    def holder(self) -> Address:
        return Address(Account.from_key(self.key).address)

    def turn(self, knob: int | str) -> None:
        """Makes the token odd, or more so."""
        self.node.send(self.odd.address, calldata("turn(uint256)", int(knob, 16) if isinstance(knob, str) else knob))

    def open_pool(self) -> None:
        approve_routers(self.uniswap, self.odd)
        self.node.send(
            self.odd.address, calldata("mint(address,uint256)", self.node.deployer, 10**9 * 10**self.odd.decimals)
        )
        deep = TokenAmount.from_whole(self.odd, 10**6), TokenAmount.from_whole(self.usdc, 10**6)
        if self.venue == "v2":
            self.pool = create_v2_pair(self.uniswap, *deep)
        else:
            level = position_around(*deep, FEE, Fraction(1), 2_000)
            self.pool = create_v3_pool(self.uniswap, self.odd, self.usdc, FEE, Fraction(1), [level])

    def detour(self, middle: Token) -> None:
        """Two more pools that the vault names: from ODD to USDC through another token, for 2 % more USDC."""
        much = TokenAmount.from_whole(middle, 10**7)
        self.node.send(middle.address, calldata("mint(address,uint256)", self.node.deployer, 2 * much.raw))
        for token, whole in ((self.odd, 10**7), (self.usdc, 10**7 * 102 // 100)):
            self.more += (create_v2_pair(self.uniswap, TokenAmount.from_whole(token, whole), much),)

    def fund(self, side: str) -> None:
        for token, whole in zip((self.odd, self.usdc), HELD[side], strict=True):
            amount = TokenAmount.from_whole(token, whole)
            self.node.send(token.address, calldata("transfer(address,uint256)", self.holder, amount.raw))
        self.node.rpc("anvil_setBalance", self.holder, hex(10**18))

    def write(self) -> Path:
        """The configuration, with its key beside it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "ops.key"
        file.touch(mode=0o600)
        file.write_text(self.key.hex(), "utf-8")
        deployed = self.uniswap
        path = self.folder / "keeper.yaml"
        path.write_text(
            CONFIG.format(
                chain_id=self.node.chain_id,
                rpc=self.node.url,
                weth=deployed.weth.address,
                odd=self.odd.address,
                usdc=self.usdc.address,
                v3_factory=deployed.v3_factory,
                v2_factory=deployed.v2_factory,
                swap_router02=deployed.swap_router02,
                v2_router=deployed.v2_router,
                weth_feed=self.feeds["ETH / USD"],
                odd_feed=self.feeds["ODD / USD"],
                usdc_feed=self.feeds["USDC / USD"],
                holder=self.holder,
                pools=", ".join(f'"{pool}"' for pool in (self.pool, *self.more)),
            ),
            "utf-8",
        )
        return path

    @contextmanager
    def keeper(self, adopt: bool = False) -> Iterator[Keeper]:
        """Armed; with `adopt` after a person used its key.

        Raises ConfigError where the chain is not what the configuration says.
        """
        self.say()
        loaded = load(self.write(), {})
        with SqlJournal(journal_url(loaded), sample_every=3_600) as journal:
            journal.keep_config(loaded.hash, loaded.canonical)
            made = Keeper.open(loaded, journal, live=True, adopt=adopt)
            try:
                yield made
            finally:
                made.close()

    def say(self) -> None:
        """Every feed says again what it said."""
        for pair, price in (("ETH / USD", 3_000), ("ODD / USD", 1), ("USDC / USD", 1)):
            self.node.send(self.feeds[pair], calldata("set(int192,uint64)", price * 10**8, 0))

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def native(self) -> Token:
        return Token(self.node.chain_id, NATIVE, "ETH", 18)

    def balances(self) -> dict[Token, int]:
        """{raw} Of the vault, by the chain itself."""
        held = {t: word(self.node.call(t.address, calldata("balanceOf(address)", self.holder)), 0) for t in self.tokens}
        return held | {self.native: int(self.node.rpc("eth_getBalance", self.holder, "latest"), 16)}

    @property
    def tokens(self) -> tuple[Token, Token]:
        return self.odd, self.usdc

    def sent(self) -> int:
        return int(self.node.rpc("eth_getTransactionCount", self.holder, "latest"), 16)

    def allowances(self) -> set[int]:
        spenders = self.uniswap.swap_router02, self.uniswap.v2_router
        data = [calldata("allowance(address,address)", self.holder, spender) for spender in spenders]
        return {word(self.node.call(token.address, each), 0) for token in self.tokens for each in data}

    def entries(self) -> list[Entry]:
        with JournalReader(f"sqlite:///{self.folder / 'keeper.db'}") as reader:
            return list(reader.transactions("odd"))

    def explained(self) -> dict[Token, int]:
        """{raw} What the journal says that its transactions did to the vault."""
        known: dict[Token, int] = {}
        for entry in self.entries():
            for token, raw in changes_of(entry.intent, entry.outcome, self.holder, (*self.tokens, self.native)).items():
                known[token] = known.get(token, 0) + raw
        return known


def take_turn(keeper: Keeper) -> Turn:
    """One cycle of the one vault, once nothing is on its way any more."""
    (loop,) = keeper.loops
    for _ in range(100):
        (turn,) = loop.cycle.turn(["odd"])
        if turn.record.code != "live":
            break
        time.sleep(0.05)
    return turn


def trade(keeper: Keeper, most: int = 6) -> list[Turn]:
    """Cycles until the vault rests, or refuses."""
    turns = []
    for _ in range(most):
        turns.append(take_turn(keeper))
        if turns[-1].record.kind != "intended":
            break
    keeper.loops[0].cycle.settle()
    return turns


@dataclass
class Fair:
    """Where stalls are opened: Uniswap, USDC and feeds, on a node of their own."""

    uniswap: Deployment
    folder: Path
    usdc: Token = field(init=False)
    feeds: dict[str, Address] = field(init=False)
    _opened: int = 0

    def __post_init__(self) -> None:
        node = self.uniswap.node
        self.usdc = deploy_token(self.uniswap, "USDC", 6)
        code: str = contracts_abi.load("demo_feed")["bytecode"]
        pairs = ("ETH / USD", "ODD / USD", "USDC / USD")
        types = ["address", "string", "uint8"]
        self.feeds = {pair: node.deploy(code, types, [node.deployer, pair, 8]) for pair in pairs}

    def deploy(self, kind: str, decimals: int = 18, symbol: str = SYMBOL) -> Token:
        code = compile_solidity("OddTokens.sol")[kind]
        at = self.uniswap.node.deploy(code, ["string", "uint8"], [symbol, decimals])
        return Token(self.uniswap.node.chain_id, at, symbol, decimals)

    def open(
        self, kind: str, side: str = "sells", decimals: int = 18, venue: str = "v3", symbol: str = SYMBOL
    ) -> Stall:
        """A stall whose vault wants to sell or to buy the token, which is still plain."""
        self._opened += 1
        odd = self.deploy(kind, decimals, symbol)
        stall = Stall(self.uniswap, self.usdc, self.feeds, odd, self.folder / f"stall{self._opened}", venue)
        stall.open_pool()
        stall.fund(side)
        return stall
