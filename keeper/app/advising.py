"""Which bands a vault could have, each with what it would have cost on the same prices."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.app.backtesting import Stage
from keeper.backtest.policies import Policy, plain
from keeper.backtest.prices import Prices
from keeper.core.errors import ConfigError
from keeper.core.units import TokenAmount
from keeper.journal.reader import JournalReader
from keeper.strategies.auto_bands import AutoBands
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights

TRIGGERS = (100, 200, 300, 400, 600, 900)
"""{bps}"""
SHARES = (1_000, 2_000)
"""{bps} Of each asset's own target."""
ENOUGH = 168
"""Samples of the journal, one an hour at most: less than a week says nothing."""


def choices(stage: Stage) -> list[Policy]:
    """The configuration as it is, then what could stand in its place; all with the vault's guards."""
    found = [stage.own, _choice(stage, "from costs", "band: auto", AutoBands())]
    for bps in TRIGGERS:
        half = Bands(Band(bps), Band(bps // 2))
        found.append(_choice(stage, f"{_pp(bps)}, half-way", f"trigger: {_pp(bps)}, destination: half", half))
    for bps in SHARES:
        share = Bands(Band(bps, True), Band(bps // 2, True))
        words = f"trigger: {bps // 100}% of weight, destination: half"
        found.append(_choice(stage, f"{bps // 100}% of weight", words, share))
    mine = stage.weights
    return [each for each in found if each is stage.own or not _is_same(each.weights, mine)]


def _is_same(one: Weights | None, own: Weights) -> bool:
    """Already what the configuration says."""
    return one is not None and (one.bands, one.calendar) == (own.bands, own.calendar)


def _choice(stage: Stage, name: str, said: str, bands: Bands | AutoBands) -> Policy:
    weights = replace(plain(stage.weights, bands, stage.least), rules=stage.weights.rules)
    return Policy(name, said, weights, weights, stage.least, guarded=True)


def _pp(bps: int) -> str:
    return f"{bps // 100}pp"


def from_samples(reader: JournalReader, stage: Stage) -> tuple[Prices, TokenAmount]:
    """Prices as the vault itself noted them, and what it is worth now. Holes where nobody looked stay holes.

    Raises ConfigError where there are too few.
    """
    times: list[int] = []
    rows: list[tuple[float, ...]] = []
    value = stage.scene.value
    for sample in reader.samples(stage.name):
        noted = {token.symbol: float(Fraction(price)) for token, price in sample.prices.items()}
        if all(noted.get(symbol, 0) > 0 for symbol in stage.symbols) and (not times or sample.at > times[-1]):
            times.append(sample.at)
            rows.append(tuple(noted[symbol] for symbol in stage.symbols))
            value = sample.value
    if len(rows) < ENOUGH:
        expected = f"at least {ENOUGH} samples, or --prices or --synthetic"
        raise ConfigError("journal", f"samples of {stage.name}", expected, str(len(rows)))
    return Prices(stage.symbols, times, rows, "samples of the journal"), value
