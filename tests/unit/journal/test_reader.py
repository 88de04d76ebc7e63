"""What commands read while the daemon writes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from keeper.core.errors import JournalError
from keeper.core.sending import State
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from keeper.journal.totals import read_totals
from tests.builders import CHAIN, NOW, usd
from tests.unit.journal.situations_journal import DAY, cycle, run, sample, wish


def test_open__no_journal__says_so_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="does not exist yet; a run or `once` begins it"):
        JournalReader(f"sqlite:///{tmp_path / 'keeper.db'}")
    assert list(tmp_path.iterdir()) == []


def test_reader__any_write__is_refused(reader: JournalReader) -> None:
    with reader._engine.connect() as connection, pytest.raises(DBAPIError, match=r"read-?only"):
        connection.execute(text("DELETE FROM cycles"))


def test_cycles__a_streak__keeps_inputs_of_its_first_and_latest_turn(sql: SqlJournal, reader: JournalReader) -> None:
    number = sql.record_cycle(cycle(max_drift_bps=30))
    once = reader.cycle(number)
    assert once is not None
    assert (once.turns, once.decision, once.inputs) == (1, cycle().decision, cycle().inputs)
    sql.record_cycle(cycle(at=NOW + 60, max_drift_bps=90))
    sql.record_cycle(cycle(at=NOW + 120, max_drift_bps=50))
    row = reader.cycle(number)
    assert row is not None
    assert (row.turns, row.max_drift_bps, row.first_at, row.at) == (3, 90, NOW, NOW + 120)
    assert (row.first_inputs, row.inputs) == (cycle().inputs, cycle(at=NOW + 120).inputs)
    assert (row.first_decision["at"], row.decision["at"], row.reason) == (NOW, NOW + 120, f"hold at {NOW + 120}")
    assert (row.first_block, row.block_number) == (NOW // 12, (NOW + 120) // 12)


def test_cycles__filters__by_vault_time_kind_and_limit(sql: SqlJournal, reader: JournalReader) -> None:
    sql.record_cycle(cycle())
    sql.record_cycle(cycle(vault="other", at=NOW + 60))
    sql.record_cycle(cycle(at=NOW + 120, kind="denied", code="max_trade", guards=("max_trade",)))
    assert [row.number for row in reader.cycles()] == [3, 2, 1]
    assert [row.number for row in reader.cycles("treasury")] == [3, 1]
    assert [row.number for row in reader.cycles(limit=1)] == [3]
    assert [row.number for row in reader.cycles(since=NOW + 60, until=NOW + 120)] == [2]
    assert [row.number for row in reader.cycles(kinds=["denied"])] == [3]
    assert reader.cycles(kinds=["denied"])[0].guards == ("max_trade",)
    latest, first, after = reader.latest_cycle("treasury"), reader.first_cycle("treasury"), reader.cycle_after(1)
    assert latest is not None
    assert first is not None
    assert after is not None
    assert (latest.number, first.number, after.number) == (3, 1, 3)
    assert reader.cycle(99) is None
    assert reader.cycle_after(3) is None
    assert reader.vaults() == ["other", "treasury"]


def test_config__kept_once__is_shown_for_a_cycle(sql: SqlJournal, reader: JournalReader) -> None:
    for _ in range(2):
        sql.keep_config("c0", "vaults: {treasury: {}}")
    assert reader.config("c0") == "vaults: {treasury: {}}"
    assert reader.config("c1") is None


def test_transactions__by_time_vault_and_cycle__with_their_outcomes(sql: SqlJournal, reader: JournalReader) -> None:
    number = sql.record_cycle(cycle(kind="intended"))
    run(sql, wish(cycle=number), 0, 1, NOW + 12)
    run(sql, wish(), 1, 2, NOW + 24, to=State.FINAL_REVERTED)
    live = sql.intend(wish(at=NOW + 36), 2)
    assert [entry.intent.state for entry in reader.transactions()] == ["FINAL_OK", "FINAL_REVERTED", "RESERVED"]
    (entry,) = reader.transactions(cycle=number)
    assert entry.outcome is not None
    assert entry.outcome.fill is not None
    assert entry.outcome.others_value == usd("5.5")
    assert entry.expect == wish().expect
    assert [e.intent.nonce for e in reader.transactions(since=NOW + 24, until=NOW + 36)] == [1]
    assert reader.transactions("other") == []
    assert [e.intent.nonce for e in reader.trades()] == [0]
    assert reader.live() == (live,)
    assert reader.live("other") == ()
    assert [step.after for step in reader.transitions(entry.intent.id)] == [
        "RESERVED",
        "SIGNED",
        "MAYBE_SENT",
        "SENT",
        "MINED",
        "CONFIRMED",
        "FINAL_OK",
    ]


def test_history__read_beside_the_daemon__is_what_the_daemon_sees(sql: SqlJournal, reader: JournalReader) -> None:
    run(sql, wish(), 0, 1, NOW + 12)
    sql.record_cycle(cycle())
    assert reader.history("treasury", NOW + 60) == sql.history("treasury", NOW + 60)
    assert len(reader.history("treasury", NOW + 60).trades) == 1


def test_summary__of_a_vault__says_what_status_shows(sql: SqlJournal, reader: JournalReader) -> None:
    empty = reader.summary("treasury")
    assert (empty.cycle, empty.paused, empty.halted, empty.last_trade, empty.live) == (None, None, "", None, ())
    sql.record_cycle(cycle())
    run(sql, wish(), 0, 1, NOW + 12)
    run(sql, wish(), 1, 2, NOW + 24, to=State.FINAL_REVERTED)
    intent = sql.intend(wish(), 2)
    sql.halt("treasury", "no effects", NOW)
    found = reader.summary("treasury")
    assert found.cycle is not None
    assert (found.cycle.number, found.halted, found.last_trade, found.live) == (1, "no effects", NOW + 12, (intent,))


def test_samples__one_an_hour__survive_exactly(sql: SqlJournal, reader: JournalReader) -> None:
    start = NOW - NOW % 3600
    for at in (start + 5, start + 3599, start + 3600, start + 7300):
        sql.sample(sample(at))
    sql.sample(sample(start + 10, vault="other"))
    assert [kept.at - start for kept in reader.samples("treasury")] == [5, 3600, 7300]
    assert reader.samples("treasury", until=start + 6) == [sample(start + 5)]
    assert len(reader.samples("other", since=start)) == 1


def test_beats__of_each_chain__the_latest(sql: SqlJournal, reader: JournalReader) -> None:
    sql.beat(CHAIN, NOW, 100, "2 vaults")
    sql.beat(CHAIN, NOW + 12, 101, "1 vaults")
    sql.beat(8453, NOW, 5, "")
    assert [(b.chain_id, b.at, b.block_number, b.text) for b in reader.beats()] == [
        (8453, NOW, 5, ""),
        (CHAIN, NOW + 12, 101, "1 vaults"),
    ]


def test_totals__of_all__count_turns_trades_costs_and_refusals(sql: SqlJournal, reader: JournalReader) -> None:
    verdicts = [{"guard": "max_trade", "reason": "too much"}, {"guard": "cool_down", "reason": ""}]
    for turn in range(3):
        sql.record_cycle(cycle(at=NOW + turn))
    for turn in range(2):
        guards = ("max_trade", "cool_down")
        sql.record_cycle(
            cycle(at=NOW + 60 + turn, kind="denied", code="max_trade", guards=guards, decision={"guards": verdicts})
        )
    run(sql, wish(), 0, 1, NOW + 12)
    run(sql, wish(), 1, 2, NOW + 24)
    run(sql, wish(), 2, 3, NOW + 36, to=State.FINAL_REVERTED)
    found = read_totals(reader)
    assert (found.turns, found.by_kind) == (5, {"hold": 3, "denied": 2})
    assert (found.transactions, found.trades, found.sold) == (3, 2, usd(62_400))
    assert (found.fee, found.impact, found.others, found.gas) == (usd("31.2"), usd("7.8"), usd(11), usd("9.36"))
    assert found.cost == usd(50)
    assert [(each.guard, each.count, each.reason) for each in found.refusals] == [
        ("cool_down", 2, f"denied at {NOW + 61}"),
        ("max_trade", 2, "too much"),
    ]
    assert read_totals(reader, "other").turns == 0
    assert read_totals(reader, since=NOW + DAY).trades == 0


def test_writer__from_several_threads__loses_nothing(sql: SqlJournal, reader: JournalReader) -> None:
    def work(vault: str) -> None:
        for turn in range(20):
            sql.record_cycle(cycle(vault=vault, code=f"c{turn}"))
            reader.cycles(limit=1)

    threads = [threading.Thread(target=work, args=(f"v{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reader.cycles(limit=None)) == 80


def test_pins__kept_again_and_changed__are_those_of_the_time_asked_for(url: str) -> None:
    clock = iter([100, 100, 200, 300])
    with SqlJournal(url, now=lambda: next(clock)) as journal:
        journal.keep_pins("c0", 1, "first")
        journal.keep_pins("c0", 1, "second")
        journal.keep_pins("c0", 1, "second")
    with JournalReader(url) as reader:
        found = [reader.pins("c0", 1, at) for at in (99, 100, 199, 200, 900)]
        assert found == ["first", "first", "first", "second", "second"]
        assert reader.pins("c0", 8453, 900) is None
