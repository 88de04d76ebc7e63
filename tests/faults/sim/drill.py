"""A trade from decision to finality, with the keeper killed at numbered points on the way and started again.

The market moves once, so that every vault wants exactly one trade. However often the keeper dies, the chain must hold
exactly one executed swap of each vault in the end, and the journal must say what the chain says.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from keeper.core.sending import FINAL
from keeper.journal.sql import SqlJournal
from tests.faults.sim.endpoint import Fault, Kind
from tests.faults.sim.keeper_in_sim import Killed, SimKeeper, World
from tests.faults.sim.network import Fate
from tests.faults.sim.treasury import VAULTS
from tests.faults.sim.truth import Truth, Violation, every_intent, require

MAX_BLOCKS = 120
CONFIRMATIONS, FINALITY = 2, 3
CLIENTS = ("geth", "reth", "erigon", "nethermind", "besu", "anvil")

_BOTH, _ALL = ("before", "after"), ("before", "torn", "after")

POINTS: dict[str, tuple[str, ...]] = {
    "plain": (
        *(f"P1.observe.{moment}" for moment in _BOTH),
        *(f"P2.plan.{moment}" for moment in _ALL),
        *(f"P3.reserve.{moment}" for moment in _ALL),
        *(f"P4.first.sign.{moment}" for moment in _BOTH),
        *(f"P5.first.persist.{moment}" for moment in _ALL),
        *(f"P6.first.send.{moment}" for moment in ("before", "taken")),
        *(f"P7.result.{moment}" for moment in _ALL),
        *(f"P8.mined.{moment}" for moment in _ALL),
        *(f"P9.outcome.{moment}" for moment in _ALL),
        *(f"P9.confirm.{moment}" for moment in _ALL),
        *(f"P10.final.{moment}" for moment in _ALL),
    ),
    "bump": (
        *(f"P4.bump.sign.{moment}" for moment in _BOTH),
        *(f"P5.bump.persist.{moment}" for moment in _ALL),
        *(f"P6.bump.send.{moment}" for moment in ("before", "taken")),
    ),
    "cancel": (
        *(f"P11.cancel.sign.{moment}" for moment in _BOTH),
        *(f"P11.cancel.persist.{moment}" for moment in _ALL),
        *(f"P12.cancel.send.{moment}" for moment in ("before", "taken")),
    ),
    "reorg": (*(f"P8.unmine.{moment}" for moment in _ALL),),
}
"""What happens to the transaction, and the points that only this way passes."""


@dataclass(slots=True)
class Plan:
    """What kills: `name`, passed for the `at`-th time; then, in each next life, the point after so many others."""

    name: str
    at: int = 1
    later: list[int] = field(default_factory=list)
    life: int = 0
    passed: int = 0
    kills: int = 0
    kill: Callable[[], None] = field(default_factory=lambda: _die)

    def hit(self, point: str) -> None:
        if self.life == 0:
            if point != self.name:
                return
            self.passed += 1
            if self.passed != self.at:
                return
        else:
            if not self.later:
                return
            self.later[0] -= 1
            if self.later[0] > 0:
                return
            self.later.pop(0)
        self.kills += 1
        self.kill()

    def reborn(self) -> None:
        self.life += 1

    def without_kill(self) -> Plan:
        """What can travel to another process."""
        return Plan(self.name, self.at, list(self.later), self.life, self.passed, self.kills, _die)


def _die() -> None:
    raise Killed


def open_journal(path: Path, now: Callable[[], int]) -> Any:
    """The real journal, whose transactions can be torn between the last statement and the commit."""
    journal: Any = SqlJournal(f"sqlite:///{path}", now=now)
    store, torn = journal._store, []
    whole = store.writing

    @contextmanager
    def writing() -> Iterator[Any]:
        with whole() as connection:
            yield connection
            if torn:
                torn.pop()()

    store.writing = writing
    journal.tear = torn.append
    return journal


@dataclass(slots=True)
class Run:
    """What a drill came to."""

    kills: int
    blocks: int
    recoveries: list[float]
    """{s} From the death of a process to the end of the next one's first whole tick."""


