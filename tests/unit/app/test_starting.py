"""A start after several deaths: it waits, listens, and can be stopped; and what counts as a death."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.app import starting
from keeper.app.starting import kept_run
from keeper.core.errors import Unreachable
from keeper.journal.commands import RequestBox
from keeper.journal.sql import SqlJournal
from keeper.telemetry.logs import configure
from tests.unit.config.deployments import loaded
from tests.unit.telemetry.streams import Stream


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    with SqlJournal(f"sqlite:///{tmp_path / 'keeper.db'}") as opened:
        yield opened


@pytest.fixture
def stream() -> Iterator[Stream]:
    stream = Stream()
    undo = configure(stream=stream)
    yield stream
    undo()


class Bug(Exception):
    """What keeper itself would never raise."""


def test_kept_run__ends_itself_or_says_why__is_no_death_but_a_bug_is_one(tmp_path: Path, journal: SqlJournal) -> None:
    config, stop = loaded(tmp_path), threading.Event()
    with kept_run(config, journal, stop):
        assert [run.ended for run in journal.runs()] == [False]
    with pytest.raises(Unreachable), kept_run(config, journal, stop):
        raise Unreachable("base: no RPC answers")
    with pytest.raises(Bug), kept_run(config, journal, stop):
        raise Bug
    assert [run.ended for run in journal.runs()] == [False, True, True]


@pytest.mark.fault("P38")
def test_kept_run__after_three_deaths__waits_and_answers_a_pause_meanwhile_and_alerts(
    tmp_path: Path, journal: SqlJournal, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        journal.begin_run(0)
    monkeypatch.setattr(starting, "LISTEN", 0.01)
    monkeypatch.setattr(starting, "wait_after", lambda deaths: 1 if deaths == 3 else 0)
    with RequestBox(f"sqlite:///{tmp_path / 'keeper.db'}") as box:
        pause = box.ask("pause", "*", "it keeps dying", "ana")
        wish = box.ask("cancel", "1", "", "ana")
        with kept_run(loaded(tmp_path), journal, threading.Event()):
            assert box.result(pause) == "paused every vault"
            assert box.result(wish) is None, "left to a keeper that acts"
    assert journal.runs()[0].waited == 1
    assert "the keeper died 3 times in a row soon after its start: it waits 1s" in stream.getvalue()


def test_kept_run__stopped_while_it_waits__ends_at_once_and_leaves_the_count_as_it_was(
    tmp_path: Path, journal: SqlJournal, stream: Stream
) -> None:
    for _ in range(20):
        journal.begin_run(0)
    before, stop = journal.runs(), threading.Event()
    threading.Timer(0.2, stop.set).start()
    with kept_run(loaded(tmp_path), journal, stop):
        assert stop.is_set()
    assert journal.runs() == before
    assert "it waits 15m" in stream.getvalue()
