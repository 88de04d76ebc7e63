from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest

from keeper.rehearsal.days import in_bounds, stays_still, trades_once
from keeper.rehearsal.run import DAYS


@dataclass
class FakeStage:
    """What a verdict looks at."""

    swaps: list[str] = field(default_factory=list)
    lost_bps: int = 0
    unknown: int = 0
    bound: Fraction = Fraction(100)

    def worst(self) -> Fraction:
        return Fraction(self.lost_bps)

    def unexplained(self) -> int:
        return self.unknown

    def refusals(self) -> list[Any]:
        return []


@pytest.mark.parametrize(
    ("judge", "stage", "right", "why"),
    [
        (in_bounds, FakeStage(["swap"], 100), True, "traded within 100 bps of the true prices"),
        (in_bounds, FakeStage(["swap"], 101), False, "traded 101 bps below the true prices, at most 100 bps allowed"),
        (in_bounds, FakeStage(unknown=1), False, "1 transactions that the journal does not know"),
        (trades_once, FakeStage(), False, "never traded: it is still waiting"),
        (trades_once, FakeStage(["swap"]), True, "one trade, within its limits"),
        (trades_once, FakeStage(["swap", "swap"]), False, "traded 2 times, once wanted"),
        (trades_once, FakeStage(["swap"], 300), False, "traded 300 bps below the true prices, at most 100 bps allowed"),
    ],
)
def test_verdict__when_a_day_went_so__then_it_says(judge: Any, stage: FakeStage, right: bool, why: str) -> None:
    found = judge(stage)

    assert (found.right, found.why) == (right, why)


def test_stays_still__when_it_traded_on_bad_evidence__then_the_day_is_lost() -> None:
    traded, still = FakeStage(["swap"]), FakeStage()

    assert stays_still(traded, "on a lie").right is False  # type: ignore[arg-type]
    assert stays_still(still, "on a lie").right is True  # type: ignore[arg-type]


def test_days__when_listed__then_each_has_a_name_of_its_own() -> None:
    assert len({day.name for day in DAYS}) == len({day.title for day in DAYS}) == 15
