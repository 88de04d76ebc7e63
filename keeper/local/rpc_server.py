"""JSON-RPC 2.0 over HTTP on loopback, kept alive, batches included. What a method means is not known here."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from keeper.local.node_error import NodeError

Answer = Callable[[str, list[Any]], Any]
"""Method and parameters to a result; raises NodeError."""

LOOPBACK = "127.0.0.1"
MAX_BODY = 16 * 1024 * 1024
MAX_BATCH = 1_000
NOT_JSON, NOT_A_REQUEST = -32700, -32600


class RpcServer:
    """Serves `answer` until closed, each connection in a thread of its own."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        """Port 0 takes a free one. Raises OSError where the port is taken."""
        self._server = _Server((LOOPBACK, port), answer)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="rpc", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.close_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours; anything else is, and says where."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close_all(self) -> None:
        """Kept-alive connections too, whose threads would wait for another request for ever."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    # Head and body leave together; without this the kernel would hold the second packet back for 40 ms.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self._reply(_error(None, NodeError(NOT_A_REQUEST, f"body: expected at most {MAX_BODY} bytes")))
            return
        self._reply(respond(self.server.answer, self.rfile.read(int(length))))

    def _reply(self, answer: Any) -> None:
        body = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """A terminal belongs to the demo."""


def respond(answer: Answer, body: bytes) -> Any:
    """The reply to one body: an object, or a list for a batch."""
    try:
        asked = json.loads(body)
    except ValueError:
        return _error(None, NodeError(NOT_JSON, "parse error"))
    if not isinstance(asked, list):
        return _respond_one(answer, asked)
    if not 0 < len(asked) <= MAX_BATCH:
        return _error(None, NodeError(NOT_A_REQUEST, f"batch: expected 1 to {MAX_BATCH} requests, was {len(asked)}"))
    return [_respond_one(answer, one) for one in asked]


def _respond_one(answer: Answer, asked: Any) -> dict[str, Any]:
    number = asked.get("id") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
        return _error(number, NodeError(NOT_A_REQUEST, "invalid request"))
    params = asked.get("params", [])
    if not isinstance(params, list):
        return _error(number, NodeError(NOT_A_REQUEST, "invalid request: expected a list of parameters"))
    try:
        return {"jsonrpc": "2.0", "id": number, "result": answer(asked["method"], params)}
    except NodeError as error:
        return _error(number, error)


def _error(number: Any, error: NodeError) -> dict[str, Any]:
    fields: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        fields["data"] = error.data
    return {"jsonrpc": "2.0", "id": number, "error": fields}
