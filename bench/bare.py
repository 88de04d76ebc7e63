"""The floor under every request: the same bytes over one kept-alive socket, and nothing looked at."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from keeper.chain.nodes.rpc import Request, Rpc

PIECE = 1 << 18


class RecordingRpc(Rpc):
    """Keeps the body of every batch that it sends, so that the floor can send the same."""

    def __init__(self, name: str, urls: Sequence[str]) -> None:
        super().__init__(name, urls)
        self.bodies: list[bytes] = []

    def batch(self, requests: Sequence[Request], *, nullable: bool = False) -> list[Any]:
        self.bodies.append(body_of(requests))
        return super().batch(requests, nullable=nullable)


def body_of(requests: Sequence[Request]) -> bytes:
    """A JSON-RPC batch as the keeper writes it."""
    items = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(requests, start=1)
    ]
    return json.dumps(items, separators=(",", ":")).encode()


class BareSocket:
    """Speaks just enough HTTP for a local node that answers with a content-length."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._host = f"{parts.hostname}:{parts.port}"
        self._socket = socket.create_connection((parts.hostname, parts.port or 80))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> BareSocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def framed(self, body: bytes) -> bytes:
        """The whole HTTP request, made once."""
        head = f"POST / HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        return head.encode() + b"\r\n\r\n" + body

    def send(self, request: bytes) -> bytes:
        """The answer's body. Raises ConnectionError where the node hangs up."""
        self._socket.sendall(request)
        answer = bytearray()
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        length = int(bytes(answer[:end]).lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(answer) < end + 4 + length:
            answer += self._more()
        return bytes(answer[end + 4 :])

    def send_all(self, requests: Sequence[bytes]) -> list[bytes]:
        return [self.send(request) for request in requests]

    def _more(self) -> bytes:
        piece = self._socket.recv(PIECE)
        if not piece:
            raise ConnectionError("the node hung up")
        return piece
