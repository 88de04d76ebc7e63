"""The loop around the cycle: which vaults are due, what was asked for meanwhile, and how to stop.

One thread per chain, so a slow chain never delays another. A tick looks at the clock, not at the node: it asks the
node only where a vault is due or a transaction is live. Where somebody tells of new heads, the thread wakes for them;
what it then believes is what it reads itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

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
LEAST_BETWEEN_HEADS = 4
"""Heads that are heard of more often than so many times in a block's time wake nobody: whoever tells them may lie."""


class Schedule(Protocol):
    """When a vault is looked at."""

    def is_due(self, last_at: int | None, last_block: int | None, now: int, block: int) -> bool: ...

    def next_at(self, now: int) -> int: ...


class Teller(Protocol):
    """Says what a tick came to: logs, alerts, progress."""

    def began(self) -> None: ...

    def ticked(self, chain: str, turns: Sequence[Turn]) -> None: ...

    def kept_pace(self, chain: str, took: float, skipped: int) -> None:
        """A tick of {s} during which so many looks came due that are skipped: the next one makes up for all."""
        ...

    def trouble(self, chain: str, error: KeeperError) -> None: ...


class Heads(Protocol):
    """Tells of new heads, if it can; what it says is a hint and nothing more."""

    def start(self, heard: Callable[[int], None]) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class ChainLoop:
    """One chain's vaults and their next turns.

    Guarantees: no two ticks overlap, a missed look is made up for once and not in a burst, and a vault whose
    transaction has just settled is looked at again at once, whatever its schedule or that of others.
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
    heads: Heads | None = None
    timer: Callable[[], float] = time.monotonic
    skipped: int = 0
    """Looks that came due while a tick was still under way."""
    failed: int = 0
    """Cycles that a fault of one vault ended; the other vaults went on."""
    _looked: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Time and block of each vault's last look."""
    _awaited: set[str] = field(default_factory=set)
    """Vaults with a transaction on its way, or waiting for another's."""
    _settled_at: int = 0
    _head: tuple[int, int] = (0, 0)
    """Number of the last block seen, and when."""
    _heard: int = 0
    """Number of a newer head that was told of since; 0 where none was."""
    _heard_at: float = float("-inf")
    _beat_at: int = 0
    _verified_at: int | None = None
    _wake: threading.Event = field(default_factory=threading.Event)

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

    def turn_until(self, stop: threading.Event) -> None:
        """Ticks every second, and at once when woken, until `stop` is set; the step in hand is finished."""
        while not stop.is_set():
            begun = self.timer()
            self.tick()
            self._wake.wait(max(0.0, begun + POLL - self.timer()))
            self._wake.clear()

    def wake(self) -> None:
        self._wake.set()

    def hear(self, number: int) -> None:
        """Somebody says that there is a block of this number. From any thread; wrong or made up, it costs one look."""
        now = self.timer()
        if number > self._head[0] and now - self._heard_at >= self.block_time / LEAST_BETWEEN_HEADS:
            self._heard, self._heard_at = number, now
            self.wake()

    @property
    def is_awaiting(self) -> bool:
        """A transaction is on its way, or a vault waits for another's."""
        return bool(self._awaited)

    def _turn(self, now: int) -> Sequence[Turn]:
        begun = self.timer()
        self._keep_up(now)
        self.teller.began()
        heard, self._heard = self._heard, 0
        due = list(dict.fromkeys([*self._due(now, heard), *self._freed(now, heard)]))
        if not due:
            return ()
        turns = []
        for turn in self.cycle.turn(due):
            turns.append(turn)
            self._remember(turn, now)
            if not turn.holds_on:
                self.note(turn)
        self._beat(now)
        self.teller.ticked(self.chain, turns)
        self._measure(due, now, self.timer() - begun)
        return turns

    def _due(self, now: int, heard: int) -> list[str]:
        number, seen_at = self._head
        # The head as it should be by now; what is observed then sets it right. One that was told of counts as the very
        # next, whatever its number: a liar gains one early look.
        block = number + max(int((now - seen_at) / self.block_time), int(heard > number)) if number else 0
        due = []
        for name, schedule in self.schedules.items():
            at, last = self._looked.get(name, (None, None))
            if schedule.is_due(at, last, now, block):
                due.append(name)
        return due

    def _freed(self, now: int, heard: int) -> list[str]:
        """Follows live transactions between looks. Returns the vaults that were waiting and need not any more."""
        if not self._awaited or (now - self._settled_at < self.block_time and not heard):
            return []
        busy = self.cycle.settle()
        self._settled_at = now
        # They stay awaited until their turn has really been made.
        return [name for name in self.schedules if name in self._awaited and name not in busy]

    def _remember(self, turn: Turn, now: int) -> None:
        record, block = turn.record, turn.block_number
        self._looked[record.vault] = (now, block)
        self._head = (block, now)
        if turn.holds_on:
            self._awaited.discard(record.vault)
            return
        self.failed += record.code == "failed"
        if turn.intent is not None or record.code == "live":
            if not self._awaited:
                self._settled_at = now  # its turn has just settled; nothing can have changed
            self._awaited.add(record.vault)
        else:
            self._awaited.discard(record.vault)

    def _measure(self, due: Sequence[str], now: int, took: float) -> None:
        """{s} A tick that lasts until its vaults are due again has skipped a look."""
        room = max(POLL, min(self.schedules[name].next_at(now) for name in due) - now)
        skipped = int(took // room)
        self.skipped += skipped
        self.teller.kept_pace(self.chain, took, skipped)

    def _keep_up(self, now: int) -> None:
        if now - self._beat_at >= BEAT:
            self._beat(now)
        if self._verified_at is None:
            self._verified_at = now  # pinning has just looked
        elif now - self._verified_at >= VERIFY:
            self.verify(now)
            self._verified_at = now

    def _beat(self, now: int) -> None:
        counts = {"looks skipped": self.skipped, "cycles failed": self.failed}
        kept = len(self.schedules)
        told = [
            "1 vault" if kept == 1 else f"{kept:,} vaults",
            *(f"{count:,} {what}" for what, count in counts.items() if count),
        ]
        self.journal.beat(self.chain_id, now, self._head[0], ", ".join(told))
        self._beat_at = now


def run(loops: Iterable[ChainLoop], stop: threading.Event, retry: Callable[[], Iterable[ChainLoop]]) -> None:
    """Ticks every chain in a thread of its own until `stop` is set; then lets each finish the step in hand.

    `retry` gives the loops of chains that were down before and answer now.
    """
    running: list[tuple[ChainLoop, threading.Thread]] = []

    def start(loop: ChainLoop) -> None:
        thread = threading.Thread(target=loop.turn_until, args=(stop,), name=loop.chain)
        running.append((loop, thread))
        thread.start()
        if loop.heads is not None:
            loop.heads.start(loop.hear)

    try:
        for loop in loops:
            start(loop)
        while not stop.wait(RETRY):
            for loop in retry():
                start(loop)
    finally:
        stop.set()
        for loop, thread in running:
            loop.wake()
            with suppress(Exception):  # what only brings news must not keep the others from ending well
                if loop.heads is not None:
                    loop.heads.close()
            thread.join()
