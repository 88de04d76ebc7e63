"""Policies on the same prices: the vault's own, and the rules of thumb that it is shown beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.backtest.screens import Asked, Dated, Drawn, Fixed, Screen
from keeper.core import text
from keeper.core.ports import Strategy
from keeper.core.units import USD, WHOLE_BPS, Token, TokenAmount
from keeper.strategies.auto_bands import AutoBands
from keeper.strategies.bands import Band, Bands
from keeper.strategies.calendar import Calendar, every
from keeper.strategies.gas_limits import GasLimits
from keeper.strategies.no_trade_region import DEFAULT_AVERSION, Costs, best_region, spread_of_weight
from keeper.strategies.rules import Rules
from keeper.strategies.weights import Weights

OWN = "as configured"
DAY = 86_400
_OPEN = 3_600
"""{s} How long a comparison's date stays open."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A strategy, and how it is screened; none at all keeps what it has. `least` {USD} is the least worth trading."""

    name: str
    said: str
    strategy: Strategy | None
    weights: Weights | None
    least: float
    guarded: bool = False
    """Under the vault's guards. Rules of thumb have none."""
    restless: bool = False
    """It may trade inside its band: the rest of what it has begun."""

    def screen(self, tokens: Sequence[Token]) -> Screen:
        if self.weights is None:
            return Asked()
        targets, bands = self.weights.targets, self.weights.bands
        inner: Screen
        if isinstance(bands, AutoBands):
            inner = Drawn({token: place for place, token in enumerate(tokens)}, self.least)
        else:
            inner = Fixed.of([bands.of(token, targets[token]) for token in tokens], self.least)
        return Dated(self.weights.calendar, inner) if self.weights.calendar else inner


def said_of(bands: Bands | AutoBands, calendar: Calendar | None = None) -> str:
    """Its settings for people."""
    if isinstance(bands, AutoBands):
        words = "band: auto"
    else:
        words = f"trigger {bands.trigger}, destination {bands.destination}"
        words += f", {len(bands.own)} of its own" if bands.own else ""
    return words + (", on dates" if calendar else "")


_LEAST = 10
"""{bps} Where trading is free the best band is none at all, and a rule of thumb that trades at every price is none."""


def edges_of(weights: Weights, costs: Costs) -> dict[Token, tuple[int, int]]:
    """{bps} Trigger and destination of each asset: the vault's own; what the same costs make of it where bands belong
    to pairs, or where there is nothing but a calendar."""
    edges = {}
    for token, target in weights.targets.items():
        trigger, destination = weights.bands.of(token, target) if isinstance(weights.bands, Bands) else (0, 0)
        if trigger:
            edges[token] = max(1, round(trigger)), round(destination)
        else:
            region = best_region(spread_of_weight(Fraction(target, WHOLE_BPS)), costs, DEFAULT_AVERSION)
            trigger, destination = region.rounded()
            edges[token] = max(_LEAST, trigger), destination
    return edges


def comparisons(weights: Weights, edges: Mapping[Token, tuple[int, int]], days: int, least: float) -> list[Policy]:
    """Calendar, threshold to target, band edge, and nothing at all; with the triggers of `edges`."""
    triggers = {token: trigger for token, (trigger, _) in edges.items()}
    to_target = own_bands({token: (trigger, 0) for token, trigger in triggers.items()})
    to_edge = own_bands({token: (trigger, trigger) for token, trigger in triggers.items()})
    dates = Calendar(every(days * DAY), _OPEN)
    nothing = Bands(Band(0), Band(0))
    widest = text.pp(max(triggers.values()))
    return [
        _with(weights, f"calendar, {days} d", "everything to its target", nothing, least, dates),
        _with(weights, "threshold to target", f"triggers up to {widest}", to_target, least),
        _with(weights, "to the band's edge", f"triggers up to {widest}", to_edge, least),
        Policy("buy and hold", "no trade", None, None, least),
    ]


def own_bands(edges: Mapping[Token, tuple[int, int]]) -> Bands:
    """A band for each asset, {bps}."""
    return Bands(Band(1), Band(0), {token: (Band(h), Band(m)) for token, (h, m) in edges.items()})


def _with(
    weights: Weights, name: str, said: str, bands: Bands, least: float, calendar: Calendar | None = None
) -> Policy:
    other = plain(weights, bands, least, calendar)
    return Policy(name, said, other, other, least)


def plain(weights: Weights, bands: Bands | AutoBands, least: float, calendar: Calendar | None = None) -> Weights:
    """The same targets and clip with other bands. Priorities and locks belong to the vault's own policy."""
    dust = TokenAmount(USD, int(Fraction(least) * 10**USD.decimals))
    clip = None if weights.clip is None else max(weights.clip, dust)
    return Weights(weights.targets, bands, dust, clip, Rules(reserve=weights.rules.reserve), GasLimits(), calendar)
