"""The keeper as its users run it: a process of its own, known by its output, ended by its own pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from tests.forks import ROOT, commands

POLL = 0.05
TAIL = 40
"""Lines of the log that a failure shows."""

Event = Mapping[str, Any]
"""A line of the log; those that are no JSON come as {"event": "text", "text": …}."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """What it said besides its log."""
        return [line for line in self.err.splitlines() if _event(line)["event"] == "text"]


def wait_until(holds: Callable[[], bool], seconds: float, what: str, tell: Callable[[], str] = str) -> None:
    """Raises AssertionError with `what` and what `tell` says, where it does not hold in time."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"{what}: not within {seconds:g} s\n{tell()}"
        time.sleep(POLL)


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **variables}


def keeper(*arguments: str | Path, env: Mapping[str, str], seconds: float = 120) -> Ended:
    """Runs one command to its end."""
    done = commands().run("keeper", [*map(str, arguments)], _environment(env), ROOT, seconds=seconds)
    return Ended(done.returncode, done.stdout, done.stderr)


class KeeperProcess:
    """`keeper run CONFIG --live --adopt`, until `stop`."""

    def __init__(self, config: Path, env: Mapping[str, str]) -> None:
        # Each test begins a journal of its own for keys that earlier ones have used.
        words = ["run", str(config), "--live", "--adopt"]
        pipes = [os.pipe(), os.pipe()]
        ends = [theirs for _, theirs in pipes]
        with Path(os.devnull).open() as nothing:
            self._process = commands().start("keeper", words, _environment(env), ROOT, [nothing.fileno(), *ends])
        for theirs in ends:
            os.close(theirs)
        self.pid = self._process.pid
        self.lines: list[str] = []
        """Both streams, as they came."""
        streams = [os.fdopen(ours, encoding="utf-8") for ours, _ in pipes]
        self._readers = [threading.Thread(target=self._read, args=(stream,), daemon=True) for stream in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))

    # --- what it says ------------------------------------------------------------------------------------------------

    def events(self, name: str = "") -> list[Event]:
        found = [_event(line) for line in tuple(self.lines)]
        return [event for event in found if not name or event["event"] == name]

    def ticks(self) -> list[float]:
        """When each tick had ended, in Unix seconds."""
        return [datetime.fromisoformat(event["at"]).timestamp() for event in self.events("tick")]

    def tail(self) -> str:
        said = [line for line in tuple(self.lines) if _event(line)["event"] != "tick"]
        return "\n".join([f"the keeper's last lines beside {len(self.ticks())} ticks:", *said[-TAIL:]])

    def wait_for(self, holds: Callable[[], bool], what: str, seconds: float = 20) -> None:
        """Raises AssertionError with the log's end where it does not hold in time, or the keeper ends meanwhile."""

        def holds_while_running() -> bool:
            found = holds()
            assert found or self._process.poll() is None, f"{what}: the keeper ended meanwhile\n{self.tail()}"
            return found

        wait_until(holds_while_running, seconds, what, self.tail)

    def wait_for_ticks(self, count: int, seconds: float = 20) -> None:
        """As many more of them."""
        wanted = len(self.ticks()) + count
        self.wait_for(lambda: len(self.ticks()) >= wanted, f"{count} more ticks", seconds)

    # --- its end -----------------------------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def terminate(self) -> None:
        """Asks, and does not wait."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 20) -> int:
        """Its exit code."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the keeper did not end within {seconds:g} s\n{self.tail()}") from None
        for reader in self._readers:
            reader.join(timeout=5)
        return code

    def stop(self) -> tuple[int, float]:
        """Its exit code, and how many seconds it took to end after SIGTERM."""
        start = time.monotonic()
        self.terminate()
        return self.wait(), time.monotonic() - start

    def end(self) -> None:
        """However it stands, it is over; for clean-up."""
        if self.is_running:
            self._process.kill()
        self.wait()


def _event(line: str) -> Event:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) and "event" in found else {"event": "text", "text": line}
