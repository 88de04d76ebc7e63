"""One thing that does not fit another."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from keeper.config.paths import Path


class Fault(NamedTuple):
    """Where, what was expected, what was found."""

    path: Path
    expected: str
    found: str


def twice(things: Iterable[tuple[Path, Hashable, str]], expected: str) -> Iterator[Fault]:
    """A fault for each thing (place, identity, name) whose identity an earlier one has."""
    seen: dict[Hashable, str] = {}
    for path, identity, name in things:
        if identity in seen:
            yield Fault(path, expected, f"the same as {seen[identity]}")
        seen.setdefault(identity, name)
