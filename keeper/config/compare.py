"""What an edit changes: the effective values that differ between two configurations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.config.load import Loaded, show
from keeper.config.paths import dotted

NOTHING = "nothing"
WHOLE = "as configured"


@dataclass(frozen=True, slots=True)
class Change:
    """One value as it was and as it would be; `nothing` where there is none. Secrets are masked."""

    path: str
    old: str
    new: str


def changes(old: Loaded, new: Loaded) -> tuple[Change, ...]:
    """In the order of the new configuration; what it leaves out comes last. A default that is written down is none,
    and a vault or an upkeep that only one of them has is one change."""
    return tuple(_changes(_values(old, new), _values(new, old)))


def _values(config: Loaded, other: Loaded) -> dict[str, str]:
    """Every effective value by its place; all those of a vault that the other one lacks as one."""
    own = {dotted(config.config.place_of(name)) for name in config.config.kept if name not in other.config.kept}
    found: dict[str, str] = {}
    for path, value, _ in show(config):
        alone = next((place for place in own if path.startswith(f"{place}.")), None)
        found[alone or path] = WHOLE if alone else value
    return found


def _changes(old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    for path, value in new.items():
        before = old.get(path, NOTHING)
        if before != value:
            yield Change(path, before, value)
    for path, value in old.items():
        if path not in new:
            yield Change(path, value, NOTHING)
