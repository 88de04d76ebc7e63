"""A local Anvil, started and ended as a context manager."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from keeper.core.errors import ConfigError, Unreachable

INSTALL = "npm install --no-save @foundry-rs/anvil@1.7.1"
_PATTERN = "node_modules/@foundry-rs/anvil-*/bin/anvil*"
_READY_WITHIN, _END_WITHIN, _POLL = 20.0, 5.0, 0.02
"""{s} A cold binary of 60 MB needs some seconds on a slow disk."""


@dataclass(frozen=True, slots=True)
class Anvil:
    """A running node. `port` is free on loopback until the node takes it; `pid` is ours to end."""

    url: str
    port: int
    chain_id: int
    pid: int


def find_anvil(given: str | Path | None = None) -> Path:
    """`given`, else what npm installed under the current directory, else PATH. Raises ConfigError where none is."""
    if given is not None:
        if not Path(given).is_file():
            raise ConfigError("anvil", "path", "a program", f"no file at {given}")
        return Path(given)
    if found := sorted(path for path in Path().glob(_PATTERN) if path.is_file()):
        return found[0].resolve()
    if on_path := shutil.which("anvil"):
        return Path(on_path)
    raise ConfigError("anvil", "program", "Anvil under node_modules or on PATH", f"none; install it with `{INSTALL}`")


@contextmanager
def run_anvil(
    binary: str | Path | None = None,
    *,
    chain_id: int = 31_337,
    block_time: int | None = None,
    timestamp: int | None = None,
    port: int | None = None,
    options: Sequence[str] = (),
    ready_within: float = _READY_WITHIN,
) -> Iterator[Anvil]:
    """Yields a node that answers; ends it, by its own process, whatever happens inside.

    `block_time` in seconds; None mines a block for each transaction. `timestamp` is the first block's, in Unix
    seconds. `options` go to Anvil as they are; a fork of a slow node needs longer than
    `ready_within` seconds. Raises ConfigError where there is no binary, Unreachable where it does
    not answer in time or its port is taken.
    """
    program, chosen = find_anvil(binary), _free_port(port or 0)
    command = [str(program), "--silent", "--host", "127.0.0.1", "--port", str(chosen), "--chain-id", str(chain_id)]
    command += ["--block-time", str(block_time)] if block_time else []
    command += ["--timestamp", str(timestamp)] if timestamp else []
    # Complaints go to a file: a full pipe that nobody reads would stop the node. What it keeps of old blocks goes where
    # it is deleted with it: in its own place it would stay for good, gigabytes after some thousand blocks.
    with tempfile.TemporaryFile() as complaints, tempfile.TemporaryDirectory(prefix="anvil-") as old_states:
        command += ["--cache-path", old_states, *options]
        process = subprocess.Popen(  # noqa: S603  a program the operator chose, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=complaints
        )
        try:
            _wait_until_ready(process, chosen, complaints, ready_within)
            yield Anvil(f"http://127.0.0.1:{chosen}", chosen, chain_id, process.pid)
        finally:
            _end(process)


def _free_port(wanted: int = 0) -> int:
    """`wanted`, or any port that is free. Raises Unreachable where it is taken: whoever answers there is not ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise Unreachable(f"anvil: expected port {wanted} to be free, found: {error.strerror}") from error
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, complaints: IO[bytes], within: float) -> None:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if process.poll() is not None:
            complaints.seek(0)
            said = complaints.read().decode("utf-8", "replace").strip()
            raise Unreachable(f"anvil: expected a running node, ended with {process.returncode}: {said[:200]}")
        try:
            # Anvil listens only once it can answer.
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(_POLL)
        else:
            return
    raise Unreachable(f"anvil: expected an answer on port {port} within {within:g} s, found none")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
