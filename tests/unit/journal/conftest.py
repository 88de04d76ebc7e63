"""Both journals, for the contract that they share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.journal.commands import RequestBox
from keeper.journal.memory import MemoryJournal
from keeper.journal.sql import SqlJournal
from tests.builders import NOW


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'keeper.db'}"


@pytest.fixture
def sql(url: str) -> Iterator[SqlJournal]:
    with SqlJournal(url, now=lambda: NOW) as journal:
        yield journal


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
