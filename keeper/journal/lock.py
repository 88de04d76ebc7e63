"""One writer per journal and one keeper per sender: locks on files, because SQLite's own lock blocks readers too."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from keeper.core.errors import JournalError
from keeper.core.units import Address


class Busy(JournalError):
    """Another process holds the lock."""


class Leased(Busy):
    """Another keeper has a journal for as long as it renews its lease: whoever waits gets its turn."""


class FileLock:
    """Held from construction until `release`, and let go by the system if the process dies, however it dies.

    Does not guard against network file systems, whose locks lie: those are refused elsewhere.
    """

    def __init__(self, path: Path, refusal: str) -> None:
        """`refusal` is what is said where another has it, with its process in place of `{}`. Raises Busy."""
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise Busy(refusal.format(holder)) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """The file stays: removing it would let two processes lock two files of the same name."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


class WriterLock(FileLock):
    """Who writes a journal; the file lies beside it."""

    def __init__(self, journal: Path) -> None:
        """Raises Busy naming the holder's process."""
        path = journal.with_name(journal.name + ".lock")
        super().__init__(path, f"journal {journal}: process {{}} is writing it; expected no other writer")


class SenderLock(FileLock):
    """Who sends for an address on a chain, whatever its journal: two configurations must not share a nonce (C15)."""

    def __init__(self, folder: Path, chain_id: int, sender: Address) -> None:
        """`folder` is one that all keepers of this user share. Raises Busy naming the holder's process."""
        path = folder / f"keeper-{os.getuid()}-{chain_id}-{sender.lower()}.lock"
        super().__init__(
            path, f"sender {sender} on chain {chain_id}: process {{}} sends for it; expected no other keeper"
        )
