"""HTTP/1.1 as far as a JSON body needs it: one connection, one request at a time, one deadline for all of it.

The standard library's client has no deadline over a whole exchange (a server that drips a byte a second outlives every
socket time-out) and spends longer on headers than a local node on its answer. Here each wait is given only what is left
of the deadline. Redirects, cookies, proxies and trailers are not understood, and not followed.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

PIECE, LARGE = 1 << 18, 1 << 15
"""{bytes} Received or sent at once, and sent without being put together with others."""
MAX_HEAD = 65_536
"""{bytes} Of status line and headers."""
CONNECT_SECONDS = 5.0
GZIP = zlib.MAX_WBITS | 16

_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: |\Z)")
_FIGURE = re.compile(rb"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?")


class Broken(Exception):
    """The other side hung up, or what it said is no HTTP."""


class Late(Exception):
    """The deadline passed."""


class TooLarge(Exception):
    """The answer is longer than it may be."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is unpacked and complete."""

    status: int
    retry_after: str
    body: bytes | bytearray


def left(ends: float) -> float:
    """{s} Until a moment of the monotonic clock. Raises Late where none are."""
    seconds = ends - time.monotonic()
    if seconds <= 0:
        raise Late
    return seconds


def dial(host: str, port: int, ends: float, *, tls: bool) -> socket.socket:
    """A connection to the first address that takes one. Raises OSError (ssl.SSLError, socket.gaierror) and Late."""
    fault = OSError("no address")
    for family, kind, protocol, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        seconds = min(CONNECT_SECONDS, left(ends))
        dialled = socket.socket(family, kind, protocol)
        try:
            dialled.settimeout(seconds)
            dialled.connect(place)
        except OSError as error:
            dialled.close()
            fault = error
            continue
        # Small requests must not wait for the acknowledgement of the last one.
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _secured(dialled, host, ends) if tls else dialled
    raise fault


def _secured(dialled: socket.socket, host: str, ends: float) -> ssl.SSLSocket:
    try:
        dialled.settimeout(left(ends))
        return _tls().wrap_socket(dialled, server_hostname=host)
    except (ssl.SSLError, ConnectionError) as error:
        raise ssl.SSLError(*error.args) from None  # whoever hangs up on a greeting speaks no TLS
    finally:
        dialled.close()  # what is secured has taken over its descriptor


@cache
def _tls() -> ssl.SSLContext:
    """Certificates and host names checked against the system's authorities. Loading those takes a while."""
    return ssl.create_default_context()


