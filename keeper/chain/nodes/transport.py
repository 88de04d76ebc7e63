"""One URL of a node: a JSON body goes out, a JSON body comes back, or a fault says why not.

Guarantees: nothing is sent twice, no redirect is followed, the whole exchange ends by a deadline on the monotonic
clock, an answer is never larger than its cap, and no text that leaves this file holds more of the URL than
`scheme://host`. Does not judge what the answer says.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util import Timeout, make_headers

from keeper.core.errors import ConfigError, TransientError
from keeper.core.foreign import printable

MAX_BODY = 64 * 1024 * 1024
"""Bytes of an answer that are read at most. The largest honest answer, a tick's packed reads, is below 2 MB."""

PIECE = 65_536
CONNECT_SECONDS = 5.0
MAX_TEXT = 400
MAX_DEPTH = 32
"""Nesting of an answer; honest ones have 6 or so."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class TransportFault(TransientError):
    """No usable answer came back. A read may go elsewhere; whatever was sent may have been taken."""

    def __init__(self, text: str, *, status: int | None = None, retry_after: str = "", dropped: bool = False) -> None:
        super().__init__(text)
        self.text, self.status, self.retry_after, self.dropped = text, status, retry_after, dropped


def masked(url: str) -> str:
    """`https://host`, with the port where one is written; keys in user, path or query stay out."""
    parts = _split(url)
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        # The text itself may be a key that was pasted into the wrong place.
        raise ConfigError("chains", "rpc", "an http or https URL", "something else")
    return parts


def _secrets(parts: SplitResult) -> list[str]:
    """What must not be repeated when a node quotes our own URL back at us, longest first."""
    words = [parts.username or "", parts.password or "", *re.split(r"[/?&=;#]", parts.path + "?" + parts.query)]
    long = {form for word in words for form in (word, unquote(word)) if len(form) >= 8}
    return sorted(long, key=len, reverse=True)


class _Watch:
    """Ends an exchange at its deadline, however the other side drips: a socket's time-out bounds one read, not all."""

    current = threading.local()

    def __init__(self) -> None:
        self.expired = False
        self.socket: socket.socket | None = None

    def hold(self, used: socket.socket | None) -> None:
        self.socket = used
        if self.expired:
            self.cut()

    def cut(self) -> None:
        self.expired = True
        if self.socket is not None:
            with suppress(OSError):
                # Of the plain socket: TLS would first say goodbye, and wait.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    @classmethod
    @contextmanager
    def over(cls, seconds: float) -> Iterator[_Watch]:
        watch = cls.current.watch = cls()
        timer = threading.Timer(seconds, watch.cut)
        timer.daemon = True
        timer.start()
        try:
            yield watch
        finally:
            timer.cancel()


