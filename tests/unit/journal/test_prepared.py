"""Statements that SQLite runs without SQLAlchemy do what SQLAlchemy would have done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import StatementError

from keeper.core.errors import JournalError
from keeper.journal import sqlite
from keeper.journal.commands import RequestBox
from keeper.journal.prepared import Prepared
from keeper.journal.sql import SqlJournal
from keeper.journal.tables import attempts, intents, metadata
from tests.builders import NOW
from tests.statements import transactions
from tests.unit.journal.situations_journal import cycle, wish

ROW: dict[str, Any] = {"intent": 1, "hash": "0x01", "raw": b"\x02\x00", "cap": 2**200, "tip": None, "purpose": "swap"}
ROW |= {"at": 12, "epoch": 3}


def test_prepared__every_kind_of_value__is_kept_as_sqlalchemy_keeps_it(tmp_path: Path) -> None:
    engine = sqlite.open_writing(tmp_path / "a.db")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # its intent is none, and it is rolled back
        metadata.create_all(connection)
        mine = Prepared(insert(attempts)).insert(connection, ROW)
        other = connection.execute(insert(attempts), ROW | {"hash": "0x02"}).inserted_primary_key
        assert other is not None and mine + 1 == other[0]
        kept = [tuple(row)[3:] for row in connection.exec_driver_sql("SELECT * FROM attempts ORDER BY id")]
        assert kept[0] == kept[1]

        renamed = Prepared(update(attempts).where(attempts.c.hash == bindparam("old"), attempts.c.at == 12))
        assert renamed.run(connection, {"old": "0x01", "hash": "0x03"}) == 1
        assert renamed.run(connection, {"old": "0x01", "hash": "0x04"}) == 0
        found = Prepared(select(attempts.c.id, attempts.c.hash).where(attempts.c.hash == bindparam("hash")))
        assert found.first(connection, {"hash": "0x03"}) == (mine, "0x03")
        assert found.first(connection, {"hash": "0x01"}) is None
    engine.dispose()


@pytest.mark.parametrize(("name", "value"), [("pools", [b"bytes"]), ("call", {1.5: object()})])
def test_prepared__no_value_of_its_column__is_refused_as_sqlalchemy_does(
    sql: SqlJournal, name: str, value: object
) -> None:
    bad = {"vault": "treasury", name: value}
    with sql._store.reading() as connection:
        with pytest.raises(StatementError):
            connection.execute(insert(intents), bad)
        with pytest.raises(StatementError):
            Prepared(insert(intents)).insert(connection, bad)


def test_prepared__a_value_is_missing__is_refused(sql: SqlJournal) -> None:
    statement = Prepared(select(intents.c.id).where(intents.c.id == bindparam("number")))
    with pytest.raises(JournalError), sql._store.reading() as connection:
        statement.first(connection, {})


def test_prepared__other_names_than_the_first_time__are_refused_and_not_left_out(sql: SqlJournal) -> None:
    statement = Prepared(update(intents).where(intents.c.id == bindparam("number")))
    with pytest.raises(JournalError, match="pools"), sql._store.reading() as connection:
        assert statement.run(connection, {"number": 1, "note": "x"}) == 0
        statement.run(connection, {"number": 1, "note": "x", "pools": []})


def test_what_others_ask__nobody_has_written__is_not_looked_for_again(sql: SqlJournal, box: RequestBox) -> None:
    assert sql.paused("treasury") is None and sql.requests() == ()
    begun = transactions(sql)
    sql.record_cycle(cycle())
    assert sql.paused("treasury") is None and sql.requests() == () and sql.marks(["treasury"])
    assert begun == ["writing"]
    number = box.ask("pause", "treasury", "look", "me", NOW)
    found = sql.paused("treasury")
    assert found is not None and found.reason == "look" and len(begun) > 1
    assert [request.id for request in sql.requests()] == [request.id for request in sql.requests()] == [number]
    sql.answer(number, "done")
    assert sql.requests() == sql.requests() == ()


def test_reading__within_a_write__is_refused_at_once(sql: SqlJournal) -> None:
    """There is one connection: waiting for another one would be waiting for ever."""
    with pytest.raises(JournalError), sql._store.writing(), sql._store.reading():
        pass
    assert sql.intend(wish(), 0).created_at == NOW
