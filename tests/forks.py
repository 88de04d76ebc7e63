"""Processes like those of `python -m MODULE`, but forked from one that has imported the packages already.

Each has its own pid, environment, folder, streams, locks and exit code; only the second of imports is spared. What a
start from nothing loads is the matter of tests/unit/cli/test_imports.py.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
LATE = 60.0
"""{s} In which the server must have imported everything."""
COMMANDS = "keeper.cli.*", "keeper.app.*", "alembic.command", "sqlalchemy.dialects.sqlite"
"""What the commands import sooner or later."""


class Forked:
    """A running process; as much of subprocess.Popen as the tests use."""

    def __init__(self, words: Sequence[str], told: int) -> None:
        self._words, self._told, self._rest = list(words), told, b""
        self.returncode: int | None = None
        pid = self._line(LATE)
        assert pid is not None, f"the fork server ended before it began {words}"
        self.pid = pid

    def _line(self, seconds: float | None) -> int | None:
        """The next number from the server; None where it comes later."""
        until = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not select.select([self._told], [], [], left)[0]:
                return None
            more = os.read(self._told, 100)
            assert more, f"the fork server ended before {self._words}"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return int(line)

    def poll(self) -> int | None:
        return self._look(0)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None and (code := self._line(seconds)) is not None:
            self.returncode = code
            os.close(self._told)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self._words, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """Begun with what it imports; ends with `close`, or with this process."""

    def __init__(self, *modules: str, root: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
        """`root` is where its modules are found first."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(theirs.fileno()), *modules],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=root,
                env={"PATH": os.defpath, "PYTHONPATH": str(root), "LC_ALL": "C.UTF-8", **(env or {})},
            )

    def start(
        self, module: str, words: Sequence[str], env: Mapping[str, str], folder: Path, streams: Sequence[int]
    ) -> Forked:
        """`python -m module words`; `streams` are descriptors of its input, output and errors."""
        body = {"module": module, "words": list(words), "env": dict(env), "folder": str(folder)}
        told, theirs = os.pipe()
        try:
            socket.send_fds(self._control, [json.dumps(body).encode()], [*streams, theirs])
        finally:
            os.close(theirs)
        return Forked([module, *words], told)

    def run(
        self,
        module: str,
        words: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        *,
        text: str = "",
        seconds: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """To its end, with `text` for its input. Raises subprocess.TimeoutExpired."""
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            said.write(text.encode())
            said.seek(0)
            process = self.start(module, words, env, folder, [stream.fileno() for stream in (said, out, err)])
            try:
                code = process.wait(seconds)
            finally:
                process.kill()
            return subprocess.CompletedProcess([module, *words], code, _read(out), _read(err))

    def close(self) -> None:
        self._control.close()
        self._process.wait(20)


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


@cache
def commands() -> ForkServer:
    """The keeper's own, one in each test process that starts any."""
    server = ForkServer(*COMMANDS)
    atexit.register(server.close)
    return server
