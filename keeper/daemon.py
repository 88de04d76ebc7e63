"""The loop around the cycle: which vaults are due, what was asked for meanwhile, and how to stop.

One thread per chain, so a slow chain never delays another. A tick looks at the clock, not at the node: it asks the
node only where a vault is due or a transaction is live.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from keeper.core.errors import KeeperError
from keeper.core.ports import Clock, Journal
from keeper.core.records import Request
from keeper.cycle import Cycle, Turn

POLL = 1.0
"""{s} How often a chain's thread looks at the clock."""


class Schedule(Protocol):
    """When a vault is looked at."""

    def is_due(self, last_at: int | None, last_block: int | None, now: int, block: int) -> bool: ...


class Teller(Protocol):
    """Says what a tick came to: logs, alerts, progress."""

    def ticked(self, chain: str, turns: Sequence[Turn]) -> None: ...

    def trouble(self, chain: str, error: KeeperError) -> None: ...


@dataclass(slots=True)
class _Looked:
    """When a vault was last looked at."""

    at: int | None = None
    block: int | None = None


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
    answer: Callable[[Request], str]
    """Carries out a request row and says what it did."""
    _looked: dict[str, _Looked] = field(default_factory=dict)
    _awaited: set[str] = field(default_factory=set)
    _settled_at: int = 0
    _head: tuple[int, int] = (0, 0)

    def tick(self) -> Sequence[Turn]:
        """One tick: what people asked for, then every vault that is due. Failures of the chain are told, not raised."""
        try:
            self._honour()
            return self._turn()
        except KeeperError as error:
            self.teller.trouble(self.chain, error)
            return ()

    def _turn(self) -> Sequence[Turn]:
        now = self.clock.now()
        due = self._due(now)
        if not due and self._awaited and now - self._settled_at >= self.block_time:
            due = self._settle(now)
        if not due:
            return ()
        turns = []
        for turn in self.cycle.turn(due):
            turns.append(turn)
            self._remember(turn, now)
        self._settled_at = now
        self.journal.beat(self.chain_id, now, self._head[0], f"{len(turns)} vaults")
        self.teller.ticked(self.chain, turns)
        return turns

    def _due(self, now: int) -> list[str]:
        number, seen_at = self._head
        # The head as it should be by now; what is observed then sets it right.
        block = number + int((now - seen_at) / self.block_time) if number else 0
        looked = {name: self._looked.get(name, _Looked()) for name in self.schedules}
        return [n for n, s in self.schedules.items() if s.is_due(looked[n].at, looked[n].block, now, block)]

    def _settle(self, now: int) -> list[str]:
        """Follows live transactions between looks. Returns the vaults that were waiting and need not any more."""
        busy = self.cycle.settle()
        self._settled_at = now
        freed = [name for name in self._awaited if name not in busy]
        self._awaited &= set(busy)
        return freed

    def _remember(self, turn: Turn, now: int) -> None:
        record = turn.record
        self._looked[record.vault] = _Looked(now, record.block_number)
        self._head = (record.block_number, now)
        if turn.intent is not None or record.code == "live":
            self._awaited.add(record.vault)
        else:
            self._awaited.discard(record.vault)

    def _honour(self) -> None:
        for request in self.journal.requests():
            self.journal.answer(request.id, self.answer(request))


def run(loops: Iterable[ChainLoop], stop: threading.Event) -> None:
    """Ticks every chain in a thread of its own until `stop` is set; then lets each finish the step in hand."""
    loops = tuple(loops)
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(max(1, len(loops)))})
    for loop in loops:
        # The default grace of one second would silently skip a late tick; late ticks are made once instead.
        scheduler.add_job(
            loop.tick, "interval", seconds=POLL, id=loop.chain, max_instances=1, coalesce=True, misfire_grace_time=None
        )
    scheduler.start()
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)
