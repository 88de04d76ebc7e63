"""The benchmarks still run, and say all that they promise. Their figures are no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECTIONS = ("cpu", "quotes", "tick", "broadcast", "journal")
"""Those that need nothing but Anvil and take seconds; `make bench` has them all."""


def test_bench__quick__has_ours_a_peer_and_a_floor_in_every_section(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    command = [sys.executable, "-m", "bench", "--quick", *SECTIONS, "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    found = json.loads(file.read_text())
    assert set(found["sections"]) == set(SECTIONS)
    for name, section in found["sections"].items():
        rows = section["rows"]
        assert {row["role"] for row in rows} == {"ours", "peer", "floor"}, name
        assert all(row["median"] > 0 and row["over_ours"] > 0 for row in rows), name
        assert section["title"] in done.stdout
