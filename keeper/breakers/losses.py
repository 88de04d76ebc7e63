"""Breakers of value: fills worse than their quotes, and a vault that has lost value from its peak."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core import text
from keeper.core.chain import MarketPrice, VaultView
from keeper.core.latches import Rearm, Trip
from keeper.core.screens import Margin
from keeper.core.units import USD, WHOLE_BPS, TokenAmount


def compute_value(view: VaultView) -> TokenAmount | None:
    """{USD} Of all holdings at their mids; None where one has no usable price."""
    total = TokenAmount.zero(USD)
    for token, held in view.holdings.items():
        price = view.prices.get(token)
        if not isinstance(price, MarketPrice):
            return None
        total = total + price.mid.value(held)
    return total


@dataclass(frozen=True, slots=True)
class Loss:
    """Quote minus fill, summed over the trades of the last `window` seconds, is `limit` bps of the vault's value or
    more. What others took shows only in what was received: no guard sees it before."""

    limit: int
    window: int
    rearm: Rearm = field(default_factory=Rearm)
    name: str = "loss"

    def trip(self, view: VaultView) -> Trip | None:
        since = max(view.block.timestamp - self.window, view.history.evidence_from(self.name))
        lost = TokenAmount(USD, sum(trade.lost.raw for trade in view.history.since(since)))
        value = compute_value(view)
        if lost.raw <= 0 or value is None or lost.raw * WHOLE_BPS < self.limit * value.raw:
            return None
        share = text.bps(Fraction(lost.raw * WHOLE_BPS, max(1, value.raw)))
        within = text.duration(self.window)
        said = f"fills were {text.usd(lost)} worse than their quotes within {within}: {share} of the vault"
        return Trip(self.name, f"{said}, limit {self.limit} bps", self.rearm)

    def margin(self, view: VaultView) -> Margin | None:
        """Gains are left out: they may leave the window before the losses do."""
        if self.limit <= 0:
            return None
        lost = sum(max(0, trade.lost.raw) for trade in view.history.trades)
        return Margin(value=lost * WHOLE_BPS // self.limit)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The vault's value is `limit` bps or more below its highest within the last `window` seconds, what people put in
    and took out set aside."""

    limit: int
    window: int
    rearm: Rearm = field(default_factory=Rearm)
    name: str = "drawdown"

    def trip(self, view: VaultView) -> Trip | None:
        since = max(view.block.timestamp - self.window, view.history.evidence_from(self.name))
        value = compute_value(view)
        then = [sample.comparable for sample in view.history.samples if sample.at >= since]
        if value is None or not then:
            return None
        peak = max(then)
        if peak.raw <= 0 or (peak.raw - value.raw) * WHOLE_BPS < self.limit * peak.raw:
            return None
        share = text.bps(Fraction((peak.raw - value.raw) * WHOLE_BPS, peak.raw))
        said = f"{text.usd(value)}, {share} below {text.usd(peak)} within {text.duration(self.window)}"
        return Trip(self.name, f"{said}, limit {self.limit} bps", self.rearm)

    def margin(self, view: VaultView) -> Margin:
        peak = max((sample.comparable.raw for sample in view.history.samples), default=0)
        return Margin(value=max(0, peak * (WHOLE_BPS - self.limit) // WHOLE_BPS))
