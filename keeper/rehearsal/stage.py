"""One day: a live keeper of the rebuilt vault, whose process may die, and what is seen of it afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from keeper.app.deployment import Deployment
from keeper.app.journals import journal_url
from keeper.app.loading import open_config
from keeper.config import Loaded
from keeper.core.records import CycleRecord
from keeper.core.sending import Intent, Mined, State
from keeper.core.units import WHOLE_BPS, Address
from keeper.cycle import Turn
from keeper.daemon import ChainLoop
from keeper.journal.past import Entry
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from keeper.rehearsal.node import Mempool, Node
from keeper.rehearsal.world import World

MOST_BLOCKS = 30
"""Looks that a vault gets to begin a trade and to end it."""


MOST_LOSS = 200
"""{bps} Of the true prices: beyond it no limit of a configuration makes a trade a good one."""


class Died(BaseException):
    """The keeper's process is gone. No Exception: nothing of the keeper may catch it."""


class MortalJournal(SqlJournal):
    """The real journal, of a process that may die once its transaction has left, or whose disk may be full."""

    dies: Callable[[], bool] = staticmethod(lambda: False)
    """Asked once a node has taken a transaction, before the journal hears of it."""

    def advance(self, intent: int, to: State, mined: Mined | None = None, note: str = "") -> Intent:
        if to is State.SENT and self.dies():
            raise Died
        return super().advance(intent, to, mined, note)

    def fill_disk(self) -> None:
        """SQLite gets no page more than it has."""
        self._limit("(SELECT page_count FROM pragma_page_count())")

    def free_disk(self) -> None:
        self._limit("1073741823")

    def _limit(self, pages: str) -> None:
        with self._store.writing() as connection:
            count = connection.exec_driver_sql(f"SELECT {pages}").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={int(count)}")


@dataclass(frozen=True, slots=True)
class Base:
    """Where every day begins: a block, a journal, and the files of a configuration."""

    world: World
    nodes: Sequence[Node]
    pool: Mempool
    account: Address
    key: bytes
    folder: Path
    block: int


@dataclass(slots=True)
class Stage:
    """`with Stage.begin(base, folder) as stage`: the chain as it was, and a keeper that has just started."""

    base: Base
    loaded: Loaded
    journal: MortalJournal = field(init=False)
    deployment: Deployment = field(init=False)
    loop: ChainLoop = field(init=False)
    turns: list[Turn] = field(default_factory=list)
    blocks: int = 0

    @classmethod
    def begin(cls, base: Base, folder: Path) -> Stage:
        """Raises KeeperError where the keeper does not start."""
        world = base.world
        for node in base.nodes:
            node.heal()
        base.pool.clear()
        world.chain.rewind(base.block)
        world.prices, world.told = dict(world.shape.prices), dict(world.shape.prices)
        world.set_base_fee(world.base_fee)
        world.tell()
        folder.mkdir()
        for file in base.folder.iterdir():
            shutil.copy(file, folder / file.name)
        stage = cls(base, open_config(folder / "keeper.yaml"))
        stage.start()
        return stage

    # --- the keeper's life -------------------------------------------------------------------------------------------

    def start(self, *, live: bool = True) -> None:
        chain = self.base.world.chain
        self.journal = MortalJournal(journal_url(self.loaded), now=lambda: chain.now)
        self.deployment = Deployment.open(self.loaded, self.journal, live=live)
        (self.loop,) = self.deployment.loops

    def end(self) -> None:
        self.deployment.close()
        self.journal.close()

    def ride(self, blocks: int) -> None:
        """The keeper looks once in each block. Dies of whatever the day does to it."""
        for _ in range(blocks):
            self.turns += self.loop.tick()
            self.base.world.chain.mine()
            self.blocks += 1

    def ride_until_traded(self, most: int = MOST_BLOCKS) -> None:
        """Until a swap is settled, or nothing came of it."""
        for _ in range(most):
            self.ride(1)
            if self.swaps and not self.loop.is_awaiting:
                return

    def ride_until_sent(self, most: int = MOST_BLOCKS) -> bool:
        """Until a swap has left; says whether one did."""
        for _ in range(most):
            if self.base.pool.swaps:
                return True
            self.ride(1)
        return bool(self.base.pool.swaps)

    @property
    def world(self) -> World:
        return self.base.world

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def entries(self) -> list[Entry]:
        with JournalReader(journal_url(self.loaded)) as reader:
            return reader.transactions(self.base.world.shape.vault)

    @property
    def swaps(self) -> list[Entry]:
        """Trades that took place."""
        return [entry for entry in self.entries if entry.traded is not None]

    @property
    def halts(self) -> list[str]:
        with JournalReader(journal_url(self.loaded)) as reader:
            return [halt.reason for halt in reader.halts()]

    @property
    def bound(self) -> Fraction:
        """{bps} What a trade may fall short of the true prices: its limits together, and never above MOST_LOSS."""
        guards = self.loaded.config.vaults[self.world.shape.vault].guards
        fee = max(Fraction(each.fee, 100) for each in self.world.shape.pools)
        return min(Fraction(MOST_LOSS), guards.max_slippage + guards.max_impact + fee)

    def unexplained(self) -> int:
        """Nonces that the account used and the journal did not."""
        used = int(self.world.chain.ask("eth_getTransactionCount", self.base.account, "latest"), 16)
        return max(0, used - len({entry.intent.nonce for entry in self.entries}))

    def refusals(self) -> list[CycleRecord]:
        """Looks that came to nothing, each reason once, the first first."""
        found: dict[tuple[str, str], CycleRecord] = {}
        for turn in self.turns:
            if turn.record.kind != "intended" and turn.record.code not in ("live", "in_band", "cool_down"):
                found.setdefault((turn.record.kind, turn.record.code), turn.record)
        return list(found.values())

    def worst(self) -> Fraction:
        """{bps} How far the worst trade fell short of the true prices, gas apart; negative where it gained."""
        return max((self._shortfall(entry) for entry in self.swaps), default=Fraction(0))

    def _shortfall(self, entry: Entry) -> Fraction:
        world, fill = self.base.world, entry.outcome.fill if entry.outcome else None
        if fill is None:
            return Fraction(0)
        paid = sum((world.worth(each.token, each.raw) for each in fill.sold), Fraction(0))
        got = sum((world.worth(each.token, each.raw) for each in fill.received), Fraction(0))
        return (paid - got) / paid * WHOLE_BPS if paid else Fraction(0)

    def traded(self) -> Fraction:
        """{USD}"""
        return sum((entry.traded.whole for entry in self.swaps if entry.traded), Fraction(0))

    def lost(self) -> Fraction:
        """{USD} Against the true prices, gas apart."""
        return sum((self._shortfall(e) * e.traded.whole / WHOLE_BPS for e in self.swaps if e.traded), Fraction(0))

    def gas(self) -> Fraction:
        """{USD}"""
        return sum((entry.gas_value.whole for entry in self.entries if entry.gas_value), Fraction(0))
