"""A node as far away as told: bytes reach it some milliseconds late; requests and connections are counted.

A process of its own, so that it takes nothing from the Python that is measured. Opening a connection costs a round
trip as well, as TCP's handshake would.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Far:
    """Where the far node is reached, and what has come through."""

    url: str
    _requests: Any
    _connections: Any

    @property
    def requests_made(self) -> int:
        """HTTP requests."""
        return int(self._requests.value)

    @property
    def connections_made(self) -> int:
        return int(self._connections.value)


@contextmanager
def far(url: str, delay: float) -> Iterator[Far]:
    """`delay` is {s} of a whole round trip, beside what the node itself takes."""
    context = multiprocessing.get_context("spawn")
    port, requests, connections = (context.Value("i", 0) for _ in range(3))
    is_open = context.Event()
    parts = urlsplit(url)
    process = context.Process(
        target=_serve, args=(parts.hostname, parts.port, delay, port, requests, connections, is_open), daemon=True
    )
    process.start()
    try:
        assert is_open.wait(20), "the proxy did not start"
        yield Far(f"http://127.0.0.1:{port.value}", requests, connections)
    finally:
        process.terminate()
        process.join()


def _serve(host: str, node: int, delay: float, port: Any, requests: Any, connections: Any, is_open: Any) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.value += 1
        opened = asyncio.get_running_loop().time()
        there, back = await asyncio.open_connection(host, node)
        ways = _carry(reader, back, delay, requests, opened + delay), _carry(there, writer, 0.0, None, 0.0)
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(*ways)

    async def serve() -> None:
        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        port.value = server.sockets[0].getsockname()[1]
        is_open.set()
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, requests: Any, ready: float
) -> None:
    """Each piece as late as the next and in order, and none before the connection counts as open."""
    loop = asyncio.get_running_loop()
    due = ready
    while piece := await reader.read(PIECE):
        if requests is not None:
            requests.value += piece.count(b"POST / HTTP/1.1\r\n")
        if not delay:
            writer.write(piece)
            continue
        due = max(ready + delay, due + 1e-6, loop.time() + delay)
        loop.call_at(due, writer.write, piece)
    loop.call_later(delay, writer.close)
