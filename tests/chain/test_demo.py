"""`keeper demo`, as a newcomer runs it: no node, no key, no npm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from keeper.journal.reader import JournalReader


def test_demo__as_it_comes__trades_refuses_and_ends_with_every_vault_in_its_band(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    command = [sys.executable, "-m", "keeper", "demo", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    with JournalReader(f"sqlite:///{out / 'demo.db'}") as reader:
        trades = reader.trades()
        latest = {vault: reader.latest_cycle(vault) for vault in reader.vaults()}
        refused = {guard for row in reader.cycles(limit=None) for guard in row.guards}
    assert len(trades) >= 5
    assert {vault: row and (row.kind, row.code) for vault, row in latest.items()} == {
        "treasury": ("hold", "in_band"),
        "basket": ("hold", "in_band"),
    }
    assert {"max_oracle_disagreement", "max_deviation"} <= refused
    for entry in trades:
        assert entry.outcome is not None and entry.outcome.fill is not None
        (received,), (floor,) = entry.outcome.fill.received, entry.expect.floors.values()
        assert received >= floor
    assert f"in {len(trades)} trades" in done.stdout
