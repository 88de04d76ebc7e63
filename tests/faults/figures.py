"""Numbers that a reader of the test run wants to see, and how large a run is."""

from __future__ import annotations

import os
from collections.abc import Sequence

SOAK = bool(os.environ.get("KEEPER_SOAK"))


def count(name: str, usual: int, soak: int) -> int:
    """`name` in the environment, else the usual number, or the larger one under KEEPER_SOAK."""
    return int(os.environ.get(name) or (soak if SOAK else usual))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
