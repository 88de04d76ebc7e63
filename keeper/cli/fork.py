"""`keeper fork`: the live keeper on a copy of its own chain, told as it happens, and what it cost at the end."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keeper.app.facts import transactions_of
from keeper.app.forking import FILE, Fork, open_fork
from keeper.app.loading import open_config
from keeper.cli.screen import console
from keeper.config.units import duration
from keeper.core.errors import ConfigError
from keeper.cycle import Turn
from keeper.journal.reader import JournalReader
from keeper.report.fork import render_fork
from keeper.telemetry.logs import configure

LONGEST = 30 * 86_400
"""{s} Of `--for`."""
_MOVE = re.compile(r"(\S+)\s+([+-]?\d{1,3}(?:\.\d{1,4})?)\s*%")
_WORDS = {
    "hold": ("HOLD", "dim"),
    "denied": ("DENIED", "yellow"),
    "unusable": ("UNUSABLE", "yellow"),
    "intended": ("SEND", "green"),
    "proposed": ("PROPOSE", "green"),
}


def fork(
    path: Path, *, block: int | None, span: str, vault: str | None, moves: Sequence[str], keep: bool, out: Path | None
) -> None:
    """Exit codes as everywhere; a guard's refusal is what the fork was asked to show, and no error."""
    seconds, factors = _seconds(span), _factors(moves)
    loaded = open_config(path)
    folder = out or path.resolve().parent / f"{path.stem}-fork"
    screen = console()
    undo = configure("error")
    try:
        with open_fork(loaded, folder, vault=vault, block=block, symbols=factors) as forked:
            _introduce(screen, forked)
            _move(screen, forked, factors)
            story = Story(screen, forked)
            for turn in forked.live_through(seconds):
                story.heard(turn)
            story.hush()
            _sum_up(screen, folder / FILE, seconds)
            if keep:
                _stay(screen, forked)
    finally:
        undo()


def _seconds(text: str) -> int:
    expected = "a duration such as 30m or 2h, up to 30d"
    try:
        found = duration(text)
    except ValueError:
        raise ConfigError("command", "--for", expected, text) from None
    if found > LONGEST:
        raise ConfigError("command", "--for", expected, text)
    return found


def _factors(moves: Sequence[str]) -> dict[str, Fraction]:
    """`WETH -8%` makes WETH worth 92/100 of what it was."""
    factors: dict[str, Fraction] = {}
    for move in moves:
        found = _MOVE.fullmatch(move.strip())
        percent = Fraction(found[2]) if found else Fraction(0)
        if found is None or not -95 <= percent <= 900 or not percent:
            raise ConfigError("command", "--move", "a token and a change such as 'WETH -8%'", move)
        factors[found[1]] = 1 + percent / 100
    return factors


def _introduce(screen: Console, forked: Fork) -> None:
    config, chain = forked.loaded.config, forked.chain
    screen.print(
        f"A fork of {chain.name} ({chain.config.chain_id}) after block {forked.block:,}, {_when(forked.now())} UTC. "
        "Nothing that happens here reaches the chain.",
        soft_wrap=True,
    )
    for name in chain.vaults:
        screen.print(
            f"  {name}: {config.account_of(name)}, sent for by {config.signing_for(name)} without its key",
            soft_wrap=True,
        )


def _move(screen: Console, forked: Fork, factors: Mapping[str, Fraction]) -> None:
    """Says plainly what was done to the market."""
    for pool, ratio in forked.move(factors):
        first, second = (token.symbol for token in pool.tokens)
        inverse = first not in factors
        pair, change = (f"{second} in {first}", 1 / ratio) if inverse else (f"{first} in {second}", ratio)
        said = f"  moved  {pool.label}: {pair} {_percent(change)}, by a trade in the pool"
        screen.print(said, soft_wrap=True)
    feeds = forked.hold_feeds(factors)
    if feeds:
        how = " · ".join(f"{symbol} {_percent(factor)}" for symbol, factor in factors.items())
        what = f"say {how}" if how else "say what they said at that block"
        screen.print(f"  feeds  {len(feeds)} overridden: they {what}, and do not age", soft_wrap=True)
    screen.print()


def _percent(ratio: Fraction) -> str:
    return f"{float((ratio - 1) * 100):+.2f} %"


def _when(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


class Story:
    """One line for each change of a vault's mind, and for everything that people would be told."""

    def __init__(self, screen: Console, forked: Fork) -> None:
        self._screen, self._forked = screen, forked
        self._told: dict[str, tuple[str, str]] = {}
        self._alerts = 0

    def heard(self, turn: Turn) -> None:
        self.hush()
        record = turn.record
        said = (record.kind, record.code)
        if record.kind == "wait" and record.code == "live":
            return
        if self._told.get(record.vault) == said and turn.intent is None:
            return
        self._told[record.vault] = said
        word, style = _WORDS.get(record.kind, (record.kind.upper(), ""))
        text = turn.intent.call.text if turn.intent else record.reason
        line = Text(f"{_when(record.at)}  {record.vault}  ").append(word, style=style).append(f"  {text}")
        self._screen.print(line, soft_wrap=True)

    def hush(self) -> None:
        """Says what alerts are new."""
        for text in self._forked.voice.said[self._alerts :]:
            self._screen.print(Text(f"{'alert':<21}").append(text, style="yellow"), soft_wrap=True)
        self._alerts = len(self._forked.voice.said)


def _sum_up(screen: Console, journal: Path, seconds: int) -> None:
    with JournalReader(f"sqlite:///{journal.resolve()}") as reader:
        found = transactions_of(reader.transactions())
    screen.print()
    render_fork(found, seconds=seconds, journal=str(journal)).show(screen)


def _stay(screen: Console, forked: Fork) -> None:
    screen.print(
        f"\nThe fork stays up at {forked.node.url} (chain id {forked.node.chain_id}); Ctrl-C ends it, or: "
        f"kill {forked.node.pid}",
        soft_wrap=True,
    )
    try:
        while forked.is_up():
            threading.Event().wait(0.5)
    except KeyboardInterrupt:
        return
