"""Breakers of prices: a pegged asset away from its peg, and any asset that moved too far too fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core import text
from keeper.core.chain import MarketPrice, VaultView
from keeper.core.latches import Rearm, Trip
from keeper.core.screens import Margin
from keeper.core.units import WHOLE_BPS, Token


def _apart(price: Fraction, base: Fraction) -> Fraction:
    """{bps} Distance of a price from a base."""
    return abs(price / base - 1) * WHOLE_BPS


def _around(least: Fraction, most: Fraction, limit: int) -> tuple[Fraction, Fraction]:
    """What a price must stay strictly between so as to be less than `limit` bps from all from `least` to `most`."""
    share = Fraction(limit, WHOLE_BPS)
    return most * (1 - share), least * (1 + share)


def _prices(view: VaultView) -> Iterator[tuple[Token, MarketPrice]]:
    """Those that are usable; a vault without a usable price holds for that reason already."""
    return ((token, found) for token, found in view.prices.items() if isinstance(found, MarketPrice))


@dataclass(frozen=True, slots=True)
class Depeg:
    """A token is `limit` bps or more from its peg, in the numeraire, by any one of its sources: one that is right is
    enough to stop, while a trade needs all of them to agree."""

    pegs: Mapping[Token, Fraction]
    limit: int
    rearm: Rearm = field(default_factory=Rearm)
    name: str = "depeg"

    def trip(self, view: VaultView) -> Trip | None:
        for token, found in _prices(view):
            peg = self.pegs.get(token)
            if peg is None:
                continue
            worst = max((found.low.ratio, found.high.ratio), key=lambda ratio: _apart(ratio, peg))
            if _apart(worst, peg) >= self.limit:
                away = f"{text.bps(_apart(worst, peg))} from its peg of ${text.trimmed(peg, 4)}"
                said = f"{token.symbol} is at ${text.decimal(worst, 4)}, {away}, limit {self.limit} bps"
                return Trip(self.name, said, self.rearm)
        return None

    def margin(self, view: VaultView) -> Margin:
        return Margin(
            {token: _around(peg, peg, self.limit) for token, peg in self.pegs.items() if token in view.prices}
        )


@dataclass(frozen=True, slots=True)
class PriceJump:
    """A price is `limit` bps or more from any that was noted within the last `window` seconds.

    Samples of before the last clear do not count: whoever cleared it has seen the jump.
    """

    limit: int
    window: int
    rearm: Rearm = field(default_factory=Rearm)
    name: str = "price_jump"

    def trip(self, view: VaultView) -> Trip | None:
        since = max(view.block.timestamp - self.window, view.history.evidence_from(self.name))
        samples = [sample for sample in view.history.samples if sample.at >= since]
        for token, found in _prices(view):
            for sample in samples:
                before = sample.price(token)
                if before and _apart(found.mid.ratio, before) >= self.limit:
                    moved = f"${text.decimal(before, 2)} to ${text.decimal(found.mid.ratio, 2)}"
                    took = text.duration(view.block.timestamp - sample.at)
                    far = text.bps(_apart(found.mid.ratio, before))
                    return Trip(
                        self.name, f"{token.symbol}: {moved} in {took}, {far}, limit {self.limit} bps", self.rearm
                    )
        return None

    def margin(self, view: VaultView) -> Margin:
        """All samples count, those too that will have left the window."""
        noted = {token: [b for sample in view.history.samples if (b := sample.price(token))] for token in view.prices}
        return Margin({token: _around(min(each), max(each), self.limit) for token, each in noted.items() if each})
