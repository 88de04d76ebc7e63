"""Killed before, in and after each step from decision to finality, once or several times: one trade, none lost.

The other half of the points is in test_kill_matrix_late.py, so that two workers share them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.figures import count
from tests.faults.kills import is_early, matrix
from tests.faults.sim.drill import POINTS, Drill
from tests.faults.sim.forked import ForkedDrill

EARLY = [("plain", point) for point in POINTS["plain"] if is_early(point)]
SEEDS = count("KEEPER_SEEDS", 25, 250)


def test_points__as_numbered__at_least_24() -> None:
    points = [point for found in POINTS.values() for point in found]
    assert len(points) == len(set(points)) >= 24
    assert {point.split(".")[0] for point in points} == {f"P{number}" for number in range(1, 13)}


@pytest.mark.fault("P1")
@pytest.mark.fault("P2")
@pytest.mark.fault("P3")
@pytest.mark.fault("P4")
@pytest.mark.fault("P5")
@pytest.mark.fault("P6")
def test_killed__up_to_the_send__one_trade_and_nothing_lost(
    empty_journal: Path, quick_folder: Path, tell: Callable[[str], None]
) -> None:
    tell(f"kill matrix, {len(EARLY)} points to P6: " + matrix(Drill, EARLY, SEEDS, empty_journal, quick_folder / "e"))


def test_killed_by_sigkill__every_point__one_trade_and_nothing_lost(
    empty_journal: Path, quick_folder: Path, tell: Callable[[str], None]
) -> None:
    """A process of its own for each life, ended by the system."""
    every = [(shape, point) for shape, points in POINTS.items() for point in points]
    seeds = max(2, SEEDS // 10)
    tell(f"SIGKILL, {len(every)} points: " + matrix(ForkedDrill, every, seeds, empty_journal, quick_folder / "f"))
