"""One writer per journal: a lock on a file beside the database, because SQLite's own exclusive lock blocks readers."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from keeper.core.errors import JournalError


class Busy(JournalError):
    """Another writer, mostly the daemon, has this journal: what it must do goes through a request."""


class WriterLock:
    """Held from construction until `release`, and let go by the system if the process dies, however it dies.

    Does not guard against network file systems, whose locks lie: those are refused elsewhere.
    """

    def __init__(self, journal: Path) -> None:
        """Raises Busy naming the holder's process where another writer has it."""
        self.path = journal.with_name(journal.name + ".lock")
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise Busy(f"journal {journal}: process {holder} is writing it; expected no other writer") from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """The file stays: removing it would let two writers lock two files of the same name."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1
