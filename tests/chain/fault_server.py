"""A node on loopback that misbehaves as told: each reply is written to the socket as raw bytes, or by a function."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Reply = Callable[[socket.socket, dict[str, str], Any], bool]
"""Writes an answer to a request (headers, parsed body); True keeps the connection open."""


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(answer: Callable[[Any], Any]) -> Reply:
    """Answers with the JSON that `answer` makes of the request."""

    def reply(connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
        connection.sendall(http(json.dumps(answer(body)).encode()))
        return True

    return reply


def sends(data: bytes) -> Reply:
    """Writes these bytes, and closes."""

    def reply(connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
        connection.sendall(data)
        return False

    return reply


class FaultServer:
    """Replies in order; the last one for ever. Keeps the requests it has read, and the path and headers of each."""

    def __init__(self, *replies: Reply, port: int = 0) -> None:
        self.replies = list(replies)
        self.requests: list[Any] = []
        self.heads: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self._listener.close()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def forget(self) -> None:
        """Lets go of requests, and of connections that are over. Replies then begin again with the first."""
        self.requests.clear()
        self.heads.clear()
        self._open = [connection for connection in self._open if connection.fileno() >= 0]
        self._threads = [thread for thread in self._threads if thread.is_alive()]

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
            while True:
                path = stream.readline().decode().split(" ")[1:2]
                if not path:
                    return
                headers = {}
                while line := stream.readline().decode().strip():
                    name, _, value = line.partition(": ")
                    headers[name.lower()] = value
                body = json.loads(stream.read(int(headers["content-length"])))
                reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
                self.requests.append(body)
                self.heads.append((path[0], headers))
                if not reply(connection, headers, body):
                    return


@contextmanager
def serving(*replies: Reply) -> Iterator[FaultServer]:
    server = FaultServer(*replies)
    try:
        yield server
    finally:
        server.stop()
