"""What the fault tests share: a journal to copy, a folder in memory, and a place for their figures."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.sim.drill import open_journal
from tests.statements import share_statements

# Thousands of lives open a journal each, and most of opening it is compiling the same statements.
share_statements()


@pytest.fixture(scope="session")
def quick_folder() -> Iterator[Path]:
    """In memory where the system has such a place: a killed process loses nothing there either."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="keeper-", dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def empty_journal(quick_folder: Path) -> Path:
    path = quick_folder / "template.db"
    open_journal(path, lambda: 0).close()
    return path


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Shows a figure at the end of the run."""
    return lambda text: record_property("figure", text)
