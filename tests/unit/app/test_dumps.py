"""Whatever is about to hold a key leaves no image of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.app.app_configs import config

LOOK = """
import ctypes, resource, sys
from pathlib import Path
from keeper.cli.operate import _prepared
_prepared(Path(sys.argv[1]), live=sys.argv[2] == "live", adopt=False)
# PR_GET_DUMPABLE
print(resource.getrlimit(resource.RLIMIT_CORE)[1], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.fault("S4")
def test_start__live__neither_core_file_nor_debugger(tmp_path: Path) -> None:
    path = config(tmp_path).path

    def look(mode: str) -> list[str]:
        command = [sys.executable, "-c", LOOK, str(path), mode]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.split()

    assert look("live") == ["0", "0"]
    assert look("dry")[1] == "1", "only where there is something to hide"
