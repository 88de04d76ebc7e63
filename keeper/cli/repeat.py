"""`keeper replay`: recorded decisions made again, and which of them come out otherwise."""

from __future__ import annotations

import sys
from pathlib import Path

from keeper.app.facts import moment
from keeper.app.journals import journal_url
from keeper.app.loading import open_config
from keeper.app.replaying import Repeated
from keeper.app.replaying import replay as repeat
from keeper.cli.screen import console, print_json
from keeper.config import Loaded
from keeper.core.errors import ConfigError
from keeper.journal.reader import CycleRow, JournalReader
from keeper.report.replay import render_replay


def replay(path: Path, cycle: int | None, vault: str | None, since: str | None, *, json: bool) -> None:
    """Exit 1 where the configuration is the one of then and a decision differs all the same."""
    loaded = open_config(path, need_env=False)
    if vault is not None and vault not in loaded.config.kept:
        raise ConfigError("command", "--vault", f"one of {', '.join(loaded.config.kept)}", vault)
    with JournalReader(journal_url(loaded)) as reader:
        found = list(repeat(loaded, reader, _rows(reader, cycle, vault, since)))
    differing = [each for each in found if not each.is_same]
    if json:
        print_json({"repeated": len(found), "differing": [_record(each) for each in differing]})
    else:
        rows = [(each.row.number, each.row.vault, each.at, each.recorded, each.again) for each in differing]
        render_replay(len(found), rows, is_other=_is_other(loaded, found)).show(console())
    if any(each.row.config_hash == loaded.hash for each in differing):
        sys.exit(1)


def _rows(reader: JournalReader, cycle: int | None, vault: str | None, since: str | None) -> list[CycleRow]:
    if cycle is None:
        return reader.cycles(vault, limit=None, since=moment(since, "--since") if since else None)[::-1]
    row = reader.cycle(cycle)
    if row is None:
        latest = reader.latest_cycle()
        raise ConfigError("journal", "cycle", f"a cycle up to {latest.number}" if latest else "a cycle", str(cycle))
    return [row]


def _is_other(loaded: Loaded, found: list[Repeated]) -> bool:
    return any(each.row.config_hash != loaded.hash for each in found)


def _record(each: Repeated) -> dict[str, object]:
    where = {"cycle": each.row.number, "vault": each.row.vault, "at": each.at}
    return {**where, "recorded": each.recorded, "again": each.again}
