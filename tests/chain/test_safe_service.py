"""What a Safe Transaction Service says is queued, asked of a server on loopback that answers as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from keeper.chain.sending.safe_service import SafeService
from tests.builders import address

SAFE = address(0x5AFE)
OURS, THEIRS = "0x" + "ab" * 32, "0x" + "cd" * 32


@contextmanager
def serving(body: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """The server's URL, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/base", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def listing(*queued: tuple[int, str]) -> bytes:
    results = [{"nonce": nonce, "safeTxHash": hash_} for nonce, hash_ in queued]
    return json.dumps({"count": len(results), "results": results}).encode()


def test_queued__transactions_of_people__are_named_by_nonce_and_ours_are_not() -> None:
    with serving(listing((8, THEIRS), (7, OURS), (9, "0x" + "ef" * 32))) as (url, asked):
        told = SafeService(url).queued(SAFE, 7, {OURS})
    assert told == "people have queued other transactions of this Safe, at nonce 8, 9"
    assert asked == [f"/base/api/v1/safes/{SAFE}/multisig-transactions/?executed=false&nonce__gte=7&limit=20"]


@pytest.mark.parametrize("body", [listing(), listing((7, OURS))])
def test_queued__nothing_of_others__says_nothing(body: bytes) -> None:
    with serving(body) as (url, _):
        assert SafeService(url).queued(SAFE, 7, {OURS}) == ""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"detail": "overloaded"}', 503),
        (b"<html>", 200),
        (b'{"results": 5}', 200),
        (b'{"results": [{"nonce": "x"}]}', 200),
        (b'{"results": [7]}', 200),
    ],
)
def test_queued__a_service_that_fails_or_lies__is_said_in_one_line_and_nothing_else_happens(
    body: bytes, status: int
) -> None:
    with serving(body, status) as (url, _):
        told = SafeService(url).queued(SAFE, 7, set())
    assert told.startswith("what is queued in the Safe is not known: http://127.0.0.1") or "answered something" in told
    assert "\n" not in told


def test_queued__nobody_there__is_said() -> None:
    with serving(b"{}") as (url, _):
        pass
    assert SafeService(url).queued(SAFE, 7, set()).startswith("what is queued in the Safe is not known:")
