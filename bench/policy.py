"""Policies: what keeping a vault costs in a year, tracking loss and trading together, against tuned rules of thumb.

    python -m bench policy

Four assets drift on random paths. Ours draws its bands from costs alone and is told no volatility; each rival is tuned
to the very paths that it is judged on: of all its settings the one that did best there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from bench.drifting import Array, BandRule, Kept, PairRule, Rule, World, keep
from bench.frame import Pace
from keeper.strategies.no_trade_region import Costs, Region, best_region, spread_of_pair, spread_of_weight

TITLE = "Policies: tracking loss and trading cost of a vault of four, bp a year"
WEIGHTS = (Fraction(40, 100), Fraction(30, 100), Fraction(20, 100), Fraction(10, 100))
VOLATILITIES = (0.65, 0.75, 0.90, 0.02)
CORRELATION = 0.6
AVERSION = 3
DEPTH = 5_000_000
"""{USD} One side of every pool, where impact counts: k is the vault's value over it."""
BPS = 10_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What one swap costs. Impact counts unless it is left out."""

    name: str
    gas: Fraction
    """{USD}"""
    value: int
    """{USD} Of the vault."""
    fee: Fraction
    has_impact: bool = True

    @property
    def costs(self) -> Costs:
        impact = Fraction(self.value, DEPTH) if self.has_impact else Fraction(0)
        return Costs(self.gas / self.value, self.fee, impact)


SETTINGS = (
    Setting("gas $8, $250k, 6 bp", Fraction(8), 250_000, Fraction(6, BPS)),
    Setting("gas $0.05, $250k, 6 bp", Fraction(5, 100), 250_000, Fraction(6, BPS)),
    Setting("gas $2, $100k, 30 bp", Fraction(2), 100_000, Fraction(30, BPS)),
    Setting("gas $0.05, $250k, 6 bp, no impact", Fraction(5, 100), 250_000, Fraction(6, BPS), False),
)
ABSOLUTE = (0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.05, 0.06, 0.08, 0.10)
RELATIVE = (0.05, 0.075, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40)
"""Of each asset's target."""
CALENDAR = (1, 2, 4, 7, 10, 14, 21, 30, 45, 60, 91, 182)
"""{days}"""
BOTH = tuple((days, share) for days in (1, 7, 30) for share in (0.02, 0.04, 0.06))

Tuned = dict[str, list[BandRule]]
"""Rules of one family, of which the best on these paths is taken."""


def rivals() -> Tuned:
    """The yardstick is the first two families: everything back to its target. The others are shown beside."""
    targets = np.array([float(weight) for weight in WEIGHTS])
    edges = [(f"{share:.1%}", np.full(4, share)) for share in ABSOLUTE]
    edges += [(f"{share:.1%} of weight", share * targets) for share in RELATIVE]
    none = np.zeros(4)
    calendar = [BandRule(f"every {days} d", none, none, True, days) for days in CALENDAR]
    calendar += [BandRule(f"every {days} d, {edge:.0%}", np.full(4, edge), none, True, days) for days, edge in BOTH]
    return {
        "threshold, to target": [BandRule(name, edge, none, True) for name, edge in edges],
        "calendar, to target": calendar,
        "one asset, to target": [BandRule(name, edge, none) for name, edge in edges],
        "to the band's edge": [BandRule(name, edge, edge) for name, edge in edges],
        "half-way": [BandRule(name, edge, edge / 2) for name, edge in edges],
    }


YARDSTICK = ("threshold, to target", "calendar, to target")


def ours(setting: Setting) -> PairRule:
    """What the product would do: a band for each pair, from this setting's costs."""
    trigger, destination = np.ones((4, 4)), np.zeros((4, 4))
    for one, other in permutations(range(4), 2):
        region = best_region(spread_of_pair(one, other, WEIGHTS), setting.costs, Fraction(AVERSION))
        trigger[one, other], destination[one, other] = _used(region)
    return PairRule(setting.name, trigger, destination)


def one_by_one(setting: Setting) -> BandRule:
    """The same formula for each asset against all others, to show what pairs are good for."""
    bands = [_used(best_region(spread_of_weight(w), setting.costs, Fraction(AVERSION))) for w in WEIGHTS]
    return BandRule(setting.name, *(np.array(side) for side in zip(*bands, strict=True)))


def _used(region: Region) -> tuple[float, float]:
    trigger, destination = region.rounded()
    return trigger / BPS, destination / BPS


def world(pace: Pace) -> World:
    sigma = np.array(VOLATILITIES)
    alike = np.full((4, 4), CORRELATION) + (1 - CORRELATION) * np.eye(4)
    paths, years, looks = (32, 5.0, 12) if pace.largest > 100 else (4, 1.0, 4)
    return World(np.array([float(w) for w in WEIGHTS]), np.outer(sigma, sigma) * alike, paths, years, looks)


