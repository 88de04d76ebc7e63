"""Proof that the tests would notice: each seeded bug, applied to a copy of the package, must fail its test."""

from __future__ import annotations

import compileall
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pytest

from tests.faults.bugs import BUGS, Bug, Test
from tests.forks import ROOT, ForkServer

WORKERS = 2
IMPORTED = (
    *("pytest", "hypothesis.stateful", "sqlalchemy.dialects.sqlite", "alembic.command", "alembic.autogenerate"),
    *("eth_account", "eth_abi", "eth_utils", "pydantic", "structlog", "urllib3", "websockets", "ruamel.yaml"),
)
"""What is no part of the project, and the same for each of its copies."""
PASSED, FAILED = 0, 1
"""pytest's exit codes; any other says that the tests could not be run."""


@dataclass(frozen=True)
class Copy:
    """Of the project, and a server of processes that find it there."""

    folder: Path
    forks: ForkServer

    def run(self, test: Test) -> tuple[int, str]:
        """pytest's exit code and the end of what it said."""
        file, variables = test
        env = {"PATH": os.defpath, "PYTHONPATH": str(self.folder), **variables}
        # Rewritten asserts would say more of a failure than anybody reads here.
        words = ["-x", "-q", "--no-header", "--tb=line", "--assert=plain", "-p", "no:xdist", file]
        done = self.forks.run("pytest", words, env, self.folder, seconds=170)
        return done.returncode, (done.stdout + done.stderr)[-1_500:]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue[Copy]]:
    """As many copies of the project as are tested at once."""
    free: Queue[Copy] = Queue()
    origin = ROOT
    with ExitStack() as stack:
        for number in range(WORKERS):
            folder = tmp_path_factory.mktemp(f"copy{number}")
            for part in ("keeper", "contracts_abi", "tests"):
                shutil.copytree(origin / part, folder / part)
                if origin is ROOT:
                    compileall.compile_dir(folder / part, quiet=1)
            shutil.copy2(ROOT / "pyproject.toml", folder)
            # A compiled bug would outlive its text.
            server = ForkServer(*IMPORTED, root=folder, env={"PYTHONDONTWRITEBYTECODE": "1"})
            free.put(Copy(folder, stack.enter_context(closing(server))))
            origin = folder
        yield free


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


def in_a_copy(copies: Queue[Copy], work: Callable[[Copy], str]) -> str:
    copy = copies.get()
    try:
        return work(copy)
    finally:
        copies.put(copy)


def survives(copy: Copy, bug: Bug) -> str:
    """What is wrong with the proof of this bug, or an empty string where it was caught."""
    if misfits := misfit(copy.folder, bug):
        return misfits
    before = plant(copy.folder, bug)
    try:
        code, said = copy.run(bug.test)
    finally:
        for path, text in before.items():
            path.write_text(text, "utf-8")
    if code == FAILED:
        return ""
    return f"{bug.name}: {bug.test[0]} " + ("did not notice" if code == PASSED else f"could not run ({code}): {said}")


def breaks(copy: Copy, test: Test) -> str:
    code, said = copy.run(test)
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


def test_seeded_bugs__each_alone__every_one_is_caught(copies: Queue[Copy], tell: Callable[[str], None]) -> None:
    tests = {bug.test[0]: bug.test for bug in BUGS}
    with ThreadPoolExecutor(WORKERS) as pool:
        sound = list(pool.map(lambda test: in_a_copy(copies, lambda at: breaks(at, test)), tests.values()))
        assert not any(sound), "\n".join(filter(None, sound))
        found = list(pool.map(lambda bug: in_a_copy(copies, lambda at: survives(at, bug)), BUGS))
    assert not any(found), "\n".join(filter(None, found))
    tell(f"mutation proof: {len(found)} of {len(BUGS)} seeded bugs caught")
