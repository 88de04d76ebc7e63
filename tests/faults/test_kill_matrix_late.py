"""The later half of the kill matrix: results, blocks, finality, replacements, cancels and reorgs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.figures import count
from tests.faults.kills import is_early, matrix
from tests.faults.sim.drill import POINTS, Drill

LATE = [
    (shape, point) for shape, points in POINTS.items() for point in points if shape != "plain" or not is_early(point)
]
SEEDS = count("KEEPER_SEEDS", 25, 250)


@pytest.mark.fault("P7")
@pytest.mark.fault("P8")
@pytest.mark.fault("P9")
@pytest.mark.fault("P10")
@pytest.mark.fault("P11")
@pytest.mark.fault("P12")
def test_killed__after_the_send__one_trade_and_nothing_lost(
    empty_journal: Path, quick_folder: Path, tell: Callable[[str], None]
) -> None:
    tell(f"kill matrix, {len(LATE)} points from P7: " + matrix(Drill, LATE, SEEDS, empty_journal, quick_folder / "l"))
