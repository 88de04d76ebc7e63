"""Files that hold keys: nobody else may read them, and they are what they seem to be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from keeper.config.fields import Wrong


def check_private(path: Path) -> None:
    """Raises Wrong where others can read the file, or it is a link. A file that is missing is looked for at signing:
    a dry vault needs no key."""
    try:
        status = path.lstat()
    except OSError:
        return
    if stat.S_ISLNK(status.st_mode):
        raise Wrong("a file", f"a symbolic link: {path.name}")
    if not stat.S_ISREG(status.st_mode):
        raise Wrong("a file", f"something else: {path.name}")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise Wrong("a file that only its owner can read", f"mode {mode:04o}; run: chmod 600 {path}")
    if status.st_uid not in (os.geteuid(), 0):
        raise Wrong("a file of this user", f"a file of user {status.st_uid}")


def check_config(path: Path) -> None:
    """Raises Wrong where anybody could change the limits, or whose vault is kept."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & stat.S_IWOTH:
        raise Wrong("a file that others cannot write", f"mode {mode:04o}; run: chmod o-w {path}")
