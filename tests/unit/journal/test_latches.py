"""Breakers in the journal: what latches stays, across restarts too, and lets go by its own rule alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keeper.core.errors import Halted
from keeper.core.latches import Latch, Rearm, Trip
from keeper.core.records import CycleRecord
from keeper.core.sending import State
from keeper.journal.past import past_samples
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import DAI, NOW, WETH, usd
from tests.unit.journal.situations_journal import cycle, run, sample, wish

HALF_OPEN = Rearm(600, usd(500))
LOSS, REVERTS = Trip("loss", "fills were worse"), Trip("reverts", "3 reverted", HALF_OPEN)


def test_latch__by_hand__stands_until_a_person_clears_it(journal: Any) -> None:
    for at in (NOW, NOW + 60, NOW + 10**6):
        journal.latch("treasury", [LOSS], at)
        assert journal.halted("treasury").startswith("breaker: loss")
    with pytest.raises(Halted, match="breaker: loss"):
        journal.intend(wish(), 0)
    assert journal.history("treasury", NOW).latches == (Latch("loss", NOW),)
    journal.clear("treasury", "ana", "looked at it")
    assert journal.halted("treasury") == ""
    history = journal.history("treasury", NOW)
    assert (history.latches, history.evidence_from("loss")) == ((), NOW)
    assert history.evidence_from("reverts") == 0


def test_latch__of_several_breakers__each_has_its_own(journal: Any) -> None:
    journal.latch("treasury", [LOSS, REVERTS], NOW)
    journal.latch("treasury", [], NOW + 600)
    latches = journal.history("treasury", NOW).latches
    assert latches == (Latch("loss", NOW), Latch("reverts", NOW, HALF_OPEN, NOW + 600))
    assert journal.halted("treasury").startswith("breaker: loss")
    assert journal.halted("other") == ""


def test_latch__by_time__ends_after_its_rest_and_begins_again_while_its_evidence_stands(journal: Any) -> None:
    jump = Trip("price_jump", "WETH fell", Rearm(600))
    journal.latch("treasury", [jump], NOW)
    journal.latch("treasury", [jump], NOW + 600)
    assert journal.history("treasury", NOW).latches == (Latch("price_jump", NOW + 600, Rearm(600)),)
    journal.latch("treasury", [], NOW + 1_199)
    assert journal.halted("treasury")
    journal.latch("treasury", [], NOW + 1_200)
    assert journal.halted("treasury") == ""
    assert journal.history("treasury", NOW).evidence_from("price_jump") == NOW + 1_200


@pytest.mark.parametrize(("ends", "again"), [(State.FINAL_OK, False), (State.FINAL_REVERTED, True)])
def test_latch__half_open__one_trade_decides(journal: Any, ends: State, again: bool) -> None:
    journal.latch("treasury", [REVERTS], NOW)
    assert journal.history("treasury", NOW).trial is None
    journal.latch("treasury", [], NOW + 600)
    assert journal.halted("treasury") == ""
    assert journal.history("treasury", NOW).trial == usd(500)
    run(journal, wish(at=NOW + 610), 0, 1, NOW + 620, to=ends)
    journal.latch("treasury", [], NOW + 700)
    assert bool(journal.halted("treasury")) is again
    assert journal.history("treasury", NOW).trial is None


def test_latch__keeper_restarted__stands_as_it_stood(url: str) -> None:
    with SqlJournal(url, now=lambda: NOW) as journal:
        journal.latch("treasury", [REVERTS], NOW)
    with SqlJournal(url, now=lambda: NOW) as journal:
        told = "breaker: reverts: 3 reverted; rests for 10m, then one trade of at most $500.00 decides"
        assert journal.halted("treasury") == told
        journal.latch("treasury", [], NOW + 600)
    with JournalReader(url) as reader:
        (halt,) = reader.halts()
        assert (halt.scope, halt.reason) == ("treasury", told)
        assert reader.history("treasury", NOW).trial == usd(500)


@pytest.mark.fault("P2")
@pytest.mark.parametrize("rested", [False, True])
def test_latch__killed_before_its_cycle_was_recorded__the_next_keeper_finds_it_once(url: str, rested: bool) -> None:
    with SqlJournal(url, now=lambda: NOW) as journal:
        journal.latch("treasury", [REVERTS], NOW)
        if rested:
            journal.latch("treasury", [], NOW + 600)
    # Neither step was followed by a cycle's row. The next look finds the same evidence, or none since the latch.
    with SqlJournal(url, now=lambda: NOW) as journal:
        journal.latch("treasury", [] if rested else [REVERTS], NOW + (610 if rested else 10))
        (latch,) = journal.history("treasury", NOW).latches
        assert latch == Latch("reverts", NOW, HALF_OPEN, NOW + 600 if rested else None)
        assert bool(journal.halted("treasury")) is not rested
    with JournalReader(url) as reader:
        assert len(reader.halts(cleared=True)) == 1


def test_latches__at_a_time__are_those_that_stood_then(url: str) -> None:
    with SqlJournal(url, now=lambda: NOW) as journal:
        journal.latch("treasury", [REVERTS], NOW)
        journal.latch("treasury", [], NOW + 600)
        journal.latch("treasury", [REVERTS], NOW + 700)
        journal.latch("treasury", [], NOW + 1_300)
        assert journal.latches("treasury") == (Latch("reverts", NOW + 700, HALF_OPEN, NOW + 1_300),)
    first, second = Latch("reverts", NOW, HALF_OPEN), Latch("reverts", NOW + 700, HALF_OPEN)
    expected = {
        NOW - 1: (),
        NOW: (first,),
        NOW + 600: (first,),
        NOW + 601: (replace(first, trying_at=NOW + 600),),
        NOW + 700: (second,),
        NOW + 1_301: (replace(second, trying_at=NOW + 1_300),),
    }
    with JournalReader(url) as reader:
        assert {at: reader.latches("treasury", at) for at in expected} == expected
        assert reader.latches("other", NOW) == ()


def test_history__of_reverts_and_refusals__counts_what_breakers_ask_for(sql: SqlJournal) -> None:
    run(sql, wish(), 0, 1, NOW + 12, to=State.FINAL_REVERTED)
    run(sql, wish(at=NOW + 20), 1, 2, NOW + 24)
    assert sql.history("treasury", NOW + 60).reverts == (NOW + 12,)
    for record in (refused(), refused(), refused("max_impact")):
        sql.record_cycle(record)
    assert sql.history("treasury", NOW).refusals == 3
    sql.record_cycle(cycle())
    assert sql.history("treasury", NOW).refusals == 0


def refused(guard: str = "max_trade") -> CycleRecord:
    return cycle(kind="denied", code=guard, guards=(guard,))


def test_history__with_samples__compares_then_with_now_whatever_people_put_in(sql: SqlJournal) -> None:
    for hours in (0, 1, 2):
        sql.sample(sample(at=NOW + 3_600 * hours))
    assert sql.history("treasury", NOW + 7_200).samples == ()
    found = sql.history("treasury", NOW + 7_200, 3_600).samples
    assert [each.at for each in found] == [NOW + 3_600, NOW + 7_200]
    assert found[0].comparable == sample(at=NOW).value


def test_past_samples__people_put_in_and_took_out_since__are_set_aside() -> None:
    noted = [sample(at=NOW), sample(at=NOW + 100)]
    moved = [(NOW + 50, usd(1_000).raw), (NOW + 150, usd(-400).raw)]
    found = past_samples(noted, moved)
    assert [each.comparable - noted[0].value for each in found] == [usd(600), usd(-400)]
    assert found[0].price(WETH) == 3_120
    assert found[0].price(DAI) is None
