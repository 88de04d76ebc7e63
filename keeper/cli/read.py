"""What the journal says: status, explain, history, health. These run while the daemon runs, and change nothing."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path

from rich.live import Live

from keeper.app.facts import beats_of, cycle_facts, moment, now_of, transactions_of, vault_facts
from keeper.app.journals import has_journal, journal_url
from keeper.app.loading import open_config
from keeper.cli.screen import console, print_json
from keeper.config import Loaded
from keeper.core.errors import ConfigError
from keeper.journal.reader import CycleRow, JournalReader
from keeper.report.explain import render_explain
from keeper.report.facts import VaultFacts
from keeper.report.halts import Standing, render_halts
from keeper.report.history import history_csv, history_rows, render_history
from keeper.report.page import Page
from keeper.report.status import render_status, status_record
from keeper.telemetry.health import health as judge_health

REFRESH = 2.0
"""{s} Between two looks of `status --watch`."""


def status(path: Path, *, watch: bool, json: bool) -> None:
    loaded = open_config(path, need_env=False)
    if json:
        print_json(status_record(_vaults(loaded), now=int(time.time())))
        return
    if not watch:
        _page(loaded).show(console())
        return
    with Live(_page(loaded), console=console(), auto_refresh=False, screen=False) as live:
        try:
            while True:
                time.sleep(REFRESH)
                live.update(_page(loaded), refresh=True)
        except KeyboardInterrupt:
            return


def _page(loaded: Loaded) -> Page:
    return render_status(_vaults(loaded), now=_now(loaded))


def _vaults(loaded: Loaded) -> list[VaultFacts]:
    """Without a journal yet, the vaults as configured."""
    names = list(loaded.config.kept)
    if not has_journal(loaded):
        return [vault_facts(loaded, None, name) for name in names]
    with JournalReader(journal_url(loaded)) as reader:
        return [vault_facts(loaded, reader, name) for name in names]


def _now(loaded: Loaded) -> int:
    if not has_journal(loaded):
        return int(time.time())
    with JournalReader(journal_url(loaded)) as reader:
        return now_of(loaded, reader)


def explain(path: Path, number: int | None, vault: str | None, *, all_guards: bool, json: bool) -> None:
    loaded = open_config(path, need_env=False)
    if vault is not None and vault not in loaded.config.kept:
        raise ConfigError("command", "--vault", f"one of {', '.join(loaded.config.kept)}", vault)
    with JournalReader(journal_url(loaded)) as reader:
        row = _cycle(reader, number, vault)
        if json:
            print_json(_cycle_record(row))
            return
        render_explain(cycle_facts(loaded, reader, row), show_all=all_guards).show(console())


def _cycle(reader: JournalReader, number: int | None, vault: str | None) -> CycleRow:
    row = reader.latest_cycle(vault) if number is None else reader.cycle(number)
    if row is None:
        latest = reader.latest_cycle(vault)
        expected = f"a cycle up to {latest.number}" if latest else "a cycle"
        raise ConfigError("journal", "cycle", expected, "none yet" if number is None else str(number))
    return row


def _cycle_record(row: CycleRow) -> dict[str, object]:
    fields = asdict(row)
    for packed in ("inputs", "first_inputs", "first_decision"):
        del fields[packed]
    return fields


def history(path: Path, vault: str | None, start: str | None, end: str | None, *, csv: bool, json: bool) -> None:
    loaded = open_config(path, need_env=False)
    since = moment(start, "--from") if start else None
    until = moment(end, "--to") if end else None
    with JournalReader(journal_url(loaded)) as reader:
        found = transactions_of(reader.transactions(vault, since=since, until=until))
    if json:
        print_json(history_rows(found))
    elif csv:
        sys.stdout.write(history_csv(found))
    else:
        render_history(found).show(console())


def halts(path: Path) -> None:
    """What stands, breakers on trial too."""
    loaded = open_config(path, need_env=False)
    with JournalReader(journal_url(loaded)) as reader:
        tried = {(vault, latch.at) for vault in reader.vaults() for latch in reader.latches(vault) if latch.trying_at}
        standing = [Standing(h.number, h.scope, h.at, h.reason, (h.scope, h.at) in tried) for h in reader.halts()]
    render_halts(standing, "" if str(path) == "keeper.yaml" else str(path)).show(console())


def health(path: Path) -> None:
    loaded = open_config(path, need_env=False)
    with JournalReader(journal_url(loaded)) as reader:
        is_well, text = judge_health(beats_of(loaded, reader), _now(loaded))
    sys.stdout.write(f"{text}\n")
    if not is_well:
        sys.exit(1)
