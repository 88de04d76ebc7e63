"""From a head to an acknowledged transaction: a vault out of its band, near and far from its node."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eth_account import Account
from web3 import HTTPProvider, Web3

import contracts_abi
from bench.bare import BareSocket, body_of
from bench.distance import Far, far
from bench.frame import Contestant, Pace, Row, measure
from bench.local import CountingProvider, Local, holder, local_market
from keeper.app.chains import Chain
from keeper.app.composition import past_of
from keeper.app.deployment import journal_url
from keeper.app.loading import open_config, open_signers
from keeper.chain.nodes.messages import Request
from keeper.chain.nodes.rpc import Rpc, SendAnswer
from keeper.core.abi import calldata
from keeper.core.chain import History
from keeper.core.units import Address
from keeper.cycle import Cycle
from keeper.journal.sql import SqlJournal
from keeper.local.paths import SLOW, START, Moment

TITLE, UNIT = "Block to broadcast: head to acknowledged transaction, on Anvil", "transactions"
HOLDINGS = {"WETH": 20, "USDC": 40_000}
"""60 % and 40 % at the market's prices."""
DRIFT = Fraction(2, 10)
"""{WETH} That puts a vault out of its band."""
GAS_MONEY = 10**18
UNLIMITED = 2**256 - 1

CONFIG = """\
chains:
  local:
    chain_id: {chain_id}
    rpc: {url}
    confirmations: 1
    finality: 1 block
    block_time: 12s
    max_head_age: off
    max_clock_skew: 1h
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
signers:
  ops: {{key_file: ops.key, address: "{sender}"}}
journal: bench.db
vaults:
"""
VAULT = """\
  vault{number}:
    chain: local
    mode: {mode}
    custody: {{kind: wallet, {custody}, native: ignore}}
    strategy: {{kind: weights, weights: {{WETH: 60%, USDC: 40%}}, trigger: 20bps, destination: 5bps, dust: 50 USD}}
    pools: ["{pool}"]
    schedule: {{every: 1 block}}
    guards: {{cool_down: 0s, max_trades: 1000 per 24h, max_turnover: 100% per 24h, max_gas_cost: 100bps}}
    breakers: {{price_jump: off}}
"""


def rows(pace: Pace) -> list[Row]:
    found: list[Row] = []
    with local_market() as local:
        for delay in pace.sizes(0, 20, 100):
            for count in pace.sizes(1, 10):
                with ExitStack() as closing:
                    node = closing.enter_context(far(local.url, delay / 1000))
                    what = f"{delay} ms away, {count} vault{'s read, 1 trades' if count > 1 else ''}"
                    found += measure(what, _contestants(local, node, count, closing), pace)
    return found


def _contestants(local: Local, node: Far, count: int, closing: ExitStack) -> list[Contestant]:
    folder = Path(closing.enter_context(TemporaryDirectory()))
    ours = _Ours.open(local, node, count, folder, closing)
    bare = closing.enter_context(BareSocket(node.url))
    asked = _noted(node, ours.prepare, ours.run)
    framed = [bare.framed(body) for body in ours.asked[-ours.requests :]]
    each = itertools.cycle(framed)
    ours.rpc.is_quiet = True
    peers = []
    ways = [("web3, as it comes", HTTPProvider(node.url), True)]
    ways += [("web3, chain id cached", CountingProvider(node.url), True)]
    ways += [("web3, vault by vault", HTTPProvider(node.url), False)] if count > 1 else []
    for name, provider, at_once in ways:
        script = _Script(local, Web3(provider), count, at_once)
        peers.append(Contestant("peer", name, script.run, _noted(node, script.prepare, script.run), script.prepare))
    return [
        Contestant("ours", "observe, decide, simulate, send", ours.run, asked, ours.prepare),
        *peers,
        Contestant("floor", "bare socket, our bytes", lambda: bare.send_all(framed), f"{len(framed)} requests"),
        # A node that is asked back to back answers sooner than one that is asked now and then, as a keeper does.
        Contestant("floor", "one round trip", lambda: bare.send(next(each)), "3 ms after the last", _pause),
    ]


def _pause() -> None:
    time.sleep(0.003)


