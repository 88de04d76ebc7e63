"""How far a weight may drift: outside the trigger it is traded back to the destination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core import text
from keeper.core.units import WHOLE_BPS, Token


@dataclass(frozen=True, slots=True)
class Band:
    """Tolerated drift to either side: `bps` of the vault, or, with `of_weight`, `bps` of the asset's own target."""

    bps: int
    of_weight: bool = False

    def at(self, target: int) -> Fraction:
        """{bps} The half-width around a target weight."""
        return Fraction(self.bps * target, WHOLE_BPS) if self.of_weight else Fraction(self.bps)

    def __str__(self) -> str:
        return f"{text.trimmed(Fraction(self.bps, 100))} % of weight" if self.of_weight else text.pp(self.bps)


@dataclass(frozen=True, slots=True)
class Bands:
    """Trigger (h) and destination (m) of every asset; `own` replaces the common pair for single assets.

    Raises ValueError where a band is negative or a destination lies outside its trigger (MATH: 0 <= m <= h).
    """

    trigger: Band
    destination: Band
    own: Mapping[Token, tuple[Band, Band]] = field(default_factory=dict)

    def of(self, token: Token, target: int) -> tuple[Fraction, Fraction]:
        """{bps} Half-widths of trigger and destination around this asset's target."""
        trigger, destination = self.own.get(token, (self.trigger, self.destination))
        return trigger.at(target), destination.at(target)

    def to_destination(self) -> Bands:
        """For a trade that has begun: what would not trigger it any more is still to be done."""
        own = {token: (destination, destination) for token, (_, destination) in self.own.items()}
        return Bands(self.destination, self.destination, own)

    def at_least(self, trigger: int) -> Bands:
        """The same with no trigger narrower than this much beyond its destination: {bps}, of the vault."""

        def widest(h: Band, m: Band) -> Band:
            return h if h.of_weight or m.of_weight else Band(max(h.bps, m.bps + trigger))

        own = {token: (widest(h, m), m) for token, (h, m) in self.own.items()}
        return Bands(widest(self.trigger, self.destination), self.destination, own)

    def check(self, targets: Mapping[Token, int]) -> None:
        for token, target in targets.items():
            trigger, destination = self.of(token, target)
            if not 0 <= destination <= trigger:
                raise ValueError(
                    f"bands of {token.symbol}: expected 0 ≤ destination ≤ trigger, "
                    f"were destination {text.pp(destination)} and trigger {text.pp(trigger)}"
                )
