"""What a command does not need it does not load: half a second saved is half a second less of waiting at 03:00."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[3] / "config" / "mainnet.yaml"


def imported(*words: str) -> set[str]:
    """Names of the modules that a command loads, of which the first parts are enough."""
    command = [sys.executable, "-X", "importtime", "-m", "keeper", *words]
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    lines = (line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (("--version",), {"typer", "rich", "click"}),
        (("--help",), {"sqlalchemy", "eth_account", "pydantic", "urllib3", "websockets", "alembic", "eth_abi"}),
        (("check", "--offline", str(CONFIG)), {"sqlalchemy", "eth_account", "urllib3", "websockets", "alembic"}),
        (("status", str(CONFIG)), {"eth_account", "urllib3", "websockets", "alembic"}),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else "",
)
def test_command__starting__loads_nothing_that_it_does_not_need(words: tuple[str, ...], spared: set[str]) -> None:
    loaded = imported(*words)
    assert "keeper" in loaded
    assert loaded & spared == set()
