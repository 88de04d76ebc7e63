"""Old cycles are forgotten between ticks, on no chain's thread, a portion at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from keeper.core.errors import JournalError
from keeper.telemetry.logs import logger

EVERY = 3_600
"""{s} From the end of one pass over all that is old to the next."""


class Forgetting(Protocol):
    """What is asked of a journal."""

    def prune(self, before: int, after: int = 0) -> tuple[int, int]: ...


@dataclass(slots=True)
class Pruning:
    """Keeps a journal's cycles for `keep` seconds; None for ever."""

    journal: Forgetting
    keep: int | None
    now: Callable[[], float] = time.time
    _after: int = 0
    _rests_until: float = 0
    _forgotten: int = 0

    def step(self) -> None:
        """One portion, where there is one. A journal that cannot be written is the ticks' trouble, and told by them."""
        now = self.now()
        if self.keep is None or now < self._rests_until:
            return
        try:
            count, self._after = self.journal.prune(int(now) - self.keep, self._after)
        except JournalError:
            return
        self._forgotten += count
        if not count:
            if self._forgotten:
                logger("journal").info("pruned", cycles=self._forgotten, keep_s=self.keep)
            self._rests_until, self._forgotten = now + EVERY, 0
