"""Files that only their owner can read: how a secret comes in, and how a new one is put away."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from keeper.core.errors import ConfigError

MAX_FILE = 65_536


def read_private(path: Path, where: str) -> bytes:
    """Content of a file that only its owner can read. Raises ConfigError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        found = "a symbolic link" if path.is_symlink() else (error.strerror or "an error").lower()
        raise ConfigError(str(path), where, "a readable regular file", found) from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(str(path), where, "a regular file", "something else")
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            raise ConfigError(str(path), where, "mode 0600 (chmod 600)", f"{mode:04o}")
        return os.read(handle, MAX_FILE)
    finally:
        os.close(handle)


def write_private(path: Path, data: bytes, where: str) -> None:
    """A new file, durable when this returns. Raises ConfigError where there is one already, or a link: what is lost
    by overwriting a key is everything that it holds."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(str(path), where, "a path that is free", (error.strerror or "an error").lower()) from None
    try:
        os.fchmod(handle, 0o600)  # whatever the umask says
        left = memoryview(data)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
