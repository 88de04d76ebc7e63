"""Start-up: a command in a fresh process, and how soon a daemon has looked at its vault."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import IO

from bench.frame import Contestant, Pace, Row, measure
from bench.local import Local, local_market
from bench.vaults import fund, holding_vaults

TITLE, UNIT = "Start-up: fresh processes, files in the page cache", "starts"
CONFIG = "config/demo.yaml"
SCRIPT = """\
from web3 import HTTPProvider, Web3
w3 = Web3(HTTPProvider("{url}"))
w3.eth.get_block("latest"), w3.eth.get_balance("{account}")
print('"event": "tick"', flush=True)
"""
"""Somebody's script up to its first look: a head and one balance."""
TICK = '"event": "tick"'
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Modules are compiled once, at the warm-up at the latest, as they are where somebody has installed the keeper."""


def rows(pace: Pace) -> list[Row]:
    keeper = str(Path(sys.executable).parent / "keeper")
    commands = {"keeper --version": ["--version"], "keeper --help": ["--help"]}
    commands[f"keeper check --offline {CONFIG}"] = ["check", "--offline", CONFIG]
    ours = [Contestant("ours", name, _run(keeper, *options)) for name, options in commands.items()]
    others = [
        Contestant("peer", 'python -c "import web3"', _run(sys.executable, "-c", "import web3")),
        Contestant("floor", "python -c pass", _run(sys.executable, "-c", "pass")),
    ]
    return measure("one process", [*ours, *others], pace) + _first_ticks(keeper, pace)


def _run(*command: str) -> Callable[[], object]:
    return partial(subprocess.run, command, check=True, stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT)


def _first_ticks(keeper: str, pace: Pace) -> list[Row]:
    with local_market() as local, TemporaryDirectory() as folder:
        fund(local, 1)
        fresh, known = _daemon(local, keeper, Path(folder) / "fresh"), _daemon(local, keeper, Path(folder) / "known")
        fresh.forgets = True
        script = SCRIPT.format(url=local.url, account=local.market.maker)
        peer = Starting([sys.executable, "-c", script])
        floor = Starting([sys.executable, "-c", f"print('{TICK}', flush=True)"])
        contestants = [
            Contestant("ours", "keeper run, a new journal", fresh.run, prepare=fresh.prepare),
            Contestant("ours", "keeper run, its journal known", known.run, prepare=known.prepare),
            Contestant("peer", "a web3 script's first read", peer.run, prepare=peer.prepare),
            Contestant("floor", "python says something", floor.run, prepare=floor.prepare),
        ]
        found = measure("first tick of a vault", contestants, pace)
        for each in (fresh, known, peer, floor):
            each.prepare()
    return found


def _daemon(local: Local, keeper: str, folder: Path) -> Starting:
    folder.mkdir()
    loaded = holding_vaults(local, 1, folder)
    with loaded.path.open("a") as file:
        file.write("telemetry: {json: true}\n")
    return Starting([keeper, "run", str(loaded.path)], folder)


@dataclass
class Starting:
    """A process that is waited for until it says that it has ticked, and ended before the next one."""

    command: list[str]
    folder: Path | None = None
    forgets: bool = False
    """Begins with no journal each time."""
    _process: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            self._process.communicate()
        if self.forgets and self.folder is not None:
            for file in self.folder.glob("bench.db*"):
                rmtree(file) if file.is_dir() else file.unlink()

    def run(self) -> None:
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=ENVIRONMENT,
        )
        out: IO[str] | None = self._process.stdout
        assert out is not None
        said = []
        for line in out:
            said.append(line)
            if TICK in line:
                return
        raise AssertionError("".join(said))
