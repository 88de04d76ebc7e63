"""What an edit changes: the effective values that differ between two configurations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.config.load import Loaded, show

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Change:
    """One value as it was and as it would be; `nothing` where there is none. Secrets are masked."""

    path: str
    old: str
    new: str


def changes(old: Loaded, new: Loaded) -> tuple[Change, ...]:
    """In the order of the new configuration; what it leaves out comes last. A default that is written down is none."""
    return tuple(_changes({path: value for path, value, _ in show(old)}, {path: value for path, value, _ in show(new)}))


def _changes(old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    for path, value in new.items():
        before = old.get(path, NOTHING)
        if before != value:
            yield Change(path, before, value)
    for path, value in old.items():
        if path not in new:
            yield Change(path, value, NOTHING)
