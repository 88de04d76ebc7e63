"""The database keeps the rules by itself, whatever a program asks of it."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.core.sending import ARROWS, State
from keeper.journal.sql import SqlJournal
from tests.builders import NOW
from tests.unit.journal.situations_journal import attempt, run, wish


@pytest.fixture
def raw(sql: SqlJournal, path: Path) -> Iterator[sqlite3.Connection]:
    """A stranger's connection to a journal with one final intent."""
    run(sql, wish(), 0, 1, NOW + 12)
    sql.keep_config("c0", "vaults: {}")
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE attempts SET raw = x'00'",
        "DELETE FROM attempts",
        "UPDATE transitions SET note = ''",
        "DELETE FROM transitions",
        "UPDATE configs SET body = ''",
        "DELETE FROM configs",
    ],
)
def test_append_only__changed_or_deleted__is_refused(raw: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="are written once"):
        raw.execute(statement)


@pytest.mark.parametrize("column", ["nonce", "sender", "chain_id", "call", "vault"])
def test_intents__what_they_keep_for_life__is_refused(raw: sqlite3.Connection, column: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="keeps its nonce and its call for life"):
        raw.execute(f'UPDATE intents SET "{column}" = 9')
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        raw.execute("DELETE FROM intents")


def insert(raw: sqlite3.Connection, **changed: object) -> None:
    """A copy of the first intent, changed, as a program gone wrong would write it."""
    names = [row[1] for row in raw.execute("PRAGMA table_info(intents)") if row[1] != "id"]
    found = dict(zip(names, raw.execute(f"SELECT {', '.join(map(quote, names))} FROM intents").fetchone(), strict=True))
    values = found | {"state": "RESERVED", "nonce": 1, "mined": None, "mined_at": None} | changed
    marks = ", ".join("?" for _ in names)
    raw.execute(f"INSERT INTO intents ({', '.join(map(quote, names))}) VALUES ({marks})", [values[n] for n in names])


def quote(name: str) -> str:
    return f'"{name}"'


def test_intents__same_nonce_twice__is_refused(raw: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        insert(raw, nonce=0)


def test_intents__second_live_one__is_refused(raw: sqlite3.Connection) -> None:
    insert(raw)
    for changed in ({"vault": "other"}, {"sender": "0xother"}):
        with pytest.raises(sqlite3.IntegrityError, match="one live intent per sender and vault"):
            insert(raw, nonce=2, **changed)
    insert(raw, nonce=2, vault="other", sender="0xother")


def test_intents__born_in_another_state__is_refused(raw: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="begins RESERVED"):
        insert(raw, state="SENT")


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_arrows__every_pair__only_drawn_ones_pass(begun: Path, before: State, after: State) -> None:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    source = sqlite3.connect(f"file:{begun}?mode=ro", uri=True)
    source.backup(raw)
    source.close()
    columns = "vault, chain_id, sender, account, nonce, call, purpose, expect, gas_limit, deadline, pools, created_at"
    raw.execute(
        f"INSERT INTO intents ({columns}, state) VALUES ('v', 1, 's', 's', 0, '', '', '', 1, 1, '', 1, 'RESERVED')"
    )
    for step in path_to(before):
        raw.execute("UPDATE intents SET state = ?", (step,))
    if after in ARROWS[before]:
        raw.execute("UPDATE intents SET state = ?", (after,))
    else:
        with pytest.raises(sqlite3.IntegrityError, match="no such arrow"):
            raw.execute("UPDATE intents SET state = ?", (after,))
    raw.close()


def path_to(state: State) -> list[State]:
    """The shortest way from RESERVED along drawn arrows."""
    ways: dict[State, list[State]] = {State.RESERVED: []}
    for _ in State:
        for at, way in list(ways.items()):
            for step in sorted(ARROWS[at]):
                ways.setdefault(step, [*way, step])
    return ways[state]


def test_triggers__dropped_by_a_stranger__are_there_after_the_next_opening(url: str, path: Path) -> None:
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("DROP TRIGGER attempts_no_update")
    raw.execute("CREATE TRIGGER strange AFTER INSERT ON cycles BEGIN SELECT 1; END")
    with SqlJournal(url) as journal:
        intent = journal.intend(wish(), 0)
        journal.attempt(intent.id, attempt())
    names = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert "attempts_no_update" in names
    assert "strange" not in names
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute("UPDATE attempts SET raw = x'00'")
    raw.close()