class Connection:
    """Guarantees that an answer is complete, and never longer than asked for. After any exception it is of no more use:
    what is left of an answer would be taken for the beginning of the next."""

    def __init__(self, host: str, port: int, ends: float, *, tls: bool) -> None:
        self._socket = dial(host, port, ends, tls=tls)
        self._held = bytearray()
        self._limit = 0
        self.may_stay = True
        """The next request may use it too."""

    def close(self) -> None:
        self._socket.close()

    @property
    def is_over(self) -> bool:
        """The other side hung up, or said something without being asked, while nobody used it."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def ask(self, request: Iterable[bytes], ends: float, max_body: int) -> Reply:
        """Raises Broken, Late, TooLarge, and OSError."""
        self._limit = max_body
        self._send(request, ends)
        while True:
            minor, status, headers = self._head(ends)
            if not 100 <= status < 200:
                break  # what comes before it only says that it will come
        body = self._body(status, headers, ends)
        if self._held:
            self.may_stay = False
        if minor == b"0" or b"close" in headers.get(b"connection", b"").lower():
            self.may_stay = False
        packing = headers.get(b"content-encoding", b"").lower()
        if packing in (b"gzip", b"x-gzip"):
            body = self._unpacked(body)
        elif packing not in (b"", b"identity"):
            raise Broken
        return Reply(status, headers.get(b"retry-after", b"")[:40].decode("latin-1"), body)

    def _send(self, pieces: Iterable[bytes], ends: float) -> None:
        """Small pieces together, large ones as they are: copying them would cost as much as sending them."""
        small: list[bytes] = []
        for piece in pieces:
            small.append(piece)
            if len(piece) >= LARGE:
                self._push(b"".join(small[:-1]), ends)
                self._push(piece, ends)
                small.clear()
        self._push(b"".join(small), ends)

    def _push(self, data: bytes, ends: float) -> None:
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(left(ends))
            try:
                rest = rest[self._socket.send(rest[:PIECE]) :]
            except TimeoutError:
                raise Late from None

    def _more(self, ends: float) -> None:
        self._socket.settimeout(left(ends))
        try:
            piece = self._socket.recv(PIECE)
        except TimeoutError:
            raise Late from None
        if not piece:
            raise Broken
        self._held += piece

    # --- head --------------------------------------------------------------------------------------------------------

    def _head(self, ends: float) -> tuple[bytes, int, dict[bytes, bytes]]:
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            if len(self._held) > MAX_HEAD:
                raise Broken
            self._more(ends)
        first, *lines = bytes(self._take(end + 4)[:end]).split(b"\r\n")
        status = _STATUS.match(first)
        if status is None:
            raise Broken
        headers: dict[bytes, bytes] = {}
        for line in lines:
            name, _, value = line.partition(b":")
            name, value = name.lower(), value.strip()
            # Two lengths are two ends of the answer, of which one is a lie.
            if name in (b"content-length", b"transfer-encoding") and headers.get(name, value) != value:
                raise Broken
            headers[name] = value
        return status[1], int(status[2]), headers

    def _take(self, size: int) -> bytearray:
        taken = self._held[:size]
        del self._held[:size]
        return taken

    # --- body --------------------------------------------------------------------------------------------------------

    def _body(self, status: int, headers: dict[bytes, bytes], ends: float) -> bytes | bytearray:
        if status in (204, 304):
            return b""
        if coding := headers.get(b"transfer-encoding"):
            if coding.lower() != b"chunked":
                raise Broken
            return self._chunked(ends)
        length = headers.get(b"content-length")
        if length is None:
            return self._until_closed(ends)
        if not _FIGURE.fullmatch(length):
            raise Broken
        if int(length) > self._limit:
            raise TooLarge
        return self._exactly(int(length), ends)

    def _exactly(self, size: int, ends: float) -> bytearray:
        if len(self._held) >= size:
            return self._take(size)
        found, at = bytearray(size), len(self._held)
        found[:at] = self._held
        self._held.clear()
        rest = memoryview(found)
        while at < size:
            self._socket.settimeout(left(ends))
            try:
                count = self._socket.recv_into(rest[at:])
            except TimeoutError:
                raise Late from None
            if not count:
                raise Broken
            at += count
        return found

    def _line(self, ends: float) -> bytes:
        while (end := self._held.find(b"\r\n")) < 0:
            if len(self._held) > MAX_HEAD:
                raise Broken
            self._more(ends)
        return bytes(self._take(end + 2)[:end])

    def _chunked(self, ends: float) -> bytearray:
        body = bytearray()
        while True:
            size = _CHUNK.fullmatch(self._line(ends))
            if size is None:
                raise Broken
            if not (count := int(size[1], 16)):
                break
            if len(body) + count > self._limit:
                raise TooLarge
            chunk = self._exactly(count + 2, ends)
            if not chunk.endswith(b"\r\n"):
                raise Broken
            body += chunk[:-2]
        while self._line(ends):
            pass
        return body

    def _until_closed(self, ends: float) -> bytes:
        self.may_stay = False
        try:
            while len(self._held) <= self._limit:
                self._more(ends)
        except Broken:
            return bytes(self._take(len(self._held)))
        raise TooLarge

    def _unpacked(self, body: bytes | bytearray) -> bytes:
        """A small answer may unpack into more than this machine has."""
        unpack = zlib.decompressobj(GZIP)
        try:
            found = unpack.decompress(body, self._limit + 1)
        except zlib.error:
            raise Broken from None
        if len(found) > self._limit:
            raise TooLarge
        if not unpack.eof:
            raise Broken
        return found
