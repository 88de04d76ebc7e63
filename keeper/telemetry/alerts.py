"""Telling people once: the same thing is not said again before its reminder is due, and its end is said too."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from structlog.typing import FilteringBoundLogger

from keeper.core.ports import Clock

REMIND_AFTER = 4 * 3_600
"""{s} Long enough not to be muted by who is on call, short enough to be met by each shift."""

MOST_KEYS = 1_000
"""Keys remembered; beyond, the oldest are forgotten, and may be said once more."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said to people, and whether it is said for the first time."""

    kind: Literal["alert", "reminder", "all-clear"]
    key: str
    text: str


class Outlet(Protocol):
    """Carries notices to where people are. Never blocks, never raises."""

    def put(self, notice: Notice) -> None: ...


class Alerts:
    """Alerts as log lines, and through outlets. Never blocks on anything but the log's stream, and never raises: an
    alert must not stop a tick. Thread-safe: one for all chains, so that what two of them see is said once."""

    def __init__(
        self,
        log: FilteringBoundLogger,
        clock: Clock,
        remind_after: int = REMIND_AFTER,
        outlets: Sequence[Outlet] = (),
    ) -> None:
        """`remind_after` is in seconds."""
        self._log, self._clock, self._remind_after, self._outlets = log, clock, remind_after, tuple(outlets)
        self._told: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """key -> (Unix seconds when it was last said, how often it was not said since)."""
        self._lock = threading.Lock()

    def alert(self, key: str, text: str) -> None:
        """Says it where it is new, or where its reminder is due."""
        try:
            due = self._due(key)
            if due is not None:
                is_new, unsaid = due
                self._put(Notice("alert" if is_new else "reminder", key, text))
                self._log.error("alert", key=key, text=text, **({"unsaid": unsaid} if unsaid else {}))
        except Exception:  # noqa: BLE001, S110  the port's promise; a broken stream has nobody left to tell
            pass

    def resolve(self, key: str, text: str = "") -> None:
        """What `key` warned of is over: said once, and a later alert is new again."""
        try:
            with self._lock:
                known = self._told.pop(key, None)
            if known is not None:
                self._put(Notice("all-clear", key, text or f"{key}: over"))
                self._log.info("resolved", key=key, text=text)
        except Exception:  # noqa: BLE001, S110  as above
            pass

    def _put(self, notice: Notice) -> None:
        """First the outlets: a log whose disk is full must not keep the news from people."""
        for outlet in self._outlets:
            outlet.put(notice)

    def _due(self, key: str) -> tuple[bool, int] | None:
        """Whether it is new, and how often it went unsaid since it was said last; None where it is not due."""
        now = self._clock.now()
        with self._lock:
            is_new = key not in self._told
            at, unsaid = self._told.get(key, (None, 0))
            # A clock that went back must not silence an alert for as long as it went.
            if at is not None and 0 <= now - at < self._remind_after:
                self._told[key] = (at, unsaid + 1)
                return None
            self._told[key] = (now, 0)
            self._told.move_to_end(key)
            while len(self._told) > MOST_KEYS:
                self._told.popitem(last=False)
            return is_new, unsaid
