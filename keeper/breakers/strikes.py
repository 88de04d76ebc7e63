"""Breakers of repetition: what fails again and again costs gas, and a person should look."""

from __future__ import annotations

from dataclasses import dataclass, field

from keeper.core import text
from keeper.core.chain import VaultView
from keeper.core.latches import Rearm, Trip
from keeper.core.screens import Margin


@dataclass(frozen=True, slots=True)
class Reverts:
    """`limit` transactions or more of the vault reverted within the last `window` seconds."""

    limit: int
    window: int
    rearm: Rearm = field(default_factory=Rearm)
    name: str = "reverts"

    def trip(self, view: VaultView) -> Trip | None:
        since = max(view.block.timestamp - self.window, view.history.evidence_from(self.name))
        count = sum(at > since for at in view.history.reverts)
        if count < self.limit:
            return None
        said = f"{count} transactions reverted within {text.duration(self.window)}, limit {self.limit}"
        return Trip(self.name, said, self.rearm)

    def margin(self, view: VaultView) -> Margin:  # noqa: ARG002  prices do not matter to it
        return Margin()


@dataclass(frozen=True, slots=True)
class Refusals:
    """Guards refused `limit` cycles in a row or more, the present one not counted."""

    limit: int
    rearm: Rearm = field(default_factory=Rearm)
    name: str = "refusals"

    def trip(self, view: VaultView) -> Trip | None:
        found = view.history.refusals
        if found < self.limit:
            return None
        return Trip(self.name, f"guards refused {found} cycles in a row, limit {self.limit}", self.rearm)

    def margin(self, view: VaultView) -> Margin:  # noqa: ARG002  prices do not matter to it
        return Margin()
