"""Keys and phrases that stand in a file in plain text. Found before anything else looks at it, and never repeated."""

from __future__ import annotations

import re

from keeper.core.errors import ConfigError

_KEY = re.compile(r"(?<![0-9a-zA-Z])(?:0[xX])?[0-9a-fA-F]{64}(?![0-9a-zA-Z])", re.ASCII)
_PHRASE = re.compile(r"[:-]\s+[\"']?(?:[a-z]{3,8} ){11,23}[a-z]{3,8}[\"']?\s*(?:$|[,}\]])", re.ASCII)
"""A value, in quotes or not, of twelve to twenty-four words as the mnemonics of wallets have them."""


def refuse_secrets(text: str, name: str) -> None:
    """Raises ConfigError with the line of the first private key or seed phrase; comments are searched as well."""
    for number, line in enumerate(text.splitlines(), 1):
        if _KEY.search(line):
            expected = "keys in a keystore, a key file or a variable"
            raise ConfigError(f"{name}:{number}", "file", expected, "64 hex digits that could be a private key")
        if _PHRASE.search(line.partition(" #")[0]):
            raise ConfigError(f"{name}:{number}", "file", "no seed phrase", "twelve or more words that could be one")
