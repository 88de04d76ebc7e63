"""`keeper rehearse`: the configured vaults through bad days, on a chain inside this process, and a card of each."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from keeper.app.loading import open_config
from keeper.cli.screen import console, print_json
from keeper.config import Loaded, units
from keeper.core.errors import ConfigError
from keeper.rehearsal.days import Day
from keeper.rehearsal.run import DAYS
from keeper.rehearsal.run import rehearse as run
from keeper.rehearsal.weaknesses import refused
from keeper.report.rehearsal import Rehearsal, rehearsal_record, render_rehearsal
from keeper.telemetry.logs import configure


def rehearse(
    path: Path, vault: str | None, days: Sequence[str], value: str | None, depth: str | None, *, json: bool
) -> None:
    """Exit 1 where a day was lost; 2 where the configuration is refused."""
    chosen, worth, deep = _days(days), _usd("--value", value), _usd("--depth", depth)
    try:
        loaded = open_config(path, need_env=False)
    except ConfigError as error:
        if not json and (weak := refused(error)) is not None:
            console().print(f"weak   {weak}", soft_wrap=True, markup=False)
            sys.exit(error.exit_code)
        raise
    vaults, skipped = _vaults(loaded, vault)
    cards = []
    for name in vaults:
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder, _quiet(Path(folder)):
            cards.append(_card(loaded, name, Path(folder), chosen, worth, deep))
        if not json:
            render_rehearsal(cards[-1]).show(console())
            console().print()
    if json:
        print_json({"rehearsals": [rehearsal_record(card) for card in cards], "skipped": skipped})
    else:
        for line in skipped:
            console().print(f"not rehearsed: {line}", markup=False)
    if any(card.lost for card in cards):
        sys.exit(1)


def _card(
    loaded: Loaded, vault: str, folder: Path, days: Sequence[Day], value: Fraction | None, depth: Fraction | None
) -> Rehearsal:
    screen = console()
    columns = (SpinnerColumn(), TextColumn("{task.description:<48}"), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("")

        def tell(title: str) -> None:
            progress.update(task, description=f"{vault}: {title}")

        return run(loaded, vault, folder, days=days, value=value, depth=depth, progress=tell)


def _vaults(loaded: Loaded, vault: str | None) -> tuple[list[str], list[str]]:
    """Those that can be rehearsed, and a line for each of the others."""
    if vault is not None and vault not in loaded.config.vaults:
        raise ConfigError("command", "--vault", f"one of {', '.join(loaded.config.vaults)}", vault)
    wanted = [vault] if vault else list(loaded.config.kept)
    fit = [name for name in wanted if name in loaded.config.vaults and not loaded.config.vaults[name].is_shadow]
    left = [f"{name}: {'an upkeep' if name in loaded.config.upkeeps else 'a shadow'}" for name in wanted]
    return fit, [line for name, line in zip(wanted, left, strict=True) if name not in fit]


def _days(names: Sequence[str]) -> Sequence[Day]:
    known = {day.name: day for day in DAYS}
    for name in names:
        if name not in known:
            raise ConfigError("command", "--day", f"one of {', '.join(known)}", name)
    return [known[name] for name in names] or DAYS


def _usd(option: str, told: str | None) -> Fraction | None:
    if told is None:
        return None
    try:
        found = units.usd(told).whole
    except ValueError:
        found = Fraction(0)
    if not found:
        raise ConfigError("command", option, "an amount above 0 such as 2000000 USD", told)
    return found


@contextmanager
def _quiet(folder: Path) -> Iterator[None]:
    """What a keeper says on a bad day is for its log; the card says what came of it."""
    with (folder / "keeper.log").open("w", encoding="utf-8") as stream:
        undo = configure("info", stream=stream, as_json=True)
        try:
            yield
        finally:
            undo()
