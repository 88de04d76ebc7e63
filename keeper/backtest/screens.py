"""Most moments need no decision: whether a vault is clearly inside its band is seen from a few floats.

A screen may only say `quiet` where the plan would hold; where it is not sure it says nothing, and the plan decides in
integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from keeper.core.plan import Hold, PairBand, Plan
from keeper.core.units import WHOLE_BPS, Token
from keeper.strategies.calendar import Calendar

NEAR = 1e-9
"""{1} So near to an edge the plan decides: floats are right to about 1e-15."""
WORTH = 0.95
"""A trade that moves less than this share of dust is dust, whatever its own impact changes."""
REDRAWN = 86_400
"""{s} Bands that follow from costs are looked up so often, and whenever one seems to be left."""


class Screen(Protocol):
    def is_quiet(self, drifts: Sequence[float], total: float, at: int) -> bool:
        """Whether the plan would certainly hold: shares of the vault, {USD}, Unix seconds."""
        ...

    def learn(self, plan: Plan, at: int) -> None:
        """What the plan said when it was asked."""
        ...


class Asked:
    """Never sure."""

    def is_quiet(self, drifts: Sequence[float], total: float, at: int) -> bool:  # noqa: ARG002  every screen is told
        return False

    def learn(self, plan: Plan, at: int) -> None:
        """Nothing to learn."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Every asset inside its trigger, or none so far beyond its destination that it is worth `least` {USD}."""

    triggers: tuple[float, ...]
    destinations: tuple[float, ...]
    least: float

    @classmethod
    def of(cls, edges: Sequence[tuple[Fraction, Fraction]], least: float) -> Fixed:
        """`edges` in bps: trigger and destination of each asset."""
        return cls(
            tuple(float(trigger) / WHOLE_BPS - NEAR for trigger, _ in edges),
            tuple(float(destination) / WHOLE_BPS for _, destination in edges),
            least * WORTH,
        )

    def is_quiet(self, drifts: Sequence[float], total: float, at: int) -> bool:  # noqa: ARG002
        beyond = False
        for drift, trigger in zip(drifts, self.triggers, strict=True):
            if drift > trigger or drift < -trigger:
                beyond = True
                break
        if not beyond:
            return True
        least = self.least / total
        for drift, trigger, destination in zip(drifts, self.triggers, self.destinations, strict=True):
            if abs(drift) > trigger and abs(drift) - destination > least:
                return False
        return True

    def learn(self, plan: Plan, at: int) -> None:
        """Bands that are fixed stay as they are."""


@dataclass(slots=True)
class Drawn:
    """Bands of pairs as the last plan drew them; not sure where they are a day old."""

    places: Mapping[Token, int]
    least: float
    edges: list[tuple[int, int, float, float]] = field(default_factory=list)
    until: int = 0

    def is_quiet(self, drifts: Sequence[float], total: float, at: int) -> bool:
        if at >= self.until:
            return False
        least = self.least * WORTH / total
        for one, other, trigger, destination in self.edges:
            first, second = drifts[one], drifts[other]
            if (first > 0.0) != (second > 0.0):
                apart = abs(first - second) / 2
                if apart > trigger and apart - destination > least:
                    return False
        return True

    def learn(self, plan: Plan, at: int) -> None:
        bands: tuple[PairBand, ...] = plan.forecast.bands if not _is_silent(plan) else ()  # type: ignore[union-attr]
        self.edges = [
            (self.places[b.sell], self.places[b.buy], b.trigger / WHOLE_BPS - NEAR, b.destination / WHOLE_BPS)
            for b in bands
        ]
        self.until = at + REDRAWN if bands else 0


@dataclass(slots=True)
class Dated:
    """Nothing until the calendar's next date, then as the screen of its bands."""

    calendar: Calendar
    bands: Screen
    until: int = 0

    def is_quiet(self, drifts: Sequence[float], total: float, at: int) -> bool:
        return at < self.until or self.bands.is_quiet(drifts, total, at)

    def learn(self, plan: Plan, at: int) -> None:
        self.bands.learn(plan, at)
        if isinstance(plan, Hold) and plan.code == "calendar":
            self.until = self.calendar.after(at - self.calendar.jitter)


def _is_silent(plan: Plan) -> bool:
    return getattr(plan, "forecast", None) is None
