"""Proof that the tests would notice: each seeded bug, applied to a copy of the package, must fail its test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import pytest

from tests.faults.bugs import BUGS, Bug, Test

ROOT = Path(__file__).parents[2]
WORKERS = 2
PASSED, FAILED = 0, 1
"""pytest's exit codes; any other says that the tests could not be run."""


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue[Path]]:
    """As many copies of the project as are tested at once."""
    free: Queue[Path] = Queue()
    for number in range(WORKERS):
        folder = tmp_path_factory.mktemp(f"copy{number}")
        for part in ("keeper", "contracts_abi", "tests"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy2(ROOT / "pyproject.toml", folder)
        free.put(folder)
    yield free


def run(folder: Path, test: Test) -> tuple[int, str]:
    """pytest's exit code and the end of what it said."""
    file, variables = test
    env = {"PATH": os.defpath, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=line", "-p", "no:xdist", file]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=170, check=False)
    return done.returncode, (done.stdout + done.stderr)[-1_500:]


def misfit(folder: Path, bug: Bug) -> str:
    """Which of its texts does not stand in its file exactly once, or an empty string."""
    counts = {old: (folder / "keeper" / name).read_text("utf-8").count(old) for name, old, _ in bug.changes}
    return "; ".join(f"{bug.name}: {found} times: {old.strip()}" for old, found in counts.items() if found != 1)


def plant(folder: Path, bug: Bug) -> dict[Path, str]:
    """Applies the patch. Returns the texts to put back."""
    before: dict[Path, str] = {}
    for name, old, new in bug.changes:
        path = folder / "keeper" / name
        text = path.read_text("utf-8")
        before.setdefault(path, text)
        path.write_text(text.replace(old, new), "utf-8")
    for path in before:
        for stale in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            stale.unlink()
    return before


def in_a_copy(copies: Queue[Path], work: Callable[[Path], str]) -> str:
    folder = copies.get()
    try:
        return work(folder)
    finally:
        copies.put(folder)


def survives(folder: Path, bug: Bug) -> str:
    """What is wrong with the proof of this bug, or an empty string where it was caught."""
    if misfits := misfit(folder, bug):
        return misfits
    before = plant(folder, bug)
    try:
        code, said = run(folder, bug.test)
    finally:
        for path, text in before.items():
            path.write_text(text, "utf-8")
    if code == FAILED:
        return ""
    return f"{bug.name}: {bug.test[0]} " + ("did not notice" if code == PASSED else f"could not run ({code}): {said}")


def breaks(folder: Path, test: Test) -> str:
    code, said = run(folder, test)
    return "" if code == PASSED else f"{test[0]} fails without any bug ({code}): {said}"


def test_bugs__as_listed__at_least_20_with_those_of_the_field() -> None:
    names = [bug.name for bug in BUGS]
    assert len(set(names)) == len(names) >= 20
    assert names[:5] == [
        "an intent can get a second nonce",
        "a replacement is broadcast before it is saved",
        "a time-out is taken for not sent",
        "replacement underpriced is taken for success",
        "a failed receipt is final at zero confirmations",
    ]


def test_seeded_bugs__each_alone__every_one_is_caught(copies: Queue[Path], tell: Callable[[str], None]) -> None:
    tests = {bug.test[0]: bug.test for bug in BUGS}
    with ThreadPoolExecutor(WORKERS) as pool:
        sound = list(pool.map(lambda test: in_a_copy(copies, lambda at: breaks(at, test)), tests.values()))
        assert not any(sound), "\n".join(filter(None, sound))
        found = list(pool.map(lambda bug: in_a_copy(copies, lambda at: survives(at, bug)), BUGS))
    assert not any(found), "\n".join(filter(None, found))
    tell(f"mutation proof: {len(found)} of {len(BUGS)} seeded bugs caught")
