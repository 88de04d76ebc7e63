"""A URL that misses us: asked after good ticks, so that somebody else notices when the keeper falls silent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from keeper.chain.nodes.transport import is_loopback
from keeper.core.errors import ConfigError
from keeper.telemetry.logs import logger

GAP = 60.0
"""{s} Between two beats at least, however often a chain ticks."""
TIMEOUT = 10.0
_MOST = 65_536
"""Bytes of an answer that are read; nothing in it matters."""


class Heartbeat:
    """Beats while every chain ticks well. Never blocks and never raises: asking happens in a daemon thread.

    Guarantees: https unless on this machine, no redirects, one question at a time, none while a chain is in trouble.
    """

    def __init__(self, url: str, *, gap: float = GAP, clock: Callable[[], float] = monotonic) -> None:
        """Raises ConfigError where the URL is plain http to another machine."""
        parts = urlsplit(url)
        usable = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if not usable or not parts.hostname:
            raise ConfigError("config", "alerts.heartbeat", "an https URL, or http on this machine", parts.scheme)
        self._url, self._gap, self._clock = url, gap, clock
        self._troubled: set[str] = set()
        self._beat_at: float | None = None
        self._due, self._done = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failing = False

    def good(self, chain: str) -> None:
        """A tick of this chain went well."""
        with self._lock:
            self._troubled.discard(chain)
            now = self._clock()
            if self._troubled or (self._beat_at is not None and now - self._beat_at < self._gap):
                return
            self._beat_at = now
            self._done.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()
        self._due.set()

    def bad(self, chain: str) -> None:
        """A tick of this chain failed: silence, until it ticks again."""
        with self._lock:
            self._troubled.add(chain)

    def close(self, patience: float = 5.0) -> None:
        """Gives a beat that is due so many seconds to be asked: a keeper that runs once ends right after its tick."""
        if self._thread is not None:
            self._done.wait(patience)

    def _run(self) -> None:
        with urllib3.PoolManager(num_pools=1, maxsize=1) as pool:
            while self._due.wait():
                self._due.clear()
                self._told(self._ask(pool))
                if not self._due.is_set():
                    self._done.set()

    def _ask(self, pool: urllib3.PoolManager) -> str:
        """Empty, or what went wrong: without the URL, whose path is a secret."""
        timeout = urllib3.Timeout(connect=TIMEOUT / 2, read=TIMEOUT)
        try:
            answer = pool.request(
                "GET", self._url, redirect=False, retries=False, timeout=timeout, preload_content=False
            )
            try:
                answer.read(_MOST)
            finally:
                answer.close()
        except (HTTPError, OSError, ValueError) as error:
            return type(error).__name__
        return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"

    def _told(self, wrong: str) -> None:
        with suppress(OSError, ValueError):  # a log that cannot be written must not end this thread
            if wrong and not self._failing:
                logger("heartbeat").warning("heartbeat failed", text=wrong)
            elif not wrong and self._failing:
                logger("heartbeat").info("heartbeat answers again")
        self._failing = bool(wrong)
