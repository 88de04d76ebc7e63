"""A schedule's record says all of it; the lines are compared with golden files."""

from __future__ import annotations

from keeper.report.schedules import schedule_line
from tests.unit.report import slices
from tests.unit.report.situations import BLOCK


def test_record__of_a_waiting_slice__has_its_place_its_time_and_what_is_left() -> None:
    record = slices.slice_waits().decision["plan"]["schedule"]
    assert {key: record[key] for key in ("number", "of", "due", "ends", "spacing")} == {
        "number": 3,
        "of": 12,
        "due": BLOCK.timestamp + 250,
        "ends": None,
        "spacing": 1440,
    }
    assert (record["done"]["whole"], record["left"]["whole"]) == ("31344.77", "156723.84")
    assert record["progress"].startswith("0.1666")


def test_record__of_a_plan_without_slices__is_not_there() -> None:
    assert "schedule" not in slices.given.trading().decision["plan"]
    assert "tolerance" not in slices.given.trading().decision["order"]


def test_record__of_a_tolerance_of_its_own__says_why() -> None:
    assert slices.slice_now().decision["order"]["tolerance"] == slices.TOLERANCE


def test_line__once_the_time_has_come__says_now() -> None:
    record = slices.slice_waits().decision["plan"]["schedule"]
    assert schedule_line(record, record["due"]).startswith("3 of 12 now · 17 % done")
    assert schedule_line(record, record["due"] - 61).startswith("3 of 12 in 1m · ")
