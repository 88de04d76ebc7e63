"""`keeper backtest` and `keeper advise`: the configuration over past or made-up prices."""

from __future__ import annotations

import csv as table
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from keeper.app.advising import choices, from_samples
from keeper.app.backtesting import Stage, backtest, dollars_of, make_stage, pick_vault
from keeper.app.journals import has_journal, journal_url
from keeper.app.loading import open_config
from keeper.backtest.engine import Tell
from keeper.backtest.market import Terms
from keeper.backtest.parquet import read_parquet
from keeper.backtest.policies import Policy
from keeper.backtest.prices import Prices, read_csv
from keeper.backtest.synthetic import draw, parse
from keeper.cli.screen import console, print_json
from keeper.config import Loaded, units
from keeper.core.backtests import Backtest
from keeper.core.errors import ConfigError
from keeper.core.units import USD, WHOLE_BPS, TokenAmount
from keeper.journal.reader import JournalReader
from keeper.report import backtest as words
from keeper.report import backtest_plots as plots

STARTS = {"WETH": 3_000.0, "ETH": 3_000.0, "WBTC": 60_000.0}
"""{USD} Where made-up prices begin; what is not named begins at 100. Only ratios matter."""

LEAST = TokenAmount.from_whole(USD, 100)
"""Below this, integers of tokens with few decimals are too coarse for weights."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What both commands are told, as it was written."""

    vault: str | None
    prices: Path | None
    synthetic: str | None
    value: str
    depth: str
    fee: str
    gas: str
    max_gap: str | None


def run_backtest(
    path: Path, wish: Wish, *, calendar: str, html: Path | None, png: Path | None, csv: Path | None, json: bool
) -> None:
    days = _told("--calendar", units.duration, calendar) // 86_400
    if days < 1:
        raise ConfigError("command", "--calendar", "a duration of at least 1d", calendar)
    for option, wanted in (("--html", html), ("--png", png)):
        if wanted is not None:
            plots.need_plots(option)
    loaded = open_config(path, need_env=False)
    stage = _stage(loaded, wish)
    prices = _prices(loaded, stage, wish)
    if prices is None:
        raise ConfigError("command", "backtest", "--prices FILE or --synthetic TEXT", "neither")
    found = _ride(stage, prices, [stage.own, *stage.comparisons(days)])
    _save(found, html, png, csv)
    if json:
        print_json(words.record(found))
    else:
        words.render_backtest(found).show(console())


def run_advise(path: Path, wish: Wish, *, json: bool) -> None:
    loaded = open_config(path, need_env=False)
    stage = _stage(loaded, wish)
    prices = _prices(loaded, stage, wish)
    if prices is None:
        prices, stage = _journal(loaded, stage)
    found = _ride(stage, prices, choices(stage))
    if json:
        best = words.rank(found.rides)[0]
        print_json({**words.record(found), "best": best.policy, "settings": best.said})
    else:
        words.render_advice(found).show(console())


# --- what is ridden ---------------------------------------------------------------------------------------------------


def _stage(loaded: Loaded, wish: Wish) -> Stage:
    terms = Terms(
        depth=_told("--depth", units.usd, wish.depth),
        fee=Fraction(_told("--fee", units.bps, wish.fee), WHOLE_BPS),
        gas=_told("--gas", units.usd, wish.gas),
    )
    value = _told("--value", units.usd, wish.value)
    for option, amount, written in (("--depth", terms.depth, wish.depth), ("--value", value, wish.value)):
        if amount < LEAST:
            raise ConfigError("command", option, f"at least {units.plain(LEAST.whole)} USD", written)
    if terms.fee >= 1:
        raise ConfigError("command", "--fee", "less than 100%", wish.fee)
    return make_stage(loaded, pick_vault(loaded.config, wish.vault), terms, value)


def _prices(loaded: Loaded, stage: Stage, wish: Wish) -> Prices | None:
    if wish.prices is not None and wish.synthetic is not None:
        raise ConfigError("command", "--prices", "either this or --synthetic", "both")
    if wish.synthetic is not None:
        return draw(parse(wish.synthetic), stage.symbols, dollars_of(loaded.config, stage.name), STARTS)
    if wish.prices is None:
        return None
    gap = None if wish.max_gap is None else _told("--max-gap", units.duration, wish.max_gap)
    read = read_parquet if wish.prices.suffix == ".parquet" else read_csv
    return read(wish.prices, stage.symbols, gap)


def _journal(loaded: Loaded, stage: Stage) -> tuple[Prices, Stage]:
    if not has_journal(loaded):
        raise ConfigError("command", "advise", "a journal with samples, or --prices or --synthetic", "none of them")
    with JournalReader(journal_url(loaded)) as reader:
        prices, value = from_samples(reader, stage)
    return prices, make_stage(loaded, stage.name, stage.scene.terms, value)


def _told(option: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise ConfigError("command", option, str(error), text) from None


# --- progress and files -----------------------------------------------------------------------------------------------


def _ride(stage: Stage, prices: Prices, policies: Sequence[Policy]) -> Backtest:
    with _bars(len(prices.rows) * len(policies)) as tell:
        return backtest(stage, prices, policies, tell)


@contextmanager
def _bars(total: int) -> Iterator[Callable[[str], Tell]]:
    """One bar over all policies, on the terminal's error stream; nothing in a pipe."""
    screen = Console(stderr=True)
    shown = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*shown, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("", total=total)

        def tell(policy: str) -> Tell:
            progress.update(task, description=policy)
            return lambda steps: progress.advance(task, steps)

        yield tell


def _save(found: Backtest, html: Path | None, png: Path | None, csv: Path | None) -> None:
    if html is not None:
        plots.save(found, html, "--html")
    if png is not None:
        plots.save(found, png, "--png")
    if csv is None:
        return
    rows = words.fill_rows(found.own.fills)
    try:
        with csv.open("w", newline="") as file:
            writer = table.DictWriter(file, words.FILL_COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise ConfigError("command", "--csv", "a file that can be written", f"{csv}: {error.strerror}") from None