class _Http(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        _Watch.current.watch.hold(self.sock)


class _Https(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        _Watch.current.watch.hold(self.sock)


class Endpoint:
    """One URL with its pool of kept-alive connections."""

    def __init__(self, url: str, *, timeout: float, max_body: int | None = None) -> None:
        """`max_body` is in bytes, MAX_BODY by default. Raises ConfigError where the URL is none, or is plain http to a
        remote host."""
        parts = _split(url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ConfigError("chains", "rpc", "https, or http on this machine", masked(url))
        self.label = masked(url)
        self._timeout, self._max_body = timeout, MAX_BODY if max_body is None else max_body
        self._hidden = _secrets(parts)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"content-type": "application/json", "accept-encoding": "gzip", "user-agent": "keeper"}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers.update(make_headers(basic_auth=pair))
        self._pool = urllib3.connection_from_url(self.label, maxsize=4, block=False)
        self._pool.ConnectionCls = _Https if parts.scheme == "https" else _Http

    def __repr__(self) -> str:
        return f"Endpoint({self.label})"

    def close(self) -> None:
        self._pool.close()

    def hide(self, text: str) -> str:
        """Foreign text, fit for a log: on one line, and without any part of this URL that could be a key."""
        for secret in self._hidden:
            text = text.replace(secret, "…")
        return printable(text, MAX_TEXT).strip()

    def exchange(self, body: Any, sign: Callable[[bytes], Mapping[str, str]] | None = None) -> Any:
        """The parsed JSON answer, an object or a list. `sign` gives headers for exactly these bytes. Raises
        TransportFault."""
        content = json.dumps(body, separators=(",", ":")).encode()
        return self._exchange("POST", self._target, content, self._headers | dict(sign(content) if sign else {}))

    def fetch(self, place: str) -> Any:
        """The same of a GET; `place` follows this URL's own path. Raises TransportFault."""
        return self._exchange("GET", self._target.rstrip("/") + place, None, self._headers)

    def _exchange(self, method: str, target: str, content: bytes | None, headers: Mapping[str, str]) -> Any:
        with _Watch.over(self._timeout) as watch:
            try:
                status, retry_after, data = self._send(method, target, content, watch, headers)
            except (HTTPError, OSError, ValueError) as error:
                if watch.expired:
                    raise self._late() from None
                # The text of urllib3's errors holds the path, so only its kind is told.
                raise self._fault(_kind(error), dropped=isinstance(error, ProtocolError)) from None
        parsed = _parse(data)
        # Some providers send a proper JSON-RPC error with status 400; everything else but 2xx is a fault.
        if not 200 <= status < 300 and not (status == 400 and isinstance(parsed, dict) and "error" in parsed):
            detail = self.hide(data[:200].decode("utf-8", "replace"))
            raise self._fault(f"HTTP {status}" + (f": {detail}" if detail else ""), status, retry_after)
        if not isinstance(parsed, dict | list) or not parsed:
            raise self._fault(f"expected a JSON-RPC answer, found {len(data)} bytes of something else", status)
        return parsed

    def _send(
        self, method: str, target: str, body: bytes | None, watch: _Watch, headers: Mapping[str, str]
    ) -> tuple[int, str, bytes]:
        response = self._pool.urlopen(
            method,
            target,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
            timeout=Timeout(connect=min(CONNECT_SECONDS, self._timeout), read=self._timeout),
        )
        data = bytearray()
        complete = False
        try:
            while piece := response.read1(PIECE):
                data += piece
                if len(data) > self._max_body:
                    raise self._fault(f"answer is larger than {self._max_body} bytes")
                if watch.expired:
                    break
            # A cut connection may look like the end of an answer.
            if watch.expired:
                raise self._late()
            complete = True
        finally:
            if complete:
                response.release_conn()
            else:
                response.close()
        return response.status, response.headers.get("retry-after", "")[:40], bytes(data)

    def _late(self) -> TransportFault:
        return self._fault(f"no complete answer within {self._timeout:g} s")

    def _fault(
        self, text: str, status: int | None = None, retry_after: str = "", dropped: bool = False
    ) -> TransportFault:
        return TransportFault(f"{self.label}: {text}", status=status, retry_after=retry_after, dropped=dropped)


def _kind(error: Exception) -> str:
    name = type(error).__name__
    return {
        "ProtocolError": "connection broke",
        "ConnectTimeoutError": "connecting timed out",
        "ReadTimeoutError": "no answer in time",
        "NewConnectionError": "connection refused or host unknown",
        "NameResolutionError": "host unknown",
        "SSLError": "TLS failed",
    }.get(name, f"transport failed: {name}")


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _parse(data: bytes) -> Any:
    """None where the bytes are no JSON."""
    if not _is_shallow(data):
        return None
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _is_shallow(data: bytes) -> bool:
    """Whether brackets nest no deeper than MAX_DEPTH.

    Python's JSON scanner recurses on the C stack up to the recursion limit, which libraries raise: 100,000 brackets
    from a hostile node would end the process.
    """
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets
