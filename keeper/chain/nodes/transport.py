"""One URL of a node: a JSON body goes out, a JSON body comes back, or a fault says why not.

Guarantees: nothing is sent twice, no redirect is followed, the whole exchange ends by a deadline on the monotonic
clock, an answer is never larger than its cap, and no text that leaves this file holds more of the URL than
`scheme://host`. Does not judge what the answer says.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
import weakref
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from keeper.chain.nodes.http import Broken, Connection, Late, Reply, TooLarge
from keeper.chain.nodes.json_text import parse, write
from keeper.core.errors import ConfigError, TransientError
from keeper.core.foreign import printable

MAX_BODY = 64 * 1024 * 1024
"""Bytes of an answer that are read at most. The largest honest answer, a tick's packed reads, is below 2 MB."""

MOST_KEPT = 4
"""Idle connections of one URL."""
MAX_TEXT = 400
_PLAIN = "%/?:@!$&'()*+,;=~[]"
"""Of a path and a query, as they are written; all else of it would not be one line of HTTP."""


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
        (parts.hostname or "").encode("idna")  # a UnicodeError is a ValueError
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


class Endpoint:
    """One URL and the connections to it that are kept alive: as many as were ever needed at once."""

    def __init__(self, url: str, *, timeout: float, max_body: int | None = None) -> None:
        """`max_body` is in bytes, MAX_BODY by default. Raises ConfigError where the URL is none, or is plain http to a
        remote host."""
        parts = _split(url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ConfigError("chains", "rpc", "https, or http on this machine", masked(url))
        self.label = masked(url)
        self._timeout, self._max_body = timeout, MAX_BODY if max_body is None else max_body
        self._hidden = _secrets(parts)
        self._target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_PLAIN)
        self._headers = {
            "host": self.label.partition("://")[2].encode("idna").decode(),
            "user-agent": "keeper",
            "accept-encoding": "gzip",
        }
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["authorization"] = "Basic " + b64encode(pair.encode()).decode()
        self._tls = parts.scheme == "https"
        self._host = (parts.hostname or "").encode("idna").decode()
        self._port = parts.port or (443 if self._tls else 80)
        self._kept: list[Connection] = []
        weakref.finalize(self, _close, self._kept)

    def __repr__(self) -> str:
        return f"Endpoint({self.label})"

    def close(self) -> None:
        _close(self._kept)

    def hide(self, text: str) -> str:
        """Foreign text, fit for a log: on one line, and without any part of this URL that could be a key."""
        for secret in self._hidden:
            text = text.replace(secret, "…")
        return printable(text, MAX_TEXT).strip()

    def exchange(self, body: Any, sign: Callable[[bytes], Mapping[str, str]] | None = None) -> Any:
        """The parsed JSON answer, an object or a list. `sign` gives headers for exactly these bytes. Raises
        TransportFault."""
        content = write(body)
        headers = self._headers | {"content-type": "application/json"} | dict(sign(b"".join(content)) if sign else {})
        return self._exchange("POST", self._target, content, headers)

    def fetch(self, place: str) -> Any:
        """The same of a GET; `place` follows this URL's own path. Raises TransportFault."""
        return self._exchange("GET", self._target.rstrip("/") + place, [], self._headers)

    def _exchange(self, method: str, target: str, content: list[bytes], headers: Mapping[str, str]) -> Any:
        request = [self._head(method, target, sum(map(len, content)), headers), *content]
        reply = self._send(request, time.monotonic() + self._timeout)
        status, data = reply.status, reply.body
        parsed = parse(data)
        # Some providers send a proper JSON-RPC error with status 400; everything else but 2xx is a fault.
        if not 200 <= status < 300 and not (status == 400 and isinstance(parsed, dict) and "error" in parsed):
            detail = self.hide(data[:200].decode("utf-8", "replace"))
            raise self._fault(f"HTTP {status}" + (f": {detail}" if detail else ""), status, reply.retry_after)
        if not isinstance(parsed, dict | list) or not parsed:
            raise self._fault(f"expected a JSON-RPC answer, found {len(data)} bytes of something else", status)
        return parsed

    def _head(self, method: str, target: str, length: int, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if method == "POST":
            lines.append(f"content-length: {length}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def _send(self, request: Sequence[bytes], ends: float) -> Reply:
        connection: Connection | None = None
        try:
            connection = self._idle() or Connection(self._host, self._port, ends, tls=self._tls)
            reply = connection.ask(request, ends, self._max_body)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if not isinstance(error, OSError | Broken | Late | TooLarge):
                raise
            raise self._told(error, was_connected=connection is not None) from None
        if connection.may_stay and len(self._kept) < MOST_KEPT:
            self._kept.append(connection)
        else:
            connection.close()
        return reply

    def _idle(self) -> Connection | None:
        """The connection that was used last, unless the other side has closed it: a send must not be lost on it."""
        while self._kept:
            try:
                connection = self._kept.pop()
            except IndexError:
                return None  # another thread took it
            if not connection.is_over:
                return connection
            connection.close()
        return None

    def _told(self, error: Exception, *, was_connected: bool) -> TransportFault:
        """Only the kind: the text of such errors may hold the URL."""
        if isinstance(error, Late) or (was_connected and isinstance(error, TimeoutError)):
            return self._fault(f"no complete answer within {self._timeout:g} s")
        if isinstance(error, TooLarge):
            return self._fault(f"answer is larger than {self._max_body} bytes")
        if was_connected:
            return self._fault("connection broke", dropped=True)
        if isinstance(error, ssl.SSLError):
            return self._fault("TLS failed")
        if isinstance(error, socket.gaierror):
            return self._fault("host unknown")
        if isinstance(error, TimeoutError):
            return self._fault("connecting timed out")
        return self._fault("connection refused or host unknown")

    def _fault(
        self, text: str, status: int | None = None, retry_after: str = "", dropped: bool = False
    ) -> TransportFault:
        return TransportFault(f"{self.label}: {text}", status=status, retry_after=retry_after, dropped=dropped)


def _close(kept: list[Connection]) -> None:
    while kept:
        kept.pop().close()
