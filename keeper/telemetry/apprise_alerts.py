"""Alerts to where people are: chat, mail, pager and the rest of what Apprise knows, each by one URL.

Each target has a queue and a thread of its own, so that a slow or dead one delays neither a tick nor the others. What
it does not take is tried again until it does; a full queue loses its oldest notice, and says later how many.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from keeper.telemetry.alerts import Notice
from keeper.telemetry.logs import logger
from keeper.telemetry.mask import mask

MOST_WAITING = 100
"""Notices of one target. Causes are few and said once, so this is days of a dead target."""
WAITS = (1.0, 5.0, 30.0, 120.0, 600.0)
"""{s} After one failure, two, … in a row, until the notice is tried again."""
TIMEOUT = 10.0
"""{s} For connecting, and between two pieces of an answer."""

_KINDS = {"alert": "failure", "reminder": "warning", "all-clear": "success"}

Send = Callable[[str, str, str], bool]
"""(title, text, Apprise's notify type) -> whether the target took it. May block, does not raise."""


def apprise_send(url: str) -> Send | None:
    """None where Apprise does not understand the URL. Imports Apprise: a tenth of a second, so not on a tick."""
    import apprise

    quiet = logging.getLogger("apprise")  # its lines may hold what a service said, our URL included
    quiet.propagate = False
    quiet.handlers = [logging.NullHandler()]
    # A redirect would carry tokens to a host that nobody has configured.
    asset = apprise.AppriseAsset(app_id="keeper", app_desc="keeper", http_redirects=False, secure_logging=True)
    plugin: Any = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if plugin is None:
        return None
    plugin.socket_connect_timeout = plugin.socket_read_timeout = TIMEOUT

    def send(title: str, text: str, kind: str) -> bool:
        try:
            return bool(plugin.notify(title=title, body=text, notify_type=apprise.NotifyType(kind)))
        except Exception:  # noqa: BLE001  a plugin's fault is a target that did not take it
            return False

    return send


class Target:
    """One URL. `put` never blocks; delivery happens in a daemon thread, begun with the first notice."""

    def __init__(
        self,
        name: str,
        open_send: Callable[[], Send | None],
        *,
        most: int = MOST_WAITING,
        waits: Sequence[float] = WAITS,
    ) -> None:
        """`name` is what logs call it: never its URL. `open_send` runs in the thread."""
        self.name, self._open, self._most, self._waits = name, open_send, most, waits
        self._waiting: deque[Notice] = deque()
        self._dropped = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def put(self, notice: Notice) -> None:
        with self._changed:
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(notice)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"alerts {self.name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self, deadline: float) -> None:
        """Lets what waits go out until `deadline` (monotonic seconds), then leaves it."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - monotonic()))

    def _run(self) -> None:
        send = self._open()
        if send is None:
            self._say("error", "alerts have a target that Apprise does not understand")
            return
        failures = 0
        while (notice := self._next()) is not None:
            if self._deliver(send, notice):
                if failures:
                    self._say("info", "alert target takes alerts again")
                failures = 0
                continue
            failures += 1
            if failures == 1:
                self._say("warning", "alert not delivered, will be tried again")
            with self._changed:
                if self._closing:
                    return
                self._changed.wait_for(lambda: self._closing, self._waits[min(failures, len(self._waits)) - 1])

    def _say(self, level: str, event: str) -> None:
        with suppress(OSError, ValueError):  # a log that cannot be written must not end this thread
            getattr(logger("alert"), level)(event, target=self.name, waiting=self.waiting)

    def _next(self) -> Notice | None:
        """The oldest, which stays in the queue until it is delivered; None where there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return self._waiting[0] if self._waiting else None

    def _deliver(self, send: Send, notice: Notice) -> bool:
        dropped = self._dropped
        lost = f" ({dropped} older notices were lost)" if dropped else ""
        if not send(f"keeper: {notice.kind}", mask(notice.text) + lost, _KINDS[notice.kind]):
            return False
        with self._changed:
            self._dropped -= dropped
            if self._waiting and self._waiting[0] is notice:  # else a full queue has dropped it meanwhile
                self._waiting.popleft()
        return True


class AppriseOutlet:
    """All targets of a deployment."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.targets = [Target(target_name(n, url), _opener(url)) for n, url in enumerate(urls)]

    def put(self, notice: Notice) -> None:
        for target in self.targets:
            target.put(notice)

    def close(self, patience: float = 5.0) -> None:
        """Gives what waits `patience` seconds in all to go out."""
        deadline = monotonic() + patience
        for target in self.targets:
            target.close(deadline)


def target_name(number: int, url: str) -> str:
    """`alerts.to[0] (slack)`: of many services' URLs even the host is a token."""
    return f"alerts.to[{number}] ({urlsplit(url).scheme})"


def _opener(url: str) -> Callable[[], Send | None]:
    return lambda: apprise_send(url)
