"""A process that holds keys leaves no image of itself: no core file when it dies, and no look inside from beside it."""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4
"""Of Linux's prctl(2). Without it, other processes of the same user can neither attach nor read /proc/PID/environ."""


def forbid_dumps() -> None:
    """Before a key is opened; for good. Root can still look: nothing here keeps root out."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
