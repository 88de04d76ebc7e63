"""What is forgotten, and that every nonce stays explained."""

from __future__ import annotations

from dataclasses import replace

from keeper.core.records import NewProposal
from keeper.core.sending import State
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import ACCOUNT, NOW, address
from tests.unit.journal.situations_journal import DAY, cycle, run, sample, wish
from tests.unit.journal.test_streaks import block


def changing(sql: SqlJournal, vault: str, count: int, at: int = NOW) -> list[int]:
    """So many cycles a minute apart, none like any other."""
    return [sql.record_cycle(cycle(vault, at + 60 * turn, code=f"at {at + turn}")) for turn in range(count)]


def numbers(reader: JournalReader) -> set[int]:
    return {row.number for row in reader.cycles(limit=None)}


def test_prune__old_cycles__go_and_the_latest_of_each_vault_stays(sql: SqlJournal, reader: JournalReader) -> None:
    treasury, other = changing(sql, "treasury", 5), changing(sql, "other", 1)
    young = changing(sql, "treasury", 2, NOW + DAY)
    assert sql.prune(NOW + DAY) == (5, treasury[-1])
    assert numbers(reader) == {*other, *young}
    assert sql.prune(NOW + 9 * DAY) == (1, young[0])
    assert sql.prune(NOW + 9 * DAY) == (0, 0)
    assert numbers(reader) == {*other, young[1]}


def test_prune__a_streak_that_went_on_until_lately__stays_and_then_goes_whole(
    sql: SqlJournal, reader: JournalReader
) -> None:
    (number,) = changing(sql, "treasury", 1)
    sql.go_on({"treasury": 3}, block(NOW + DAY))
    (last,) = changing(sql, "treasury", 1, NOW + 2 * DAY)
    later = sql.record_cycle(cycle(at=NOW + 2 * DAY + 60, code="dust"))
    assert sql.prune(NOW + DAY) == (0, 0)
    assert sql.prune(NOW + DAY + 1) == (1, number)
    assert numbers(reader) == {last, later} - {number}


def test_prune__what_became_a_transaction_or_a_proposal__stays_with_its_inputs(
    sql: SqlJournal, reader: JournalReader
) -> None:
    first = sql.record_cycle(cycle(kind="intended", code="swap"))
    intent = run(sql, wish(cycle=first), 0, 1, NOW + 12)
    second = sql.record_cycle(cycle("people", kind="proposed", code="swap"))
    new = replace(wish("people", address(0x5AFE), cycle=second), deadline=NOW + DAY)
    sql.propose(NewProposal(new, 3, "0x" + "ab" * 32, 1))
    changing(sql, "treasury", 2, NOW + 60)
    changing(sql, "people", 2, NOW + 60)
    sql.sample(sample())
    sql.halt(ACCOUNT, "look", NOW)
    before = reader.history("treasury", NOW + 99 * DAY)
    assert sql.prune(NOW + 99 * DAY)[0] == 2
    kept = {row.number: row for row in reader.cycles(limit=None)}
    assert {first, second} < kept.keys()
    assert kept[first].first_inputs == b"inputs %d" % NOW
    assert [entry.intent.id for entry in reader.transactions()] == [intent]
    assert [step.after for step in reader.transitions(intent)][-1] == State.FINAL_OK
    assert len(reader.samples("treasury")) == len(reader.halts()) == 1
    assert reader.history("treasury", NOW + 99 * DAY) == before == sql.history("treasury", NOW + 99 * DAY)


def test_prune__more_than_one_portion__goes_on_where_it_was(sql: SqlJournal, reader: JournalReader) -> None:
    made = changing(sql, "treasury", 450)
    left, after, portions = 450, 0, []
    while (found := sql.prune(NOW + 9 * DAY, after)) != (0, 0):
        count, after = found
        portions.append(count)
        left -= count
    assert portions == [200, 200, 49]
    assert numbers(reader) == {made[-1]}
    assert left == 1


def test_prune__its_numbers__are_never_given_again(sql: SqlJournal) -> None:
    made = changing(sql, "treasury", 3)
    sql.prune(NOW + 9 * DAY)
    assert sql.record_cycle(cycle("new")) == made[-1] + 1
