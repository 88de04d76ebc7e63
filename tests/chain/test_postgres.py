"""The journal on a real PostgreSQL: the same contract, and what only a server can do to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.journal.commands import RequestBox
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import NOW
from tests.chain.postgres_server import PostgresServer, run_postgres
from tests.unit.journal.test_commands import *  # noqa: F403  the whole suite of both journals, on this one
from tests.unit.journal.test_contract import *  # noqa: F403
from tests.unit.journal.test_observed import *  # noqa: F403
from tests.unit.journal.test_reader import *  # noqa: F403


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with run_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def template(server: PostgresServer) -> str:
    """A database with a journal that has just been begun."""
    name = server.create()
    SqlJournal(server.url(name), now=lambda: NOW).close()
    return name


@pytest.fixture
def database(server: PostgresServer, template: str) -> str:
    return server.create(template)


@pytest.fixture
def url(server: PostgresServer, database: str) -> str:
    return server.url(database)


@pytest.fixture
def sql(url: str) -> Iterator[SqlJournal]:
    with SqlJournal(url, now=lambda: NOW) as journal:
        yield journal


@pytest.fixture
def journal(sql: SqlJournal) -> SqlJournal:
    return sql


@pytest.fixture
def reader(sql: SqlJournal, url: str) -> Iterator[JournalReader]:
    with JournalReader(url) as reader:
        yield reader


@pytest.fixture
def box(sql: SqlJournal, url: str) -> Iterator[RequestBox]:
    with RequestBox(url) as box:
        yield box
