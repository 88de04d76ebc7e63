"""`keeper demo`: some simulated days of a live keeper, told as they pass, and summed up at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from keeper.app.demo import World, world
from keeper.app.deployment import Deployment
from keeper.app.facts import transactions_of
from keeper.app.journals import journal_url
from keeper.app.loading import open_config
from keeper.cli.screen import console
from keeper.config import Loaded
from keeper.config.weights import WeightsConfig
from keeper.core.plan import AssetLine
from keeper.cycle import Turn
from keeper.daemon import ChainLoop
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from keeper.journal.totals import read_totals
from keeper.local.paths import DAY, TICK, Moment, price_path
from keeper.report.demo import render_demo
from keeper.report.facts import DemoFacts, DemoVault, Refusal
from keeper.report.format import short
from keeper.telemetry.logs import configure

MOST_STEPS = 12
"""Looks within one moment of the market: wrap, revoke, approve and swap of each vault, and their confirmations."""


def demo(*, days: int, seed: int, out: Path, port: int, keep: bool) -> None:
    began, screen = time.monotonic(), console()
    with world(out, port) as built, _logged(out / "keeper.log"):
        loaded = open_config(built.config)
        _introduce(screen, built, loaded, days)
        with SqlJournal(journal_url(loaded), now=lambda: built.chain.now) as journal:
            (loop,) = Deployment.open(loaded, journal, live=True).loops
            story = Story(screen)
            _live_through(built, loop, story, days, seed, screen)
        _sum_up(loaded, story, built, out, time.monotonic() - began, screen)
        if keep:
            _stay(built, screen)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """The keeper's own log goes to a file: the screen belongs to the story."""
    with path.open("w", encoding="utf-8") as stream:
        undo = configure("info", stream=stream, as_json=True)
        try:
            yield
        finally:
            undo()


def _introduce(screen: Console, built: World, loaded: Loaded, days: int) -> None:
    screen.print(f"{days} days on a chain of its own at {built.chain.url}, chain id {built.chain.chain_id}.")
    for name, vault in loaded.config.vaults.items():
        assert isinstance(vault.strategy, WeightsConfig), "the demo's own configuration"
        weights = " · ".join(f"{symbol} {bps / 100:g} %" for symbol, bps in vault.strategy.weights.items())
        band = f"out at {vault.strategy.trigger}, back to {vault.strategy.destination}"
        screen.print(f"  {name:<9} {short(loaded.config.account_of(name))}  {weights}   {band}")
    screen.print(f"In a second terminal: keeper status {built.config} · keeper plan {built.config}\n", soft_wrap=True)


def _live_through(built: World, loop: ChainLoop, story: Story, days: int, seed: int, screen: Console) -> None:
    start, total = built.chain.now + TICK, days * DAY // TICK
    columns = (TextColumn("{task.description:<46}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task("", total=total)
        for moment in price_path(seed, days):
            progress.update(task, description=f"{_when(moment.at)}  {moment.note}")
            built.chain.set_next_time(max(start + moment.at, built.chain.now + 1))
            built.market.move(moment)
            for _ in range(MOST_STEPS):
                for turn in loop.tick():
                    story.heard(moment, turn)
                if not loop.is_awaiting:
                    break
                built.chain.mine()
            progress.advance(task)


def _when(at: int) -> str:
    return f"day {at // DAY + 1} {at % DAY // 3600:02d}:{at % 3600 // 60:02d}"


class Story:
    """Tells what changes, once, and remembers how far each vault drifted."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._told: dict[str, tuple[str, str]] = {}
        self.first: dict[str, AssetLine] = {}
        self.worst: dict[str, AssetLine] = {}
        self.last: dict[str, AssetLine] = {}
        """The asset that is nearest to its trigger, or furthest beyond: at first, at worst, at last."""
        self.cycles = 0

    def heard(self, moment: Moment, turn: Turn) -> None:
        record, vault = turn.record, turn.record.vault
        self.cycles += 1
        if assets := turn.decision.plan.assets:
            widest = max(assets, key=_stretch)
            self.first.setdefault(vault, widest)
            self.worst[vault] = max(self.worst.get(vault, widest), widest, key=_stretch)
            self.last[vault] = widest
        said = (record.kind, record.code)
        if record.kind == "wait" or (self._told.get(vault) == said and turn.intent is None):
            return
        self._told[vault] = said
        word, style = _WORDS.get(record.kind, (record.kind, ""))
        text = turn.intent.call.text if turn.intent else record.reason
        line = Text(f"{_when(moment.at)}  {vault:<9} ").append(f"{word:<9}", style=style).append(f" {text}")
        if self._screen.is_terminal:
            self._screen.print(line, overflow="ellipsis", no_wrap=True)
        else:
            self._screen.print(line, soft_wrap=True)


def _stretch(asset: AssetLine) -> Fraction:
    """1 is at the trigger."""
    return abs(asset.drift) / asset.trigger


_WORDS = {
    "hold": ("HOLD", "dim"),
    "denied": ("DENIED", "yellow"),
    "unusable": ("UNUSABLE", "yellow"),
    "intended": ("SEND", "green"),
}


def _sum_up(loaded: Loaded, story: Story, built: World, out: Path, seconds: float, screen: Console) -> None:
    with JournalReader(journal_url(loaded)) as reader:
        totals = read_totals(reader)
        vaults = tuple(_vault(reader, story, name) for name in loaded.config.vaults)
        facts = DemoFacts(
            vaults=vaults,
            refusals=tuple(Refusal(r.vault, r.guard, r.reason, r.count) for r in totals.refusals),
            cycles=story.cycles,
            chain_seconds=built.chain.now - built.born,
            seconds=int(seconds),
            journal=str(out / "demo.db"),
            next_commands=_commands(built.config, reader),
        )
    screen.print()
    render_demo(facts).show(screen)


def _vault(reader: JournalReader, story: Story, name: str) -> DemoVault:
    samples = reader.samples(name)
    return DemoVault(
        name=name,
        trigger_bps=story.last[name].trigger,
        worst_bps=abs(story.worst[name].drift),
        after_bps=abs(story.last[name].drift),
        before_bps=abs(story.first[name].drift),
        value=samples[-1].value if samples else None,
        transactions=transactions_of(reader.transactions(name)),
    )


def _commands(config: Path, reader: JournalReader) -> tuple[str, ...]:
    """What to look at next: everything, a refusal, a trade."""
    denied = next((row.number for row in reader.cycles(kinds=["denied"], limit=1)), None)
    traded = next((entry.intent.cycle for entry in reversed(reader.trades())), None)
    cycles = [f"keeper explain {number} -c {config}" for number in (denied, traded) if number is not None]
    return (f"keeper status {config}", *cycles, f"keeper txs {config}", f"keeper history {config}")


def _stay(built: World, screen: Console) -> None:
    screen.print(f"\nThe chain stays up at {built.chain.url}; Ctrl-C ends it.")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        return