def _noted(node: Far, prepare: Callable[[], object], run: Callable[[], object]) -> str:
    """Requests and new connections of a warm run."""
    for _ in range(2):
        prepare()
        requests, connections = node.requests_made, node.connections_made
        run()
    opened = node.connections_made - connections
    return f"{node.requests_made - requests} requests, {opened} new connection{'s' * (opened != 1)}"


# --- ours ------------------------------------------------------------------------------------------------------------


class _Recorder(Rpc):
    """Keeps every body that it sends until it is told to be quiet, and knows when the last send was answered."""

    def __init__(self, name: str, urls: Sequence[str]) -> None:
        super().__init__(name, urls)
        self.bodies: list[bytes] = []
        self.is_quiet, self.answered_at = False, 0.0

    def call(self, method: str, params: list[Any], *, nullable: bool = False) -> Any:
        self._keep([(method, params)])
        return super().call(method, params, nullable=nullable)

    def batch(self, requests: Sequence[Request], *, nullable: bool = False) -> list[Any]:
        self._keep(requests)
        return super().batch(requests, nullable=nullable)

    def send_raw(self, raw: bytes) -> list[SendAnswer]:
        self._keep([("eth_sendRawTransaction", ["0x" + raw.hex()])])
        answers = super().send_raw(raw)
        self.answered_at = time.perf_counter()
        return answers

    def _keep(self, requests: Sequence[Request]) -> None:
        if not self.is_quiet:
            self.bodies.append(body_of(requests))


class _Ears:
    def alert(self, key: str, text: str) -> None:
        raise AssertionError(f"{key}: {text}")


@dataclass
class _Ours:
    local: Local
    cycle: Cycle
    vaults: Sequence[str]
    sender: Address
    rpc: _Recorder
    past: Callable[[str, int], History]
    requests: int = 0
    """Of the last run."""
    _rest: Any = field(default_factory=lambda: iter(()))
    """Turns of the vaults that came after the one that traded."""

    @property
    def asked(self) -> list[bytes]:
        return self.rpc.bodies

    @classmethod
    def open(cls, local: Local, node: Far, count: int, folder: Path, closing: ExitStack) -> _Ours:
        key, sender = _new_holder(local)
        (folder / "ops.key").touch(0o600)
        (folder / "ops.key").write_text(key.hex(), "utf-8")
        loaded = open_config(_write(local, node, sender, count, folder))
        journal = closing.enter_context(SqlJournal(journal_url(loaded)))
        rpc = _Recorder("local", [node.url])
        closing.callback(rpc.close)
        chain = replace(Chain.open(loaded, "local"), rpc=rpc)
        for number in range(1, count):
            _fund(local, holder(number))
        armed = ["vault0"]
        cycle = chain.cycle(journal, armed, open_signers(loaded, armed), _Ears())
        return cls(local, cycle, chain.vaults, sender, rpc, past_of(loaded, journal.history))

    def prepare(self) -> None:
        """The last transaction becomes final, the market is as at first, and the vault is out of its band again."""
        for turn in self._rest:
            assert turn.record.kind == "hold", turn.record.reason
        self.local.rpc.call("evm_mine", [])
        self.local.rpc.call("evm_mine", [])
        assert not self.cycle.settle()
        for vault in self.vaults:
            self.past(vault, int(time.time()))  # as the ticks in between would have it: the last trade is known,
        self.cycle.settle()  # and that nothing is live
        self.local.market.move(Moment(0, "", START, START, START))
        self.local.market.fund(self.sender, {"WETH": DRIFT})

    def run(self) -> float:
        """The moment at which the transaction was acknowledged."""
        before, turns = len(self.asked), self.cycle.turn(self.vaults)
        # Those that merely hold on come first, at no cost to speak of; the rest is told after the one that trades.
        turn = next(turn for turn in turns if turn.record.vault == self.vaults[0])
        assert turn.intent is not None and turn.intent.call.purpose == "swap", turn.record.reason
        self._rest, self.requests = turns, len(self.asked) - before
        return self.rpc.answered_at


