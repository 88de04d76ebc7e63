"""Secrets out of text: registered strings, whatever looks like a private key, and the telling parts of URLs."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from keeper.core.foreign import printable

MASK = "•••"

SHORTEST = 6
"""Shorter strings are not masked: they would be found everywhere and say nothing."""

HASH_KEYS = frozenset(
    {"hash", "hashes", "block_hash", "parent_hash", "tx", "tx_hash", "config_hash", "code_hash", "topic", "topics"}
)
"""Fields whose 64 hex digits are public. Everywhere else they are taken for a private key."""

_KEY = re.compile(r"(?<![0-9a-fA-F])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s\"'<>`]+(?<![:.,;])")
_LOCAL = ("sqlite", "file")
"""Schemes that name a file of this machine, and no secret."""

_DEEPEST = 8


def mask_url(url: str) -> str:
    """`https://me:pw@host:8545/v3/KEY?a=b` becomes `https://host:8545/•••`: scheme, host and port stay."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return MASK
    if parts.scheme in _LOCAL and not parts.hostname:
        return url
    host = parts.hostname or ""
    bare = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
    hides = parts.path.strip("/") or parts.query or parts.fragment
    return f"{bare}/{MASK}" if hides else bare


class Masker:
    """Knows the secrets of this process. Thread-safe.

    Guarantees that a registered secret does not pass `text` or `value`, also percent-encoded. Does not find secrets
    that it was not told of, except private keys in hex and parts of URLs.
    """

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def register(self, secret: str) -> None:
        """Masks this string from now on; of a URL, also its parts (clients log the path without the host)."""
        if "://" in secret and mask_url(secret) == secret:
            return  # all host, nothing to hide: errors should name it
        found = {secret, *_parts(secret)} if "://" in secret else {secret}
        if "0x" in secret[:2]:
            found |= {secret[2:], secret[2:].lower(), secret[2:].upper(), secret.lower()}
        found |= {quote(each, safe="") for each in found}
        with self._lock:
            self._secrets |= {each for each in found if len(each) >= SHORTEST}
            longest_first = sorted(self._secrets, key=lambda each: (-len(each), each))
            self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str, *, hashes: bool = False) -> str:
        """`text` without secrets. `hashes` lets 64 hex digits pass where they are no registered secret."""
        masked = _URL.sub(lambda match: mask_url(match.group()), self.registered(text))
        return masked if hashes else _KEY.sub(MASK, masked)

    def registered(self, text: str) -> str:
        """Only what was registered: for text that is already rendered."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: Any, key: str = "", cap: int = 2_000, depth: int = 0) -> Any:
        """Any log value as plain data: numbers as they are, all else as masked, printable text; containers within."""
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float) and isfinite(value):
            return value
        if depth >= _DEEPEST:
            return "…"
        if isinstance(value, Mapping):
            return {
                self._clean(str(name), cap): self.value(inner, str(name), cap, depth + 1)
                for name, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(inner, key, cap, depth + 1) for inner in _ordered(value)]
        text = value.hex() if isinstance(value, bytes) else str(value)
        return self._clean(text, cap, hashes=key in HASH_KEYS)

    def _clean(self, text: str, cap: int, *, hashes: bool = False) -> str:
        # Masked before it is cut, or a secret at the edge would survive by half; again after escaping.
        return self.registered(printable(self.text(text, hashes=hashes), cap))


def _ordered(values: Iterable[Any]) -> Iterable[Any]:
    return sorted(values, key=str) if isinstance(values, set | frozenset) else values


def _parts(url: str) -> set[str]:
    """Password, path segments and query values of a URL; its user too, unless that is a name beside a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return set()
    segments = {segment for segment in parts.path.split("/") if len(segment) >= 2 * SHORTEST}
    values = {value for _, value in parse_qsl(parts.query)}
    user = parts.username or ""
    is_name = bool(parts.password) and len(user) < 2 * SHORTEST
    return segments | values | {part for part in ("" if is_name else user, parts.password) if part}


MASKER = Masker()
"""The one of this process: what is secret does not depend on who prints it."""


def register_secret(text: str) -> None:
    """Called by whoever reads a secret, before anything else is done with it."""
    MASKER.register(text)


def mask(text: str) -> str:
    """One printable line without secrets: for whoever prints without a logger, such as the last-resort error line."""
    return MASKER.registered(printable(MASKER.text(text)))