# --- the figures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One policy in one setting: bp a year on every path, and by how much ours is lower on the same path."""

    setting: str
    family: str
    name: str
    total: Array
    lower: Array
    swaps: float
    turnover: float
    error: float
    """{bps} Tracking error."""


def compare(where: World) -> list[Line]:
    """Ours first in every setting, then the yardstick's best, then what is shown beside."""
    families = rivals()
    flat: list[Rule] = [rule for family in families.values() for rule in family]
    kept = keep(where, flat)
    pairs = keep(where, [ours(setting) for setting in SETTINGS])
    singles = keep(where, [one_by_one(setting) for setting in SETTINGS])
    lines: list[Line] = []
    for number, setting in enumerate(SETTINGS):
        mine = total(pairs, setting)[number]
        lines.append(_line(setting, "ours", "bands of pairs", pairs, number, mine))
        lines.append(_line(setting, "asset by asset", "bands of assets", singles, number, mine))
        start = 0
        for family, rules in families.items():
            medians = np.median(total(kept, setting)[start : start + len(rules)], axis=1)
            best = start + int(medians.argmin())
            lines.append(_line(setting, family, flat[best].name, kept, best, mine))
            start += len(rules)
    return lines


def total(kept: Kept, setting: Setting) -> Array:
    """{bps a year} G/2 of the tracking variance, and all costs."""
    costs = setting.costs
    spent = kept.cost(float(costs.fixed), float(costs.proportional), float(costs.impact))
    return BPS * (AVERSION / 2 * kept.variance + spent)


def _line(setting: Setting, family: str, name: str, kept: Kept, at: int, mine: Array) -> Line:
    theirs = total(kept, setting)[at]
    swaps, turnover = float(np.median(kept.swaps[at])), float(np.median(kept.turnover[at]))
    error = BPS * float(np.median(kept.variance[at])) ** 0.5
    return Line(setting.name, family, name, theirs, 1 - mine / theirs, swaps, turnover, error)


def against_yardstick(lines: Sequence[Line]) -> dict[str, Line]:
    """In each setting the best of all that bring everything back to target."""
    found: dict[str, Line] = {}
    for line in lines:
        known = found.get(line.setting)
        if line.family in YARDSTICK and (known is None or np.median(line.total) < np.median(known.total)):
            found[line.setting] = line
    return found


# --- showing ---------------------------------------------------------------------------------------------------------


def report(pace: Pace) -> tuple[Table, dict[str, Any]]:
    where = world(pace)
    lines = compare(where)
    best = against_yardstick(lines)
    shown = Table(title=TITLE, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for heading in ("", "policy", "its best"):
        shown.add_column(heading, no_wrap=heading != "")
    for heading in ("median", "quartiles", "ours less", "quartiles", "swaps", "turnover", "error"):
        shown.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for line in lines:
        if before and line.setting != before:
            shown.add_section()
        is_ours, is_best = line.family == "ours", line is best[line.setting]
        shown.add_row(line.setting if line.setting != before else "", *_cells(line), style="bold" if is_ours else "")
        if is_best:
            shown.rows[-1].style = "bold"
        before = line.setting
    rules = sum(len(rules) for family, rules in rivals().items() if family in YARDSTICK)
    shown.caption = (
        f"{where.paths} paths of {where.years:g} years, {where.looks} looks a day. "
        f"Bold: ours, and the yardstick, the best of {rules} that bring everything back to target."
    )
    return shown, {"title": TITLE, "rows": [_json(line) for line in lines]}


def _cells(line: Line) -> list[str]:
    figures: list[tuple[Array, Callable[[float], str]]] = [(line.total, lambda x: f"{x:.1f}")]
    if line.family != "ours":
        figures.append((line.lower, lambda x: f"{x:.1%}"))
    cells = [line.family, line.name]
    for values, write in figures:
        low, middle, high = (write(float(value)) for value in np.quantile(values, (0.25, 0.5, 0.75)))
        cells += [middle, f"{low} – {high}"]
    cells += ["", ""] * (2 - len(figures))
    return [*cells, f"{line.swaps:.0f}", f"{line.turnover:.0%}", f"{line.error:.0f}"]


def _json(line: Line) -> dict[str, Any]:
    low, middle, high = (float(x) for x in np.quantile(line.total, (0.25, 0.5, 0.75)))
    lower = [float(x) for x in np.quantile(line.lower, (0.25, 0.5, 0.75))]
    return {
        "setting": line.setting,
        "policy": line.family,
        "name": line.name,
        "total_bps": middle,
        "quartiles_bps": [low, high],
        "ours_lower_by": lower,
        "swaps": line.swaps,
        "turnover": line.turnover,
        "tracking_error_bps": line.error,
    }
