"""A PostgreSQL server of the test's own: its own cluster, port and process, stopped by its own pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

USER, PASSWORD = "scribe", "correct-horse"
START = 20.0
"""{s}"""
_numbers = count(1)


def binaries() -> Path:
    """Where initdb and postgres are; the newest where there are several."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert versions, "these tests need a PostgreSQL server: Debian's package is `postgresql`"
    return versions[-1].parent


def _account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as the package's own user."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam("postgres")
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


class PostgresServer:
    """Listens on a loopback port and on a socket in its own directory."""

    def __init__(self, directory: Path) -> None:
        self.directory, self._data, self._account = directory, directory / "data", _account()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        if self._account:
            os.chown(directory, self._account["user"], self._account["group"])
        secret = directory / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        options = ["--no-locale", "-E", "UTF8", "-N", "-A", "scram-sha-256", "-U", USER, f"--pwfile={secret}"]
        command = [str(binaries() / "initdb"), "-D", str(self._data), *options]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, **self._account)
        assert done.returncode == 0, done.stderr
        self.start()

    def start(self) -> None:
        options = ["-p", str(self.port), "-k", str(self.directory), "-c", "listen_addresses=127.0.0.1"]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(binaries() / "postgres"), "-D", str(self._data), *options],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._account,
            )
        until = time.monotonic() + START
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < until, (self.directory / "log").read_text()
                assert self._process.poll() is None, (self.directory / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """As in a power cut, but for what the disk has."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database: str) -> str:
        return f"postgresql+psycopg://{USER}:{PASSWORD}@/{database}?host={self.directory}&port={self.port}"

    def create(self, template: str = "template0") -> str:
        """A new database's name."""
        name = f"journal{next(_numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=2) as connection:
            found = connection.execute(statement)  # type: ignore[call-overload]
            return found.fetchall() if found.description else []


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="keeper-pg", dir="/tmp") as directory:
        server = PostgresServer(Path(directory))
        try:
            yield server
        finally:
            server.stop()
