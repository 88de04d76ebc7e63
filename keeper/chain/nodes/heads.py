"""New heads as nodes tell them over a WebSocket: a hint that wakes a chain's loop early, and never a fact.

Guarantees: whatever the other side says or does not say, it costs no more than early looks and a slow retry; no text
that leaves this file holds more of a URL than `scheme://host`. Does not guarantee that any head is told.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from keeper.chain.nodes.headers import quantity
from keeper.chain.nodes.health import Timer
from keeper.chain.nodes.json_text import parse
from keeper.core.errors import TransientError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

OPEN_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""{s} Before the next URL is tried, doubling until a head is heard again."""
SILENCE = 60.0
"""{s} Without a head for so long, or for ten blocks' time where that is longer, a connection counts as dead."""
MAX_MESSAGE = 65_536
"""Bytes. A header has 2,000 or so."""
PING = 20.0
"""{s} Between two pings of ours, and how long an answer may take."""

_SUBSCRIBE = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})

Say = Callable[[str, bool], None]
"""What a log should know, and whether it is good news."""


class LostHeads(TransientError):
    """This connection tells no heads (any more)."""


class Heads:
    """The heads of one chain, from the first URL that tells them, in a thread of its own."""

    def __init__(
        self, name: str, urls: Sequence[str], *, block_time: float, say: Say, timer: Timer | None = None
    ) -> None:
        """`block_time` is in seconds. The URLs are taken in turns, one at a time."""
        self._name, self._urls, self._say, self._time = name, tuple(urls), say, timer or Timer()
        self._silence = max(SILENCE, 10 * block_time)
        self._stop = threading.Event()
        self._connection: ClientConnection | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"Heads({self._name}: {', '.join(map(label, self._urls))})"

    def start(self, heard: Callable[[int], None]) -> None:
        """`heard` is told each number from the thread, at once; it must not block."""
        self._thread = threading.Thread(target=self._follow, args=(heard,), name=f"{self._name} heads", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The thread ends by itself; one that hangs in a handshake is not waited for."""
        self._stop.set()
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _follow(self, heard: Callable[[int], None]) -> None:
        pause, is_well = FIRST_PAUSE, True
        for url in cycle(self._urls):
            why = "it hung up"
            try:
                for number in self._listen(url):
                    if not is_well:
                        self._say(f"{self._name}: {label(url)} tells of heads again", True)
                    pause, is_well = FIRST_PAUSE, True
                    heard(number)
            except LostHeads as error:
                why = str(error)
            if self._stop.is_set():
                return
            if is_well:
                self._say(f"{self._name}: {label(url)} tells of no heads: {why}; they are polled for meanwhile", False)
            is_well = False
            self._stop.wait(pause * self._time.share())
            pause = min(2 * pause, LONGEST_PAUSE)

    def _listen(self, url: str) -> Iterator[int]:
        """Numbers of new heads for as long as they come. Raises LostHeads."""
        # Only where a chain has such a URL.
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
        from websockets.sync.client import connect

        try:
            with connect(
                url,
                open_timeout=OPEN_SECONDS,
                close_timeout=1.0,
                ping_interval=PING,
                ping_timeout=PING,
                max_size=MAX_MESSAGE,
                compression=None,
                proxy=None,
                user_agent_header="keeper",
            ) as self._connection:
                self._connection.send(_SUBSCRIBE)
                subscription = subscribed(self._connection.recv(timeout=OPEN_SECONDS))
                while not self._stop.is_set():
                    yield number_of(self._connection.recv(timeout=self._silence), subscription)
        except TimeoutError:
            raise LostHeads("no answer in time") from None
        except ConnectionClosed:
            raise LostHeads("the connection was closed") from None
        except InvalidStatus as error:
            raise LostHeads(f"HTTP {error.response.status_code}") from None
        except (OSError, WebSocketException, ValueError) as error:
            # Their texts may hold the URL, so only the kind is told.
            raise LostHeads(f"it failed: {type(error).__name__}") from None
        finally:
            self._connection = None


def subscribed(message: str | bytes) -> str:
    """The subscription's name, from the answer to `eth_subscribe`. Raises LostHeads."""
    answer = _object(message)
    found = answer.get("result")
    if answer.get("id") != 1 or not isinstance(found, str) or not found:
        raise LostHeads("it refused to subscribe to newHeads")
    return found


def number_of(message: str | bytes, subscription: str) -> int:
    """The number of the head that is told of. Raises LostHeads where this is anything else."""
    params = _object(message).get("params")
    head = params.get("result") if isinstance(params, dict) and params.get("subscription") == subscription else None
    try:
        return quantity(head.get("number") if isinstance(head, dict) else None, "block number")
    except TransientError:
        raise LostHeads("expected a head, found something else") from None


def _object(message: str | bytes) -> dict[str, Any]:
    found = parse(message if isinstance(message, bytes) else message.encode())
    return found if isinstance(found, dict) else {}


def label(url: str) -> str:
    """`wss://host`, with the port where one is written; keys in user, path or query stay out."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"