def _write(local: Local, node: Far, sender: Address, count: int, folder: Path) -> Path:
    market = local.market
    places = {"chain_id": local.chain_id, "url": node.url, "factory": market.factory, "router": market.router}
    text = CONFIG.format(**places, tokens=market.tokens, feeds=market.feeds, slow=market.feeds[SLOW], sender=sender)
    pool = market.pools["WETH/USDC"]
    text += VAULT.format(number=0, mode="live", custody="signer: ops", pool=pool)
    for number in range(1, count):
        text += VAULT.format(number=number, mode="dry", custody=f'address: "{holder(number)}"', pool=pool)
    path = folder / "keeper.yaml"
    path.write_text(text, "utf-8")
    return path


# --- web3's usual way ------------------------------------------------------------------------------------------------


@dataclass
class _Script:
    """Somebody's script: read the head and what a decision is made of, build, estimate, sign, send. What several
    vaults share is read `at_once` for all of them, or for each in its turn."""

    local: Local
    w3: Web3
    count: int
    at_once: bool

    def __post_init__(self) -> None:
        market = self.local.market
        self._key, self._sender = _new_holder(self.local)
        self._accounts = [self._sender, *map(holder, range(1, self.count))]
        self._router = self._contract("demo_router", market.router)
        self._tokens = [self._contract("demo_token", token) for token in self._path]
        self._pair = self._contract("demo_pair", market.pools["WETH/USDC"])
        names = ("ETH/USD", SLOW, "USDC/USD")
        self._feeds = [self._contract("demo_feed", market.feeds[name]) for name in names]

    @property
    def _path(self) -> list[Address]:
        return [self.local.market.tokens[symbol].address for symbol in ("WETH", "USDC")]

    def _contract(self, name: str, address: Address) -> Any:
        return self.w3.eth.contract(address=Web3.to_checksum_address(address), abi=contracts_abi.load(name)["abi"])

    def prepare(self) -> None:
        self.local.market.move(Moment(0, "", START, START, START))

    def run(self) -> None:
        block = self.w3.eth.get_block("latest")
        for account in self._accounts:
            if account == self._sender or not self.at_once:
                self._look_at_market()
            held = [token.functions.balanceOf(account).call() for token in self._tokens]
            allowed = [token.functions.allowance(account, self._router.address).call() for token in self._tokens]
            coin = self.w3.eth.get_balance(Web3.to_checksum_address(account))
            assert all(held) and coin and len(allowed) == len(held)
        self._send(block["timestamp"])

    def _look_at_market(self) -> None:
        answers = [feed.functions.latestRoundData().call() for feed in self._feeds]
        reserves = self._pair.functions.getReserves().call()
        assert all(answer[1] for answer in answers) and all(reserves[:2])

    def _send(self, now: int) -> None:
        swap = self._router.functions.swapExactTokensForTokens(10**17, 1, self._path, self._sender, now + 600)
        nonce = self.w3.eth.get_transaction_count(Web3.to_checksum_address(self._sender))
        built = swap.build_transaction({"from": self._sender, "nonce": nonce})
        assert built["gas"] and built["maxFeePerGas"], "web3 estimates and prices it"
        self.w3.eth.send_raw_transaction(Account.sign_transaction(built, self._key).raw_transaction)


# --- who trades ------------------------------------------------------------------------------------------------------


def _new_holder(local: Local) -> tuple[bytes, Address]:
    """A funded account with a key, which lets the router take what it wants and has used no nonce."""
    key = secrets.token_bytes(32)
    account = Address(Account.from_key(key).address)
    _fund(local, account)
    local.rpc.call("anvil_impersonateAccount", [account], nullable=True)
    data = "0x" + calldata("approve(address,uint256)", local.market.router, UNLIMITED).hex()
    for symbol in HOLDINGS:
        sent = {"from": account, "to": local.market.tokens[symbol].address, "data": data}
        local.rpc.call("eth_sendTransaction", [sent])
    local.market.move(Moment(0, "", START, START, START))  # mined, and the approvals with it
    local.rpc.call("anvil_stopImpersonatingAccount", [account], nullable=True)
    local.rpc.call("anvil_setNonce", [account, "0x0"], nullable=True)
    return key, account


def _fund(local: Local, account: Address) -> None:
    local.market.fund(account, HOLDINGS)
    local.market.deployer.pay(account, GAS_MONEY)
