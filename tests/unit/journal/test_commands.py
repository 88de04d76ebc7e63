"""Requests that a command leaves while the daemon holds the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.core.errors import JournalError, TransientError
from keeper.core.records import Request
from keeper.journal.commands import RequestBox
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import NOW
from tests.unit.journal.situations_journal import wish


def test_ask__while_the_daemon_runs__is_read_done_and_answered(
    sql: SqlJournal, box: RequestBox, reader: JournalReader
) -> None:
    number = box.ask("pause", "treasury", "audit", "ana", NOW)
    assert box.result(number) is None
    (request,) = sql.requests()
    assert (request.id, request.action, request.vault, request.reason, request.by, request.at) == (
        number,
        "pause",
        "treasury",
        "audit",
        "ana",
        NOW,
    )
    sql.answer(number, sql.apply(request))
    assert box.result(number) == "paused treasury"
    assert sql.requests() == ()
    assert [pause.vault for pause in reader.pauses()] == ["treasury"]
    assert reader.requests() == [(request, "paused treasury")]


@pytest.mark.fault("S21")
@pytest.mark.parametrize("vault", ["treasury", "*"])
def test_pause__asked_for_and_not_answered_yet__stops_already(sql: SqlJournal, box: RequestBox, vault: str) -> None:
    box.ask("pause", vault, "audit", "ana", NOW)
    pause = sql.paused("treasury")
    assert pause is not None
    assert pause.reason == "audit"
    assert sql.history("treasury", NOW).paused == "paused by ana: audit"
    with pytest.raises(TransientError, match="paused by ana"):
        sql.intend(wish(), 0)


def test_resume__asked_for_and_not_answered_yet__does_not_count(sql: SqlJournal, box: RequestBox) -> None:
    box.ask("pause", "treasury", "", "ana", NOW)
    box.ask("resume", "treasury", "", "ana", NOW)
    assert sql.paused("treasury") is not None
    for request in sql.requests():
        sql.answer(request.id, sql.apply(request))
    assert sql.paused("treasury") is None


@pytest.mark.parametrize("vault", ["treasury", "*"])
def test_resume__without_a_daemon__overtakes_a_pause_that_nobody_answered(
    sql: SqlJournal, box: RequestBox, vault: str
) -> None:
    number = box.ask("pause", vault, "", "ana", NOW)
    sql.apply(Request(0, "resume", vault, "", "ana", NOW + 1))
    assert sql.paused("treasury") is None
    assert box.result(number) == "overtaken by a resume"


def test_answer__by_two_loops_at_once__the_first_stands(sql: SqlJournal, box: RequestBox) -> None:
    number = box.ask("cancel", "treasury", "", "ana", NOW)
    sql.answer(number, "cancelled nonce 7")
    sql.answer(number, "nothing to cancel")
    assert box.result(number) == "cancelled nonce 7"


def test_box__without_a_journal__says_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="does not exist yet"):
        RequestBox(f"sqlite:///{tmp_path / 'keeper.db'}")
    assert list(tmp_path.iterdir()) == []


def test_no_daemon__the_command_takes_the_lock_and_goes_the_same_way(url: str) -> None:
    with RequestBox(url) as box:
        number = box.ask("pause", "*", "holidays", "ana", NOW)
        with SqlJournal(url) as journal:
            for request in journal.requests():
                journal.answer(request.id, journal.apply(request))
        assert box.result(number) == "paused every vault"


def test_clear__by_the_halts_number__ends_that_one(sql: SqlJournal, reader: JournalReader) -> None:
    sql.halt("treasury", "one", NOW)
    sql.halt("treasury", "two", NOW + 1)
    number = reader.halts()[0].number
    assert sql.clear(str(number), "ana", "looked") == 1
    assert sql.halted("treasury") == "two"
    (ended,) = [halt for halt in reader.halts(cleared=True) if halt.cleared_at is not None]
    assert (ended.reason, ended.cleared_by, ended.cleared_reason, ended.cleared_at) == ("one", "ana", "looked", NOW)
    assert [halt.reason for halt in reader.halts()] == ["two"]
