"""What a guard says of a draft: both figures, whichever way it decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Allow:
    """A guard agrees. `used` is measured over limit, where that is a ratio."""

    guard: str
    measured: str
    limit: str
    used: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Deny:
    """A guard refuses. `detail` are further lines of evidence; `remedy` says what would clear it."""

    guard: str
    reason: str
    measured: str
    limit: str
    used: Fraction | None = None
    detail: tuple[str, ...] = field(default=())
    remedy: str = ""
    for_people: bool = False
    """The key may not, or should not alone; the owners of its Safe may."""


Verdict = Allow | Deny
