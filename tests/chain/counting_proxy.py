"""A proxy on loopback between a keeper and its node: notes each HTTP request, holds some back, goes down when told."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.chain.fault_server import FaultServer
from tests.chain.fault_server import http as answer


@dataclass(frozen=True)
class Request:
    """One HTTP request, however many JSON-RPC calls it held. `at` is in Unix seconds."""

    at: float
    methods: tuple[str, ...]


class CountingProxy:
    """Its URL ends in `token`, as a provider's does, so that a test can look for it where it must not be."""

    def __init__(self, node_port: int, token: str) -> None:
        self.requests: list[Request] = []
        self.token = token
        self._node_port, self._gates = node_port, dict[str, threading.Event]()
        self._server = FaultServer(self._forward)
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}/v2/{token}"

    def sent(self, method: str) -> int:
        """How many requests asked for this."""
        return sum(method in request.methods for request in tuple(self.requests))

    def between(self, start: float, end: float) -> list[Request]:
        return [request for request in tuple(self.requests) if start < request.at <= end]

    @contextmanager
    def holding(self, method: str) -> Iterator[threading.Event]:
        """Requests for `method` are noted, but wait for the event before they go on."""
        gate = self._gates[method] = threading.Event()
        try:
            yield gate
        finally:
            gate.set()
            del self._gates[method]

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuses connections meanwhile."""
        self._server.stop()
        try:
            yield
        finally:
            self._server = FaultServer(self._forward, port=self.port)

    def stop(self) -> None:
        self._server.stop()

    def _forward(self, connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
        calls = body if isinstance(body, list) else [body]
        methods = tuple(call["method"] for call in calls)
        self.requests.append(Request(time.time(), methods))
        for gate in [gate for method, gate in self._gates.items() if method in methods]:
            gate.wait(timeout=30)
        connection.sendall(answer(self._ask(json.dumps(body).encode())))
        return True

    def _ask(self, body: bytes) -> bytes:
        with closing(http.client.HTTPConnection("127.0.0.1", self._node_port, timeout=30)) as node:
            node.request("POST", "/", body, {"content-type": "application/json"})
            return node.getresponse().read()
