"""Runs of the daemon in the journal."""

from __future__ import annotations

from keeper.core.runs import Run
from keeper.journal.sql import SqlJournal
from tests.builders import NOW


def test_runs__of_which_one_ended_itself__are_known_to_the_next_keeper_latest_first(url: str) -> None:
    time = [NOW]
    with SqlJournal(url, now=lambda: time[0]) as journal:
        assert journal.runs() == ()
        journal.end_run(journal.begin_run(0))
    time[0] += 5
    with SqlJournal(url, now=lambda: time[0]) as journal:
        journal.begin_run(40)
    with SqlJournal(url, now=lambda: time[0]) as journal:
        assert journal.runs() == (Run(NOW + 5, 40), Run(NOW, 0, ended=True))


def test_runs__very_many__of_the_latest_twenty(sql: SqlJournal) -> None:
    for waited in range(25):
        sql.begin_run(waited)
    assert [run.waited for run in sql.runs()] == list(range(24, 4, -1))
