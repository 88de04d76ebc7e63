"""The loop around the cycle: which vaults are due, what was asked for meanwhile, and how to stop.

One thread per chain, so a slow chain never delays another. A tick looks at the clock, not at the node: it asks the
node only where a vault is due or a transaction is live.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from keeper.core.errors import KeeperError
from keeper.core.ports import Clock, Journal
from keeper.core.records import Request
from keeper.cycle import Cycle, Turn

POLL = 1.0
"""{s} How often a chain's thread looks at the clock."""
BEAT = 30
"""{s} How often a chain says that it lives, where it has nothing else to do."""
VERIFY = 3_600
"""{s} How often what was pinned at start is looked at again."""
RETRY = 30.0
"""{s} How often a chain that was down at start is tried again."""
MOST_CHAINS = 32


class Schedule(Protocol):
    """When a vault is looked at."""

    def is_due(self, last_at: int | None, last_block: int | None, now: int, block: int) -> bool: ...


class Teller(Protocol):
    """Says what a tick came to: logs, alerts, progress."""

    def began(self) -> None: ...

    def ticked(self, chain: str, turns: Sequence[Turn]) -> None: ...

    def trouble(self, chain: str, error: KeeperError) -> None: ...


@dataclass(slots=True)
class ChainLoop:
    """One chain's vaults and their next turns.

    Guarantees: no two ticks overlap, a missed look is made up for once and not in a burst, and a vault whose
    transaction has just settled is looked at again at once, whatever its schedule.
    """

    chain: str
    chain_id: int
    cycle: Cycle
    schedules: Mapping[str, Schedule]
    clock: Clock
    journal: Journal
    teller: Teller
    block_time: float
    note: Callable[[Turn], None]
    """Keeps samples and flows of a turn."""
    answer: Callable[[Request], str | None]
    """Carries out a request row and says what it did; None where it will be done at the next look."""
    verify: Callable[[int], None]
    """Looks again at what was pinned at start, and halts what has changed."""
    _looked: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Time and block of each vault's last look."""
    _awaited: set[str] = field(default_factory=set)
    """Vaults with a transaction on its way, or waiting for another's."""
    _settled_at: int = 0
    _head: tuple[int, int] = (0, 0)
    """Number of the last block seen, and when."""
    _beat_at: int = 0
    _verified_at: int | None = None

    def tick(self) -> Sequence[Turn]:
        """One tick: what people asked for, then every vault that is due. Failures of the chain are told, not raised."""
        try:
            for request in self.journal.requests():
                if (done := self.answer(request)) is not None:
                    self.journal.answer(request.id, done)
            return self._turn(self.clock.now())
        except KeeperError as error:
            self.teller.trouble(self.chain, error)
        except Exception as error:  # noqa: BLE001  a fault in one chain's tick must not end its thread, nor flood the log
            self.teller.trouble(self.chain, KeeperError(f"a fault of keeper's own: {type(error).__name__}: {error}"))
        return ()

    @property
    def is_awaiting(self) -> bool:
        """A transaction is on its way, or a vault waits for another's."""
        return bool(self._awaited)

    def _turn(self, now: int) -> Sequence[Turn]:
        self._keep_up(now)
        self.teller.began()
        due = self._due(now) or self._freed(now)
        if not due:
            return ()
        turns = []
        for turn in self.cycle.turn(due):
            turns.append(turn)
            self._remember(turn, now)
            self.note(turn)
        self._settled_at = now
        self._beat(now)
        self.teller.ticked(self.chain, turns)
        return turns

    def _due(self, now: int) -> list[str]:
        number, seen_at = self._head
        # The head as it should be by now; what is observed then sets it right.
        block = number + int((now - seen_at) / self.block_time) if number else 0
        due = []
        for name, schedule in self.schedules.items():
            at, last = self._looked.get(name, (None, None))
            if schedule.is_due(at, last, now, block):
                due.append(name)
        return due

    def _freed(self, now: int) -> list[str]:
        """Follows live transactions between looks. Returns the vaults that were waiting and need not any more."""
        if not self._awaited or now - self._settled_at < self.block_time:
            return []
        busy = self.cycle.settle()
        self._settled_at = now
        # They stay awaited until their turn has really been made.
        return [name for name in self.schedules if name in self._awaited and name not in busy]

    def _remember(self, turn: Turn, now: int) -> None:
        record = turn.record
        self._looked[record.vault] = (now, record.block_number)
        self._head = (record.block_number, now)
        if turn.intent is not None or record.code == "live":
            self._awaited.add(record.vault)
        else:
            self._awaited.discard(record.vault)

    def _keep_up(self, now: int) -> None:
        if now - self._beat_at >= BEAT:
            self._beat(now)
        if self._verified_at is None:
            self._verified_at = now  # pinning has just looked
        elif now - self._verified_at >= VERIFY:
            self.verify(now)
            self._verified_at = now

    def _beat(self, now: int) -> None:
        self.journal.beat(self.chain_id, now, self._head[0], f"{len(self.schedules)} vaults")
        self._beat_at = now


def run(loops: Iterable[ChainLoop], stop: threading.Event, retry: Callable[[], Iterable[ChainLoop]]) -> None:
    """Ticks every chain in a thread of its own until `stop` is set; then lets each finish the step in hand.

    `retry` gives the loops of chains that were down before and answer now.
    """
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(MOST_CHAINS)})

    def add(loop: ChainLoop) -> None:
        # The default grace of one second would silently skip a late tick; late ticks are made once instead.
        scheduler.add_job(
            loop.tick,
            "interval",
            seconds=POLL,
            id=loop.chain,
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    for loop in loops:
        add(loop)
    scheduler.start()
    try:
        while not stop.wait(RETRY):
            for loop in retry():
                add(loop)
    finally:
        scheduler.shutdown(wait=True)