class Drill:
    """One seed of one point. `lives` makes a keeper that raises Killed from `tick` when its process has died."""

    def __init__(
        self, shape: str, point: str, seed: int, template: Path, folder: Path, *, is_calm: bool = False
    ) -> None:
        """`template` is an empty journal; a calm run has no faults but the kills."""
        self.random = Random(f"{shape} {point} {seed}")
        clients = self.random.sample(CLIENTS, self.random.choice((1, 1, 2)))
        self.world = World.open(clients, FINALITY)
        self.shape, self.path = shape, folder / "keeper.db"
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        shutil.copy(template, self.path)
        later = [self.random.randint(1, 25) for _ in range(self.random.choice((0, 1, 1, 2)))]
        # One vault is enough for most; two want the same pool, and one of them must wait.
        self.vaults = self.random.choice((("one",), ("one",), ("one", "two")))
        self.plan = Plan(point, later=later)
        self.recoveries: list[float] = []
        self._is_here = self.random.random() < 0.6
        """The key."""
        self._shaped, self._reorg_in = False, 2
        if not is_calm:
            self._faults()

    def _faults(self) -> None:
        """In two runs of three the nodes are not at their best either."""
        for endpoint in self.world.endpoints:
            if self.random.random() < 0.66:
                kind = self.random.choice((Kind.DROP_RESPONSE, Kind.DUPLICATE, Kind.ERROR_AFTER, Kind.DROP_REQUEST))
                endpoint.faults.append(Fault("eth_sendRawTransaction", kind, "internal error"))

    @property
    def settings(self) -> dict[str, Any]:
        return {"confirmations": CONFIRMATIONS, "vaults": self.vaults, "is_here": self._is_here}

    # --- lives -------------------------------------------------------------------------------------------------------

    def begin(self) -> Any:
        return LocalLife(self)

    def run(self) -> Run:
        self.world.mine(acts=[lambda ledger: ledger.move_price(self.random.choice((2_700, 3_300, 3_500)) * 10**8)])
        life, died, blocks = self.begin(), 0.0, 0
        while not (blocks > 3 and life.is_over()):
            if blocks >= MAX_BLOCKS:
                raise Violation(f"6: not over after {blocks} blocks: {life.states()} {life.trouble}")
            try:
                life.tick()
                if died and not life.trouble:
                    self.recoveries.append(time.perf_counter() - died)
                    died = 0.0
            except Killed:
                died = time.perf_counter()
                life.bury()
                self.plan.reborn()
                life = self.begin()
                if self.random.random() < 0.5:
                    continue
            self._mine(blocks)
            blocks += 1
        life.bury()
        self._judge()
        require(not self.world.network.views[0].pool.hashes, "6: something still waits in a pool")
        return Run(self.plan.kills, blocks, self.recoveries)

    # --- the chain ---------------------------------------------------------------------------------------------------

    def _mine(self, blocks: int) -> None:
        network = self.world.network
        if (
            self.shape == "bump"
            and not self._has(lambda txs: len({tx.tip for tx in txs if tx.is_swap}) > 1, blocks, 40)
        ) or (self.shape == "cancel" and not self._has(lambda txs: any(not tx.data for tx in txs), blocks, 60)):
            self.world.mine(txs=())
        elif self.random.random() < 0.2 and blocks < 40:
            # A miner takes whichever attempt it has kept.
            rivals = network.rivals()
            self.world.mine(txs=[self.random.choice(rivals)] if rivals else ())
        else:
            self.world.mine()
        swaps = [tx for _, tx in network.canonical() if tx.is_swap]
        if self.shape == "reorg" and not self._shaped and swaps:
            # Once the keeper has seen it mined, and before it is final.
            self._reorg_in -= 1
            if not self._reorg_in:
                self._shaped = True
                network.reorg(2, self.random.choice((Fate.POOL, Fate.NEVER)))

    def _has(self, wanted: Callable[[list[Any]], bool], blocks: int, most: int) -> bool:
        if not self._shaped:
            by_sender = {tx.sender: [] for tx in self.world.network.seen.values()}  # type: ignore[var-annotated]
            for tx in self.world.network.seen.values():
                by_sender[tx.sender].append(tx)
            self._shaped = any(wanted(txs) for txs in by_sender.values()) or blocks > most
        return self._shaped

    # --- the end -----------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        journal = open_journal(self.path, self.world.now)
        try:
            truth = Truth(self.world, journal)
            truth.check()
            truth.check_settled()
            for account in (VAULTS[name][0] for name in self.vaults):
                trades = len(truth.executed(account))
                require(trades == 1, f"3: {account} traded {trades} times, expected once")
        finally:
            journal.close()


class LocalLife:
    """A keeper in this process, on the journal's file. Killed by an exception that nothing may catch."""

    def __init__(self, drill: Drill) -> None:
        self.journal, self.vaults = open_journal(drill.path, drill.world.now), drill.vaults
        self.keeper = SimKeeper(drill.world, self.journal, hit=drill.plan.hit, **drill.settings)

    @property
    def trouble(self) -> str:
        return self.keeper.trouble

    def tick(self) -> None:
        self.keeper.tick()

    def states(self) -> list[str]:
        return [str(intent.state) for intent in every_intent(self.journal)]

    def is_over(self) -> bool:
        found = every_intent(self.journal)
        return len({i.vault for i in found}) == len(self.vaults) and all(intent.state in FINAL for intent in found)

    def bury(self) -> None:
        """What the system does with a dead process's locks and files."""
        self.journal.close()
