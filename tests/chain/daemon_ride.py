"""One keeper's way through a moving market: what it did, what it asked, and what it left behind."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from keeper.core.sending import FINAL, LIVE, State
from keeper.core.units import Token
from keeper.journal.past import Entry
from keeper.journal.reader import JournalReader
from keeper.local.anvil import run_anvil
from tests.chain.counting_proxy import CountingProxy
from tests.chain.daemon_market import TARGETS, Market, open_market
from tests.chain.keeper_process import Ended, KeeperProcess, keeper
from tests.chain.node import Node

TOKEN = f"CANARY{secrets.token_hex(12)}"
"""Stands in the node's URL as a provider's key does."""
SEND = "eth_sendRawTransaction"
MOVES: tuple[dict[str, int], ...] = (
    {"WETH": 3_240},
    {"LINK": 24},
    {"WETH": 2_980},
    {"LINK": 20},
    {"WETH": 3_220},
    {"WETH": 2_960, "LINK": 22},
    {"WETH": 3_200},
    {"LINK": 18},
    {"WETH": 2_940},
    {"LINK": 21},
)
"""{USD} Each takes some vault out of its band."""
SMALL_MOVES = (2_930, 2_950, 2_925, 2_955)
"""{USD} WETH, so little that nothing leaves its band."""
STEADY_TICKS = 4


# --- a keeper and what it leaves behind ------------------------------------------------------------------------------


@dataclass
class Setting:
    """One configuration with its journal, and every keeper that ran on it."""

    market: Market
    proxy: CountingProxy
    folder: Path
    config: Path
    started: list[KeeperProcess] = field(default_factory=list)
    commands: list[Ended] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        return {"DAEMON_RPC": self.proxy.url}

    def start(self) -> KeeperProcess:
        process = KeeperProcess(self.config, self.env)
        self.started.append(process)
        process.wait_for(lambda: bool(process.ticks()), "a first tick", 60)
        return process

    def run(self, *arguments: str | Path) -> Ended:
        done = keeper(*arguments, env=self.env)
        self.commands.append(done)
        return done

    def journal(self) -> JournalReader:
        return JournalReader(f"sqlite:///{self.folder / 'keeper.db'}")

    def wait_until_calm(self, process: KeeperProcess, block: int = 0, *, final: bool = False) -> None:
        """Every vault has looked at `block` or later, is in its band, and has nothing on its way; with `final`, nothing
        that could still change either."""
        over = FINAL if final else frozenset(State) - LIVE
        with self.journal() as journal:
            process.wait_for(lambda: all(_is_calm(journal, vault, block, over) for vault in TARGETS), "calm", 90)

    def leaks(self) -> list[str]:
        """Where one of the secrets stands: output of every process, and every file but those that hold them."""
        texts = {f"lines of keeper {p.pid}": "\n".join(p.lines).encode() for p in self.started}
        texts |= {f"output of command {i}": (c.out + c.err).encode() for i, c in enumerate(self.commands)}
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".key"]
        texts |= {path.name: path.read_bytes() for path in files}
        hidden = [self.proxy.token.encode(), *self.market.keys.values()]
        hidden += [key.hex().encode() for key in self.market.keys.values()]
        return [name for name, text in texts.items() if any(secret in text for secret in hidden)]


def _is_calm(journal: JournalReader, vault: str, block: int, over: frozenset[State]) -> bool:
    latest = journal.latest_cycle(vault)
    if latest is None or (latest.kind, latest.code) != ("hold", "in_band") or latest.block_number < block:
        return False
    return all(entry.intent.state in over for entry in journal.transactions(vault))


# --- the ride ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """What one vault did after one move of the market."""

    move: int
    vault: str
    cycles: int
    """From the move to the first look that found it in its band, that look excluded."""
    transactions: int
    drifts: dict[str, Fraction]
    """{bps} On chain, at the end."""


@dataclass
class Ride:
    """One keeper's way through the market, and what was found at its end."""

    setting: Setting
    moves: tuple[dict[str, int], ...] = MOVES
    before: dict[str, dict[Token, int]] = field(default_factory=dict)
    """{raw} Balances at the start."""
    after: dict[str, dict[Token, int]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    flows: dict[str, list[Any]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    allowances: dict[tuple[str, str, str], int] = field(default_factory=dict)
    steady: list[int] = field(default_factory=list)
    """HTTP requests of each tick while no price moved."""
    moving: list[int] = field(default_factory=list)
    """HTTP requests of each tick while prices moved inside the bands."""
    sent_inside: int = 0
    exit_code: int = -1
    seconds_to_end: float = 0.0
    sent_again: int = -1
    """Transactions that a second keeper on the same journal sent."""
    answers: dict[str, Ended] = field(default_factory=dict)
    """Of commands while it ran."""

    @property
    def holds_itself(self) -> bool:
        """The senders' own accounts hold the funds."""
        return all(self.setting.market.holds_itself(vault) for vault in TARGETS)


def ride_with(kind: str, folder: Path, moves: tuple[dict[str, int], ...]) -> Iterator[Ride]:
    """A ride on a node and a market of its own, with the funds held by that kind of custody."""
    with run_anvil() as anvil:
        market = open_market(Node(anvil.url), kind, mixed=True)
        proxy = CountingProxy(int(market.node.url.rpartition(":")[2]), TOKEN)
        with market.blocks():
            setting = Setting(market, proxy, folder, market.write_config(folder))
            try:
                yield travel(setting, moves)
            finally:
                for process in setting.started:
                    process.end()
        proxy.stop()


def travel(setting: Setting, moves: tuple[dict[str, int], ...] = MOVES) -> Ride:
    """All of it. The caller ends the keepers that this starts."""
    market, proxy = setting.market, setting.proxy
    ride = Ride(setting, moves, before={vault: market.balances(vault) for vault in TARGETS})
    process = setting.start()
    setting.wait_until_calm(process)
    for number, prices in enumerate(moves):
        _move(ride, process, number, prices)
    setting.wait_until_calm(process, final=True)
    sent = proxy.sent(SEND)
    ride.steady = _requests_of_ticks(process, proxy, STEADY_TICKS, lambda tick: None)
    ride.moving = _requests_of_ticks(
        process, proxy, len(SMALL_MOVES), lambda tick: market.stir(SMALL_MOVES[tick], tick)
    )
    ride.sent_inside = proxy.sent(SEND) - sent
    _ask_everything(ride)
    ride.exit_code, ride.seconds_to_end = process.stop()
    sent = proxy.sent(SEND)
    again = setting.start()
    again.wait_for_ticks(2)
    again.stop()
    ride.sent_again = proxy.sent(SEND) - sent
    ride.after = {vault: market.balances(vault) for vault in TARGETS}
    ride.allowances = market.allowances()
    with setting.journal() as journal:
        ride.entries = {vault: journal.transactions(vault) for vault in TARGETS}
        ride.flows = {vault: list(journal.flows(vault)) for vault in TARGETS}
    return ride


def _move(ride: Ride, process: KeeperProcess, number: int, prices: dict[str, int]) -> None:
    setting = ride.setting
    with setting.journal() as journal:
        last = {vault: journal.latest_cycle(vault) for vault in TARGETS}
        done = {vault: len(journal.transactions(vault)) for vault in TARGETS}
        setting.wait_until_calm(process, setting.market.move(**prices))
        for vault in TARGETS:
            found = last[vault]
            assert found is not None
            rows = [row for row in reversed(journal.cycles(vault)) if row.number > found.number]
            cycles = sum(row.turns for row in rows if row.kind != "hold")
            transactions = len(journal.transactions(vault)) - done[vault]
            ride.steps.append(Step(number, vault, cycles, transactions, setting.market.drifts(vault)))


def _requests_of_ticks(
    process: KeeperProcess, proxy: CountingProxy, count: int, before: Callable[[int], object]
) -> list[int]:
    """HTTP requests of each of the next ticks, at least `count`; `before` is called with 0, 1, … as often.

    A tick's line comes after its last request.
    """
    process.wait_for_ticks(1)
    first = len(process.ticks()) - 1
    for number in range(count):
        before(number)
        process.wait_for_ticks(1)
    ends = process.ticks()[first:]
    return [len(proxy.between(start, end)) for start, end in pairwise(ends)]


def _ask_everything(ride: Ride) -> None:
    """Every command for machines, and a second keeper, while the first one runs."""
    config = ride.setting.config
    asked: dict[str, tuple[str | Path, ...]] = {
        "second": ("run", config, "--live"),
        "status": ("status", config, "--json"),
        "explain": ("explain", "--config", config, "--json"),
        "history": ("history", config, "--json"),
        "plan": ("plan", config, "--json"),
        "config": ("config", config, "--json"),
    }
    with ThreadPoolExecutor(2) as pool:
        ride.answers = dict(zip(asked, pool.map(lambda words: ride.setting.run(*words), asked.values()), strict=True))
