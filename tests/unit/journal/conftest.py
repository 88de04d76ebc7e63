"""Both journals, for the contract that they share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.journal.commands import RequestBox
from keeper.journal.memory import MemoryJournal
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import NOW


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal that has just been begun: migrating once is enough for most tests."""
    path = tmp_path_factory.mktemp("begun") / "keeper.db"
    SqlJournal(f"sqlite:///{path}", now=lambda: NOW).close()
    return path


@pytest.fixture
def path(tmp_path: Path, begun: Path) -> Path:
    return Path(shutil.copy(begun, tmp_path / "keeper.db"))


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def sql(url: str) -> Iterator[SqlJournal]:
    with SqlJournal(url, now=lambda: NOW) as journal:
        yield journal


@pytest.fixture
def reader(sql: SqlJournal, url: str) -> Iterator[JournalReader]:
    """Opened while the writer holds the journal."""
    with JournalReader(url) as reader:
        yield reader


@pytest.fixture
def box(sql: SqlJournal, url: str) -> Iterator[RequestBox]:
    with RequestBox(url) as box:
        yield box


@pytest.fixture(params=["sql", "memory"])
def journal(request: pytest.FixtureRequest) -> SqlJournal | MemoryJournal:
    if request.param == "memory":
        return MemoryJournal()
    journal: SqlJournal = request.getfixturevalue("sql")
    return journal
