"""Every fault that must have a test has one that names it, or a reason why not."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.faults.coverage import (
    FAULTS,
    Fault,
    _marks,
    outdated,
    problems,
    read_catalogue,
    read_excuses,
    read_marks,
)

GROUPS = {"R": 36, "T": 34, "P": 38, "M": 25, "K": 20, "C": 20, "S": 24, "H": 12}


def test_catalogue__holds_every_fault_once_in_order() -> None:
    faults = list(read_catalogue())
    assert faults == [f"{group}{number}" for group, last in GROUPS.items() for number in range(1, last + 1)]
    assert len(faults) == FAULTS


def test_faults__of_this_repository__are_tested_or_excused() -> None:
    assert problems(read_catalogue(), read_marks(), read_excuses()) == []


def test_problems__each_kind__is_said() -> None:
    faults = {id_: Fault(id_, "what", "then") for id_ in ("R1", "R2", "S15", "M1")}
    marks = {"R1": ["tests/test_a.py::test_x"], "X9": ["tests/test_b.py::test_y"], "invariant 3": ["tests/test_c.py"]}
    assert problems(faults, marks, {"R2": " ", "Z1": "why"}) == [
        "S15: no test names it, and no reason is given",
        "X9: named by tests/test_b.py::test_y, but not in the catalogue",
        "Z1: has a reason, but is not in the catalogue",
        "R2: its reason is empty",
    ]
    assert outdated(marks, {"R1": "none yet", "R2": "later"}) == ["R1"]


def test_marks__wherever_they_stand__are_found() -> None:
    module = """
import pytest
TABLE = [pytest.param(1, marks=pytest.mark.fault("R1"))]
@pytest.mark.fault("R2", "R3")
@pytest.mark.parametrize("x", [pytest.param(1, marks=[pytest.mark.fault("R4")])])
def test_one(x): ...
@pytest.mark.fault("R5")
class TestTwo:
    @pytest.mark.fault("R6")
    def test_three(self): ...
@pytest.mark.slow("R7")
def test_four(): ...
"""
    assert sorted(_marks(ast.parse(module))) == [
        ("", "R1"),
        ("::TestTwo", "R5"),
        ("::TestTwo::test_three", "R6"),
        ("::test_one", "R2"),
        ("::test_one", "R3"),
        ("::test_one", "R4"),
    ]


def test_read_marks__names_file_and_test(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "unit"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text('import pytest\n@pytest.mark.fault("R1")\ndef test_x(): ...\n')
    (folder / "helper.py").write_text('import pytest\n@pytest.mark.fault("R2")\ndef test_y(): ...\n')
    assert read_marks(tmp_path / "tests") == {"R1": ["tests/unit/test_a.py::test_x"]}
