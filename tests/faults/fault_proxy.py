"""A proxy before a node that does to requests and answers what networks and providers do.

with FaultProxy(node.port) as proxy:
    proxy.add(Fault("drop_response", methods=("eth_sendRawTransaction",), times=1))
    proxy.add(Fault("delay", seconds=0.2, share=0.05))
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Any, Self

from tests.chain.fault_server import FaultServer
from tests.chain.fault_server import http as written

KINDS = (
    "drop_request",
    "drop_response",
    "reset",
    "delay",
    "hang",
    "mutate",
    "replay",
    "truncate",
    "status",
    "body",
)
NODE_SECONDS = 30


@dataclass
class Fault:
    """What to do, to which requests, and how often.

    drop_request: close before the node hears of it · drop_response: the node hears of it, the asker does not ·
    reset: as drop_response, with a TCP reset in mid-answer · delay: by `seconds`, then as always · hang: silent for
    `seconds`, then closed · mutate: `change(call, answer)` of each call in question · replay: the answer before this
    one · truncate: half an answer with a whole one's length · status: `status` with `headers` · body: these bytes, 200
    """

    kind: str
    methods: tuple[str, ...] = ()
    """Requests that hold one of these; empty for all."""
    times: int | None = None
    """At most so often; None for ever."""
    share: float = 1.0
    seconds: float = 0.0
    status: str = "503 Service Unavailable"
    headers: tuple[str, ...] = ()
    data: bytes = b"<html>busy</html>"
    change: Callable[[Any, Any], Any] = lambda call, answer: answer
    done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        assert self.kind in KINDS, f"kind: expected one of {', '.join(KINDS)}, was {self.kind}"

    def concerns(self, methods: tuple[str, ...]) -> bool:
        return not self.methods or not set(self.methods).isdisjoint(methods)


class FaultProxy:
    """The first fault that concerns a request and is due happens to it; others wait for theirs."""

    def __init__(self, node_port: int, *, seed: int = 0, token: str = "") -> None:
        self.faults: list[Fault] = []
        self.happened: Counter[str] = Counter()
        self.methods: list[tuple[str, ...]] = []
        """Of each HTTP request, those that never reached the node included."""
        self._node_port, self._rng, self._lock = node_port, Random(seed), threading.Lock()
        self._last = b"[]"
        self._server = FaultServer(self._serve)
        self.url = f"http://127.0.0.1:{self._server.port}" + (f"/v2/{token}" if token else "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.stop()

    def add(self, *faults: Fault) -> None:
        self.faults += faults

    def clear(self) -> None:
        self.faults.clear()

    def forget(self) -> None:
        """Lets go of what was asked so far, for a test that runs for hours."""
        self.methods.clear()
        self._server.forget()

    def asked(self, method: str) -> int:
        return sum(method in methods for methods in tuple(self.methods))

    def _due(self, methods: tuple[str, ...]) -> Fault | None:
        with self._lock:
            self.methods.append(methods)
            for fault in self.faults:
                is_spent = fault.times is not None and fault.done >= fault.times
                if not is_spent and fault.concerns(methods) and self._rng.random() < fault.share:
                    fault.done += 1
                    self.happened[fault.kind] += 1
                    return fault
        return None

    def _serve(self, connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
        calls = body if isinstance(body, list) else [body]
        fault = self._due(tuple(call["method"] for call in calls))
        if fault is None:
            connection.sendall(written(self._ask(body)))
            return True
        return self._spoil(fault, connection, body)

    def _spoil(self, fault: Fault, connection: socket.socket, body: Any) -> bool:
        """True where the connection stays open."""
        kind = fault.kind
        if kind == "drop_request":
            return False
        if kind == "hang":
            time.sleep(fault.seconds)
            return False
        if kind in ("status", "body"):
            status = fault.status if kind == "status" else "200 OK"
            connection.sendall(written(fault.data, status, *fault.headers))
            return True
        before = self._last
        answer = self._ask(body)
        if kind == "drop_response":
            return False
        if kind == "reset":
            connection.sendall(written(answer)[:-1])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if kind == "truncate":
            whole = written(answer)
            connection.sendall(whole[: len(whole) - len(answer) // 2 - 1])
            return False
        if kind == "delay":
            time.sleep(fault.seconds)
        if kind == "replay":
            answer = before
        if kind == "mutate":
            answer = _mutated(fault, body, answer)
        connection.sendall(written(answer))
        return True

    def _ask(self, body: Any) -> bytes:
        with closing(http.client.HTTPConnection("127.0.0.1", self._node_port, timeout=NODE_SECONDS)) as node:
            node.request("POST", "/", json.dumps(body).encode(), {"content-type": "application/json"})
            self._last = node.getresponse().read()
        return self._last


def _mutated(fault: Fault, body: Any, answer: bytes) -> bytes:
    """Each answer to a call in question, changed; matched by id, since a node may answer in any order."""
    found = json.loads(answer)
    calls = {call["id"]: call for call in (body if isinstance(body, list) else [body])}
    answers = found if isinstance(found, list) else [found]
    changed = [
        fault.change(calls[item["id"]], item) if fault.concerns((calls[item["id"]]["method"],)) else item
        for item in answers
    ]
    return json.dumps(changed if isinstance(found, list) else changed[0]).encode()
