"""Where Apprise's `json://` posts to, on loopback: quick, slow, or down, as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class AlertTarget:
    """Keeps what it took. `slow` is how many seconds each answer takes; while `down` every answer is a 503."""

    def __init__(self) -> None:
        self.slow = 0.0
        self.down = False
        self.took: list[dict[str, Any]] = []
        self.gets: list[str] = []
        self.asked = 0
        self._changed = threading.Condition()
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self._answer(lambda: target.took.append(body))

            def do_GET(self) -> None:
                self._answer(lambda: target.gets.append(self.path))

            def _answer(self, keep: Any) -> None:
                time.sleep(target.slow)
                down = target.down
                with target._changed:
                    target.asked += 1
                    if not down:
                        keep()
                    target._changed.notify_all()
                self.send_response(503 if down else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/alerts"

    @property
    def said(self) -> list[tuple[str, str]]:
        """(title, text), in order."""
        return [(body["title"], body["message"]) for body in self.took]

    def wait_for(self, *, took: int = 0, gets: int = 0, asked: int = 0, patience: float = 20) -> None:
        def enough() -> bool:
            return len(self.took) >= took and len(self.gets) >= gets and self.asked >= asked

        with self._changed:
            assert self._changed.wait_for(enough, patience), (self.said, self.gets, self.asked)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def alert_target() -> Iterator[AlertTarget]:
    target = AlertTarget()
    try:
        yield target
    finally:
        target.stop()
