"""Places in a config: `vaults.treasury.pools[1]`."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_LONGEST = 60


def dotted(path: Path) -> str:
    """Keys joined by dots, list positions in brackets, unusual keys quoted and cut."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN.fullmatch(part) else f'"{shown(part)}"'
            text += f".{key}" if text else key
    return text


def shown(text: str) -> str:
    """What a person wrote, on one line, printable, and not too long."""
    line = "".join(char if char.isprintable() else "�" for char in text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
