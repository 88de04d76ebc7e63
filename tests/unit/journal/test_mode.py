"""Who may read a journal."""

from __future__ import annotations

import stat
from pathlib import Path

from keeper.journal.sql import SqlJournal


def test_journal__begun__then_only_its_owner_may_read_it_and_its_log(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"
    with SqlJournal(f"sqlite:///{path}") as journal:
        journal.halt("treasury", "to have something written", 1)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("keeper.db*")}
    assert set(modes) >= {"keeper.db", "keeper.db-wal"}
    assert set(modes.values()) == {0o600}
