"""Several writes that are one transaction: a cycle, its nonce and what was signed for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from keeper.core.errors import Halted, JournalError
from keeper.core.ports import Journal
from keeper.core.sending import State
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import ACCOUNT, CHAIN, NOW
from tests.statements import transactions
from tests.unit.journal.situations_journal import attempt, cycle, wish

ACTS = cycle(kind="intended", code="swap")


class Lost(BaseException):
    """Whatever ends it in the middle."""


def write(journal: Any) -> None:
    (number,) = journal.record_cycles([ACTS])
    intent = journal.intend(wish(cycle=number), 7)
    journal.attempt(intent.id, attempt(), leaves=True)


def test_together__cycle_nonce_and_bytes__one_transaction_that_nobody_sees_half_of(
    sql: SqlJournal, reader: JournalReader
) -> None:
    begun = transactions(sql)
    with sql.together():
        write(sql)
        assert not reader.cycles() and not reader.live()
    assert begun == ["writing"]
    assert [found.kind for found in reader.cycles()] == ["intended"]
    assert [intent.state for intent in sql.live(CHAIN)] == [State.MAYBE_SENT]
    assert reader.live() == sql.live(CHAIN)


def test_together__it_ends_in_the_middle__nothing_of_it_is_there_nor_remembered(
    sql: SqlJournal, reader: JournalReader
) -> None:
    for turn in range(2):
        sql.record_cycles([cycle(at=NOW + turn)])
    before = sql.history("treasury", NOW)
    with pytest.raises(Lost), sql.together():
        write(sql)
        assert [intent.state for intent in sql.live(CHAIN)] == [State.MAYBE_SENT], "what is written is seen within"
        sql.record_cycles([cycle(kind="denied", code="max_trade", guards=("max_trade",))])
        assert sql.history("treasury", NOW).refusals == 1, "and so it is by the next decision"
        raise Lost
    assert sql.live(CHAIN) == () == reader.live() and len(reader.cycles()) == 1
    assert sql.history("treasury", NOW) == before
    with sql.together():
        write(sql)
    assert [(intent.nonce, intent.state) for intent in sql.live(CHAIN)] == [(7, State.MAYBE_SENT)]


def test_together__a_write_fails_and_its_error_is_caught__then_none_of_them_is_there(
    sql: SqlJournal, reader: JournalReader
) -> None:
    def some() -> None:
        with sql.together():
            sql.record_cycles([ACTS])
            with pytest.raises(JournalError):
                sql.advance(99, State.SENT)

    with pytest.raises(JournalError, match="those around it"):
        some()
    assert not reader.cycles()


def test_together__a_question_fails_and_its_error_is_caught__then_none_of_them_is_there(
    sql: SqlJournal, reader: JournalReader
) -> None:
    def some() -> None:
        with sql.together():
            sql.record_cycles([ACTS])
            with pytest.raises(JournalError), sql._store.reading() as connection:
                connection.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(JournalError, match="those around it"):
        some()
    assert not reader.cycles()


@pytest.mark.fault("P16")
def test_together__the_nonce_is_refused__the_cycle_and_the_halt_stay(sql: SqlJournal, reader: JournalReader) -> None:
    with sql.together():
        (number,) = sql.record_cycles([ACTS])
        intent = sql.intend(wish(cycle=number), 7)
        sql.attempt(intent.id, attempt(), leaves=True)
    sql.advance(intent.id, State.EXTERNAL, note="somebody else's")
    with sql.together():
        (number,) = sql.record_cycles([replace(ACTS, at=NOW + 60)])
        with pytest.raises(Halted):
            sql.intend(wish(cycle=number, at=NOW + 60), 99)
    assert len(reader.cycles()) == 2 and "99" in sql.halted(ACCOUNT)


def test_together__either_journal__can(journal: Journal) -> None:
    with journal.together():
        write(journal)
    assert [intent.state for intent in journal.live(CHAIN)] == [State.MAYBE_SENT]
