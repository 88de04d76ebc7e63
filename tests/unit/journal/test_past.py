"""What an upkeep remembers of its own calls."""

from __future__ import annotations

from typing import Any

from keeper.core.calls import Purpose
from keeper.core.chain import PastCall
from keeper.core.sending import Expectation, State
from keeper.journal.past import DAY
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import CHAIN, NOW
from tests.unit.journal.situations_journal import attempt, receipt, run, swap, wish

GAS = 10**15


def calling(at: int = NOW) -> Any:
    return wish("counter", at=at, expect=Expectation(), call=swap(Purpose.UPKEEP))


def test_calls__of_a_day_reverted_ones_too__oldest_first(journal: Any) -> None:
    run(journal, calling(), 0, 1, NOW + 12, State.FINAL_REVERTED)
    run(journal, calling(), 1, 2, NOW + 24)
    run(journal, wish("treasury"), 2, 3, NOW + 36)
    past = journal.history("counter", NOW + 60)
    assert past.calls == (PastCall(NOW + 12, GAS), PastCall(NOW + 24, GAS))
    assert (past.trades, past.reverts) == ((), (NOW + 12,))
    assert journal.history("treasury", NOW + 60).calls == ()


def test_calls__older_than_a_day__only_the_last_is_kept_for_the_cool_down(journal: Any) -> None:
    for number in (1, 2):
        run(journal, calling(), number - 1, number, NOW + 12 * number)
    assert journal.history("counter", NOW + 5 * DAY).calls == (PastCall(NOW + 24, GAS),)


def test_calls__cancelled__is_none(journal: Any) -> None:
    intent = journal.intend(calling(), 0)
    journal.attempt(intent.id, attempt(1, Purpose.UPKEEP))
    journal.advance(intent.id, State.MAYBE_SENT)
    journal.attempt(intent.id, attempt(2, Purpose.CANCEL))
    journal.advance(intent.id, State.MINED, receipt(2))
    assert journal.history("counter", NOW + 60).calls == ()
    assert [live.state for live in journal.live(CHAIN)] == [State.MINED]


def test_summary__of_an_upkeep__last_acted_when_its_last_call_was_made(sql: SqlJournal, url: str) -> None:
    run(sql, calling(), 0, 1, NOW + 12)
    run(sql, calling(), 1, 2, NOW + 24, State.FINAL_REVERTED)
    with JournalReader(url) as reader:
        assert reader.summary("counter").last_trade == NOW + 12
