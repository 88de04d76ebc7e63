"""Which state a vault's past is in: equal marks, equal past. So what has not changed is not read again.

There is one writer, so what this process writes and the requests that others leave are all that can change it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from keeper.journal.prepared import Prepared
from keeper.journal.tables import requests

Mark = tuple[int, int, int]

_ASKED = Prepared(select(func.max(requests.c.id)))


@dataclass(slots=True)
class Marks:
    """Counts what was written of each vault, and of all of them. A streak that goes on is no change."""

    _of_all: int = 0
    _asked: int = 0
    _own: Counter[str] = field(default_factory=Counter)

    def touch(self, vault: str) -> None:
        """Something that its history tells has changed, or is about to."""
        self._own[vault] += 1

    def touch_all(self) -> None:
        """A halt, a pause or the like, whomever it concerns."""
        self._of_all += 1

    def look(self, connection: Connection) -> None:
        """What other processes have asked for meanwhile: a pause counts from that moment on."""
        self._asked = _ASKED.first(connection)[0] or 0

    def of(self, vault: str) -> Mark:
        return self._of_all, self._asked, self._own[vault]
