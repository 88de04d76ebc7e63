"""Values that must not be shown: URLs, of which only the host is public, and keys, of which nothing is."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import Any, NoReturn
from urllib.parse import urlsplit

from keeper.core.errors import ConfigError

MASK = "***"
_KEY = re.compile(r"(?:0x)?[0-9a-fA-F]{64}", re.ASCII)


class FromEnv(str):
    """A text that holds references, after they were replaced; `source` is how it stands in the file.

    Where a variable is not set and need not be, the text is empty.
    """

    source: str
    names: tuple[str, ...]

    def __new__(cls, text: str, source: str, names: tuple[str, ...]) -> FromEnv:
        self = super().__new__(cls, text)
        self.source, self.names = source, names
        return self

    def __repr__(self) -> str:
        return self.source


class Hidden:
    """A value that only `reveal` gives away. Equal where the values are."""

    __slots__ = ("_names", "_source", "_text")

    def __init__(self, text: str) -> None:
        self._text = str(text)
        self._source, self._names = (text.source, text.names) if isinstance(text, FromEnv) else ("", ())

    def reveal(self) -> str:
        """The value itself. Raises ConfigError where it stands in a variable that is not set."""
        if not self._text:
            raise ConfigError("environment", self._source, "a value", "nothing")
        return self._text

    @property
    def is_set(self) -> bool:
        return bool(self._text)

    @property
    def source(self) -> str:
        """The reference it came from, or empty where it stands in the file itself."""
        return self._source

    @property
    def names(self) -> tuple[str, ...]:
        """The variables it came from."""
        return self._names

    def __str__(self) -> str:
        return self._source or MASK

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and (self._text, self._source) == (other._text, other._source)

    def __hash__(self) -> int:
        return hash((type(self), self._text, self._source))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied or pickled")


class Secret(Hidden):
    """A private key out of the environment."""

    __slots__ = ()

    @classmethod
    def of_key(cls, value: Any) -> Secret:
        if not isinstance(value, FromEnv):
            raise ValueError("a reference such as ${KEEPER_KEY}, never the key itself")  # noqa: TRY004  as below
        if value and not _KEY.fullmatch(value):
            raise ValueError("64 hex digits in that variable")
        return cls(value)

    @property
    def digest(self) -> str:
        """SHA-256 of the key's 64 small hex digits; empty where it is not set."""
        return hashlib.sha256(self._text[-64:].lower().encode()).hexdigest() if self._text else ""


class Url(Hidden):
    """A URL, shown as `https://host/***`."""

    __slots__ = ()

    @classmethod
    def of_node(cls, value: Any) -> Url:
        """https, or http on this machine. Raises ValueError."""
        return cls._parse(value, frozenset({"https", "http"}), "a URL such as https://host/path")

    @classmethod
    def of_socket(cls, value: Any) -> Url:
        """wss, or ws on this machine. Raises ValueError."""
        return cls._parse(value, frozenset({"wss", "ws"}), "a URL such as wss://host/path")

    @classmethod
    def of_anything(cls, value: Any) -> Url:
        return cls._parse(value, None, "a URL")

    @classmethod
    def _parse(cls, value: Any, schemes: frozenset[str] | None, expected: str) -> Url:
        if not isinstance(value, str):
            raise ValueError(expected)  # noqa: TRY004  pydantic wants it so
        if isinstance(value, FromEnv) and not value:
            return cls(value)
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError(expected) from None
        if not host or any(char.isspace() or not char.isprintable() for char in value):
            raise ValueError(expected)
        if schemes is not None and parts.scheme not in schemes:
            raise ValueError(expected)
        if parts.scheme in ("http", "ws") and not is_loopback(host):
            safe = {"http": "https", "ws": "wss"}[parts.scheme]
            raise ValueError(f"{safe}, or {parts.scheme} on this machine")
        return cls(value)

    @property
    def host(self) -> str:
        return urlsplit(self._text).hostname or ""

    def __str__(self) -> str:
        return masked(self._text) if self._text else f"{self._source} (not set)"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def masked(text: str) -> str:
    """Scheme, host and port of a URL; nothing at all of what is none."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return MASK
    if not host or not parts.scheme:
        return MASK
    bare = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
    return f"{bare}/{MASK}" if parts.path.strip("/") or parts.query or parts.fragment or parts.username else bare
