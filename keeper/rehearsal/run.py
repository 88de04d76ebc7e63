"""All days of one vault, one after the other, each from the same block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from time import monotonic

from keeper.config import Loaded
from keeper.core import text
from keeper.core.errors import KeeperError
from keeper.rehearsal.broken_days import BREAKS
from keeper.rehearsal.building import built
from keeper.rehearsal.days import MARKETS, Day
from keeper.rehearsal.stage import Base, Stage
from keeper.rehearsal.weaknesses import weaknesses
from keeper.report.rehearsal import DayFacts, Rehearsal

DAYS: tuple[Day, ...] = (*MARKETS, *BREAKS)


def rehearse(
    loaded: Loaded,
    vault: str,
    folder: Path,
    *,
    days: Sequence[Day] = DAYS,
    value: Fraction | None = None,
    depth: Fraction | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Rehearsal:
    """`value` and `depth` are USD; `folder` must be empty; `progress` hears each day's title before it begins.

    Raises ConfigError where the vault cannot be rebuilt, KeyError where there is none of this name.
    """
    began = monotonic()
    progress("building")
    with built(loaded, vault, folder / "base", depth=depth, value=value) as base:
        facts = []
        for day in days:
            progress(day.title)
            facts.append(_live(day, base, folder / day.name))
        shape = base.world.shape
    return Rehearsal(
        vault=vault,
        value=shape.value,
        depth=shape.depth,
        days=facts,
        weaknesses=tuple(weaknesses(loaded.config, vault)),
        notes=shape.notes,
        seconds=round(monotonic() - began),
    )


def _live(day: Day, base: Base, folder: Path) -> DayFacts:
    try:
        stage = Stage.begin(base, folder)
    except KeeperError as error:
        return DayFacts(day.name, day.title, False, "did not start", str(error))
    try:
        verdict = day.play(stage)
        return DayFacts(day.name, day.title, verdict.right, _did(stage), verdict.why, stage.lost(), stage.gas())
    except KeeperError as error:
        return DayFacts(day.name, day.title, False, "broke off", str(error))
    finally:
        stage.end()


def _did(stage: Stage) -> str:
    """In a few words: what stopped it, and what it traded."""
    said = [f"{each.kind} ({each.code})" for each in stage.refusals() if each.code != "halted"][:1]
    if stage.halts:
        said.append("halted")
    if swaps := stage.swaps:
        times = f" in {len(swaps)} trades" if len(swaps) > 1 else ""
        said.append(f"traded {text.decimal(stage.traded(), 0)} USD{times}")
    return ", ".join(said) or "waited"
