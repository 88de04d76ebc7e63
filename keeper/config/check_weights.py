"""What single values of a strategy of weights cannot tell: whether they fit one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain as joined

from keeper.config.auto_bands import AutoBandsConfig
from keeper.config.faults import Fault, twice
from keeper.config.paths import Path
from keeper.config.schedules import ScheduleConfig
from keeper.config.units import duration_text
from keeper.config.vaults import VaultConfig
from keeper.config.weights import WeightsConfig


def weights(vault: VaultConfig, place: Path) -> Iterator[Fault]:
    """Nothing of a vault that is kept at something else."""
    strategy, path = vault.strategy, (*place, "strategy")
    if not isinstance(strategy, WeightsConfig):
        return
    yield from joined(
        _one_way_to_act(strategy, path),
        _edges(strategy, path),
        _known(strategy, path),
        _rules(strategy, path),
        _calendar(strategy, path, vault.schedule),
    )
    if strategy.band is not None:
        yield from _budget(strategy.band, strategy, (*path, "band"))


def _one_way_to_act(strategy: WeightsConfig, path: Path) -> Iterator[Fault]:
    if strategy.band is not None:
        fixed = [key for key in ("trigger", "destination", "bands") if getattr(strategy, key)]
        if fixed:
            yield Fault((*path, fixed[0]), "nothing beside `band`, which works it out", "both")
    elif strategy.trigger is None and strategy.calendar is None:
        yield Fault((*path, "trigger"), "a trigger such as 4pp, or `band: auto`, or a calendar", "nothing")
    elif strategy.trigger is not None and strategy.destination is None:
        yield Fault((*path, "destination"), "a destination such as 2pp, target, half or edge", "nothing")
    elif strategy.trigger is None and strategy.destination in ("edge", "half"):
        yield Fault(
            (*path, "destination"), "a band or target: without a trigger there is no edge", strategy.destination
        )


def _edges(strategy: WeightsConfig, path: Path) -> Iterator[Fault]:
    """0 <= destination <= trigger, for every asset at its own weight (MATH: no-trade region)."""
    for symbol, target in strategy.weights.items():
        trigger, destination = strategy.bands_of(symbol)
        if destination.at(target) > trigger.at(target):
            own = ("bands", symbol) if symbol in strategy.bands else ()
            yield Fault((*path, *own, "destination"), f"at most the trigger ({trigger})", str(destination))


def _known(strategy: WeightsConfig, path: Path) -> Iterator[Fault]:
    """Every token that is named somewhere has a weight."""
    named: list[tuple[str, Iterable[tuple[str | int, str]]]] = [
        ("bands", ((symbol, symbol) for symbol in strategy.bands)),
        ("locked", enumerate(strategy.locked)),
        ("cash", enumerate(strategy.cash)),
        ("priorities", ((symbol, symbol) for symbol in strategy.priorities)),
        ("reserve", ((index, amount.symbol) for index, amount in enumerate(strategy.reserve))),
    ]
    for key, symbols in named:
        for where, symbol in symbols:
            if symbol not in strategy.weights:
                found = "another token" if where == symbol else symbol
                yield Fault((*path, key, where), f"one of {', '.join(strategy.weights)}", found)


def _rules(strategy: WeightsConfig, path: Path) -> Iterator[Fault]:
    for index, symbol in enumerate(strategy.locked):
        here = (*path, "locked", index)
        if symbol in strategy.cash:
            yield Fault(here, "a token that is not cash as well: cash is what others are paid with", symbol)
        if strategy.weights.get(symbol) == 0:
            yield Fault(here, "a token with a weight: one of 0% that is never sold cannot reach it", symbol)
    if set(strategy.weights) <= set(strategy.locked):
        yield Fault((*path, "locked"), "at least one token that may be sold", "all of them")
    places = (((*path, "reserve", i), amount.symbol, f"reserve[{i}]") for i, amount in enumerate(strategy.reserve))
    yield from twice(places, "each token once")


def _calendar(strategy: WeightsConfig, path: Path, schedule: ScheduleConfig) -> Iterator[Fault]:
    dates, look = strategy.calendar, schedule.look
    if dates is None:
        return
    if dates.cron is None and dates.every is None:
        yield Fault((*path, "calendar"), "either every or cron", "neither")
    if isinstance(look, int) and look > dates.within:
        found = duration_text(dates.within)
        yield Fault((*path, "calendar", "within"), f"at least schedule.every ({duration_text(look)})", found)
    if dates.every is not None and dates.jitter >= dates.every:
        most = duration_text(dates.every)
        yield Fault((*path, "calendar", "jitter"), f"less than every ({most})", duration_text(dates.jitter))


def _budget(band: AutoBandsConfig, strategy: WeightsConfig, path: Path) -> Iterator[Fault]:
    for symbol in band.volatility:
        if symbol not in strategy.weights:
            yield Fault((*path, "volatility", symbol), f"one of {', '.join(strategy.weights)}", "another token")
    missing = [symbol for symbol in strategy.weights if symbol not in band.volatility]
    key = "cost" if band.cost is not None else "tracking_error" if band.tracking_error is not None else ""
    if missing and (key or band.volatility):
        why = f"{key} is counted with it" if key else "a forecast needs all or none"
        yield Fault((*path, "volatility"), f"the volatility of every token: {why}", f"none of {', '.join(missing)}")
