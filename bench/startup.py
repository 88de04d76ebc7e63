"""Start-up: a command in a fresh process, against Python doing nothing and Python importing web3."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.frame import Contestant, Pace, Row, measure

TITLE, UNIT = "Start-up: fresh processes, files in the page cache", "starts"
CONFIG = "config/demo.yaml"


def rows(pace: Pace) -> list[Row]:
    keeper = str(Path(sys.executable).parent / "keeper")
    commands = {"keeper --version": ["--version"], "keeper --help": ["--help"]}
    commands[f"keeper check --offline {CONFIG}"] = ["check", "--offline", CONFIG]
    ours = [Contestant("ours", name, _run(keeper, *options)) for name, options in commands.items()]
    others = [
        Contestant("peer", 'python -c "import web3"', _run(sys.executable, "-c", "import web3")),
        Contestant("floor", "python -c pass", _run(sys.executable, "-c", "pass")),
    ]
    return measure("one process", [*ours, *others], pace)


def _run(*command: str) -> Callable[[], object]:
    return partial(subprocess.run, command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
