"""Telling people once: the same thing is not said again before its reminder is due."""

from __future__ import annotations

import threading
from collections import OrderedDict

from structlog.typing import FilteringBoundLogger

from keeper.core.ports import Clock

REMIND_AFTER = 4 * 3_600
"""{s} Long enough not to be muted by who is on call, short enough to be met by each shift."""

MOST_KEYS = 1_000
"""Keys remembered; beyond, the oldest are forgotten, and may be said once more."""


class LogAlert:
    """Alerts as log lines. Never blocks on anything but the stream, and never raises: an alert must not stop a tick."""

    def __init__(self, log: FilteringBoundLogger, clock: Clock, remind_after: int = REMIND_AFTER) -> None:
        self._log, self._clock, self._remind_after = log, clock, remind_after
        self._told: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """key -> (Unix seconds when it was last said, how often it was not said since)."""
        self._lock = threading.Lock()

    def alert(self, key: str, text: str) -> None:
        try:
            unsaid = self._due(key)
            if unsaid is not None:
                self._log.error("alert", key=key, text=text, **({"unsaid": unsaid} if unsaid else {}))
        except Exception:  # noqa: BLE001, S110  the port's promise; a broken stream has nobody left to tell
            pass

    def resolve(self, key: str, text: str = "") -> None:
        """What `key` warned of is over: said once, and a later alert is new again."""
        try:
            with self._lock:
                known = self._told.pop(key, None)
            if known is not None:
                self._log.info("resolved", key=key, text=text)
        except Exception:  # noqa: BLE001, S110  as above
            pass

    def _due(self, key: str) -> int | None:
        """How often it went unsaid since it was said last; None where it is not due."""
        now = self._clock.now()
        with self._lock:
            at, unsaid = self._told.get(key, (None, 0))
            # A clock that went back must not silence an alert for as long as it went.
            if at is not None and 0 <= now - at < self._remind_after:
                self._told[key] = (at, unsaid + 1)
                return None
            self._told[key] = (now, 0)
            self._told.move_to_end(key)
            while len(self._told) > MOST_KEYS:
                self._told.popitem(last=False)
            return unsaid
