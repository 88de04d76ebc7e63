"""New heads over a real WebSocket: Anvil's, and those of servers that refuse, lie, fall silent and hang up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from keeper.chain.nodes import heads
from keeper.chain.nodes.heads import Heads
from keeper.chain.nodes.health import Timer
from keeper.local.anvil import run_anvil
from tests.chain.node import Node

SECRET = "s3cr3t-0123456789"
Talk = Callable[[ServerConnection], None]


@dataclass
class Ears:
    numbers: list[int] = field(default_factory=list)
    said: list[tuple[str, bool]] = field(default_factory=list)

    def wait_for(self, ready: Callable[[], bool]) -> None:
        ends = time.monotonic() + 10
        while not ready():
            assert time.monotonic() < ends, (self.numbers, self.said)
            time.sleep(0.005)


@contextmanager
def listening(*urls: str, share: float = 0.01) -> Iterator[Ears]:
    ears = Ears()
    told = Heads(
        "base",
        urls,
        block_time=0.01,
        say=lambda text, good: ears.said.append((text, good)),
        timer=replace(Timer(), share=lambda: share),
    )
    told.start(ears.numbers.append)
    try:
        yield ears
    finally:
        begun = time.monotonic()
        told.close()
        assert time.monotonic() - begun < 3
    assert not any(SECRET in text for text, _ in ears.said)


@contextmanager
def server(*talks: Talk) -> Iterator[str]:
    """Talks to each connection in turn; the last way for ever."""
    left = list(talks)

    def meet(connection: ServerConnection) -> None:
        talk = left.pop(0) if len(left) > 1 else left[0]
        with suppress(ConnectionClosed):
            talk(connection)

    with serve(meet, "127.0.0.1", 0) as opened:
        thread = threading.Thread(target=opened.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{opened.socket.getsockname()[1]}/{SECRET}"
        opened.shutdown()
        thread.join()


def subscribe(connection: ServerConnection) -> None:
    asked = json.loads(connection.recv())
    assert (asked["method"], asked["params"]) == ("eth_subscribe", ["newHeads"])
    connection.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": "0xabc"}))


def tell(connection: ServerConnection, number: Any) -> None:
    params = {"subscription": "0xabc", "result": {"number": number}}
    connection.send(json.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params}))


def good(connection: ServerConnection) -> None:
    subscribe(connection)
    tell(connection, "0x7")
    connection.recv()


def refuses(connection: ServerConnection) -> None:
    connection.recv()
    connection.send('{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}}')
    connection.recv()


def hangs_up(connection: ServerConnection) -> None:
    subscribe(connection)


def garbles(connection: ServerConnection) -> None:
    subscribe(connection)
    tell(connection, "seven")
    connection.recv()


def floods(connection: ServerConnection) -> None:
    subscribe(connection)
    connection.send("x" * 100_000)
    connection.recv()


def falls_silent(connection: ServerConnection) -> None:
    subscribe(connection)
    connection.recv()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (refuses, "refused to subscribe"),
        (hangs_up, "connection was closed"),
        (garbles, "expected a head"),
        (floods, "connection was closed"),
        (falls_silent, "no answer in time"),
    ],
)
def test_heads__from_a_server_that_fails_twice__tried_again_told_once_and_heard_at_last(
    bad: Talk, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "SILENCE", 0.2)
    with server(bad, bad, good) as url, listening(url) as ears:
        ears.wait_for(lambda: ears.numbers == [7])
        (first, is_bad), (second, is_good) = ears.said[:2]
    assert said in first and "ws://127.0.0.1:" in first and not is_bad
    assert "again" in second and is_good


def test_heads__first_url_is_dead__the_next_one_is_taken() -> None:
    with server(good) as url, listening(f"ws://127.0.0.1:9/{SECRET}", url) as ears:
        ears.wait_for(lambda: ears.numbers == [7])
        assert "ConnectionRefusedError" in ears.said[0][0]


def test_heads__url_that_is_refused__says_how() -> None:
    def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(401, f"no key {SECRET}")

    with serve(good, "127.0.0.1", 0, process_request=refuse) as opened:
        threading.Thread(target=opened.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{opened.socket.getsockname()[1]}/{SECRET}"
        with listening(url) as ears:
            ears.wait_for(lambda: bool(ears.said))
        opened.shutdown()
    assert ears.said[0][0].partition(" tells of no heads: ")[2].startswith("HTTP 401;")


def test_heads__closed_while_it_waits_or_listens__ends_at_once() -> None:
    with server(falls_silent) as url, listening(url):
        time.sleep(0.05)
    with listening(f"ws://127.0.0.1:9/{SECRET}", share=100) as ears:
        ears.wait_for(lambda: bool(ears.said))


def test_heads__of_anvil__each_block_as_it_is_mined() -> None:
    with run_anvil() as anvil, listening(anvil.url.replace("http", "ws")) as ears:
        node = Node(anvil.url)
        ends = time.monotonic() + 10
        while not ears.numbers and time.monotonic() < ends:
            node.rpc("evm_mine")
            time.sleep(0.02)
        first = ears.numbers[0]
        for _ in range(3):
            node.rpc("evm_mine")
        ears.wait_for(lambda: len(ears.numbers) >= 4)
        assert ears.numbers == list(range(first, first + len(ears.numbers)))
