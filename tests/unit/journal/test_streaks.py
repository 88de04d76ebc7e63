"""Streaks that go on without a word, and pasts that are read again only where they changed: both journals."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from keeper.core.chain import Block
from keeper.core.errors import JournalError
from keeper.core.latches import Rearm, Trip
from keeper.core.pegs import Trace
from keeper.core.records import Request
from keeper.core.sending import State
from keeper.core.units import Wei
from keeper.journal.commands import RequestBox
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import ACCOUNT, CHAIN, ETH, NOW, USDC, address, units
from tests.statements import transactions
from tests.unit.journal.situations_journal import cycle, run, sample, wish

CASES = int(os.environ.get("KEEPER_CASES", "120"))
VAULTS = ("treasury", "other")


def block(at: int) -> Block:
    return Block(CHAIN, at // 12, f"0x{at:064x}", "0x" + "00" * 32, at, Wei(1), 30_000_000)


def test_go_on__some_turns__lengthen_the_streak_and_nothing_else(journal: Any) -> None:
    number = journal.record_cycle(cycle(max_drift_bps=30))
    for turn, drift in enumerate((20, 90, 40), start=1):
        journal.go_on({"treasury": drift}, block(NOW + 12 * turn))
    assert journal.history("treasury", NOW + 60).cycles_in_streak == 4
    assert journal.record_cycle(cycle(at=NOW + 60)) == number
    assert journal.history("treasury", NOW + 60).cycles_in_streak == 5
    assert journal.record_cycle(cycle(at=NOW + 72, code="dust")) != number
    assert journal.history("treasury", NOW + 72).cycles_in_streak == 1


def test_record_cycles__several__are_numbered_in_their_order(journal: Any) -> None:
    first, second = journal.record_cycles([cycle(), cycle(vault="other")])
    assert first != second
    assert tuple(journal.record_cycles([cycle("other", NOW + 12), cycle(at=NOW + 12)])) == (second, first)
    assert not journal.record_cycles([])


def test_record_cycles__one_cannot_be_written__none_is(sql: SqlJournal, reader: JournalReader) -> None:
    sql.record_cycle(cycle())
    broken = cycle("other", decision={"figure": float("nan")})
    with pytest.raises((JournalError, ValueError)):
        sql.record_cycles([cycle(at=NOW + 12), broken])
    assert [(row.vault, row.turns) for row in reader.cycles()] == [("treasury", 1)]
    assert sql.history("treasury", NOW + 24).cycles_in_streak == 1
    sql.record_cycle(cycle(at=NOW + 24))
    assert [row.turns for row in reader.cycles()] == [2]


def test_go_on__as_it_is_read__the_last_look_and_what_was_told_before(sql: SqlJournal, reader: JournalReader) -> None:
    sql.record_cycle(cycle(max_drift_bps=30))
    sql.go_on({"treasury": 90}, block(NOW + 12))
    (row,) = reader.cycles()
    assert (row.turns, row.max_drift_bps, row.at, row.block_number) == (2, 90, NOW + 12, (NOW + 12) // 12)
    assert (row.told_at, row.inputs, row.block_hash) == (NOW, b"inputs %d" % NOW, block(NOW + 12).hash)
    assert [found.number for found in reader.cycles(since=NOW + 12)] == [row.number]
    sql.record_cycle(cycle(at=NOW + 24))
    sql.go_on({"treasury": 10}, block(NOW + 36))
    (row,) = reader.cycles()
    assert (row.turns, row.max_drift_bps, row.at, row.told_at) == (4, 90, NOW + 36, NOW + 24)
    sql.record_cycle(cycle(at=NOW + 48, kind="dry", code="swap"))
    assert [(row.turns, row.at) for row in reader.cycles()] == [(1, NOW + 48), (4, NOW + 36)]


@pytest.mark.parametrize("count", [1, 9, 10, 11, 100, 101, 1_000, 1_011])
def test_go_on__however_many__each_goes_on_once(sql: SqlJournal, reader: JournalReader, count: int) -> None:
    names = [f"vault{number}" for number in range(count)]
    sql.record_cycles([cycle(name, max_drift_bps=1) for name in [*names, "other"]])
    for turn in (1, 2, 3):
        sql.go_on(dict.fromkeys(names, turn), block(NOW + 12 * turn))
    rows = {row.vault: (row.turns, row.max_drift_bps, row.at) for row in reader.cycles(limit=count + 1)}
    assert rows == {**dict.fromkeys(names, (4, 3, NOW + 36)), "other": (1, 1, NOW)}


def test_go_on__a_keeper_that_starts_anew__counts_on(url: str) -> None:
    with SqlJournal(url) as journal:
        number = journal.record_cycle(cycle())
        journal.go_on({"treasury": 90}, block(NOW + 12))
    with SqlJournal(url) as journal:
        assert journal.history("treasury", NOW + 24).cycles_in_streak == 2
        assert journal.record_cycle(cycle(at=NOW + 24)) == number
        assert journal.history("treasury", NOW + 24).cycles_in_streak == 3


def test_go_on__no_cycle_to_go_on__is_refused(sql: SqlJournal) -> None:
    with pytest.raises(JournalError, match="treasury: expected a cycle that goes on, found none"):
        sql.go_on({"treasury": 1}, block(NOW))


# --- what changes a past ---------------------------------------------------------------------------------------------


def test_marks__a_streak_goes_on_or_time_passes__stay_equal(journal: Any) -> None:
    journal.record_cycle(cycle())
    before = journal.marks(VAULTS)
    journal.record_cycle(cycle(at=NOW + 12))
    journal.go_on({"treasury": 1}, block(NOW + 24))
    journal.beat(CHAIN, NOW, 1, "")
    assert journal.marks(VAULTS) == before


CHANGES: Sequence[Callable[[Any], object]] = (
    lambda journal: journal.intend(wish(), 0),
    lambda journal: journal.halt(ACCOUNT, "look", NOW),
    lambda journal: journal.latch("treasury", [Trip("loss", "lost", Rearm())], NOW),
    lambda journal: journal.apply(Request(1, "pause", "*", "why", "me", NOW)),
    lambda journal: journal.record_cycle(cycle(trace=Trace("s", NOW, 1))),
)


@pytest.mark.parametrize("change", CHANGES)
def test_marks__something_of_it_changes__differ(journal: Any, change: Callable[[Any], object]) -> None:
    before = journal.marks(VAULTS)["treasury"]
    change(journal)
    assert journal.marks(VAULTS)["treasury"] != before


def test_marks__another_process_asks_for_a_pause__differ_for_all(sql: SqlJournal, box: RequestBox) -> None:
    before = sql.marks(VAULTS)
    box.ask("pause", "treasury", "look", "me", NOW)
    after = sql.marks(VAULTS)
    assert all(after[vault] != before[vault] for vault in VAULTS)
    assert sql.history("treasury", NOW).paused == "paused by me: look"


def test_history__mark_just_seen__the_database_is_asked_only_where_it_has_changed(sql: SqlJournal) -> None:
    sql.record_cycle(cycle(at=NOW))
    before, mark = sql.history("treasury", NOW), sql.marks(["treasury"])["treasury"]
    asked = transactions(sql)
    assert sql.history("treasury", NOW + 12, seen=mark) == before and not asked
    sql.apply(Request(1, "pause", "treasury", "why", "me", NOW))
    asked.clear()
    sql.history("treasury", NOW + 24, seen=mark)
    assert asked


def test_history__whatever_was_written_before__is_what_a_reader_finds(
    sql: SqlJournal, reader: JournalReader, box: RequestBox
) -> None:
    """Random lives of two vaults. Where marks are equal, so are the histories, but for time and streaks."""
    life = Going(sql, box, random.Random(20_261_121))
    for _ in range(CASES):
        before = sql.marks(VAULTS)
        told = {vault: reader.history(vault, life.now, 7_200) for vault in VAULTS}
        life.step()
        for vault in VAULTS:
            again = reader.history(vault, life.now, 7_200)
            assert sql.history(vault, life.now, 7_200) == again, life.done
            if sql.marks(VAULTS)[vault] == before[vault] and life.now == life.before:
                assert (again.trades, again.latches, again.paused) == (
                    told[vault].trades,
                    told[vault].latches,
                    told[vault].paused,
                ), life.done


class Going:
    """One of many things happens at each step, and sometimes time passes."""

    def __init__(self, journal: SqlJournal, box: RequestBox, chance: random.Random) -> None:
        self.journal, self.box, self.chance = journal, box, chance
        self.now = self.before = NOW
        self.hashes, self.nonces = 0, dict.fromkeys(VAULTS, 0)
        self.done: list[str] = []

    def step(self) -> None:
        self.before = self.now
        self.now += self.chance.choice((0, 0, 12, 12, 1_800, 90_000))
        vault = self.chance.choice(VAULTS)
        acts = (self.trade, self.hold, self.refuse, self.go_on, self.sample, self.flow, self.trip, self.clear, self.ask)
        act = self.chance.choice(acts)
        self.done = [*self.done[-5:], f"{act.__name__} {vault} at {self.now}"]
        act(vault)

    def trade(self, vault: str) -> None:
        sender, state = address(0xA0 + VAULTS.index(vault)), self.chance.choice((State.FINAL_OK, State.FINAL_REVERTED))
        if self.journal.halted(vault) or self.journal.paused(vault):
            return
        self.hashes += 1
        run(self.journal, wish(vault, sender, self.now), self.nonces[vault], self.hashes, self.now, state)
        self.nonces[vault] += 1

    def hold(self, vault: str) -> None:
        self.journal.record_cycle(cycle(vault, self.now, code=self.chance.choice(("in_band", "dust"))))

    def refuse(self, vault: str) -> None:
        self.journal.record_cycle(cycle(vault, self.now, "denied", "gas", guards=("gas",)))

    def go_on(self, vault: str) -> None:
        if self.journal.history(vault, self.now).cycles_in_streak:
            self.journal.go_on({vault: 7}, block(self.now))

    def sample(self, vault: str) -> None:
        self.journal.sample(sample(self.now, vault))

    def flow(self, vault: str) -> None:
        held = {USDC: units(USDC, self.chance.randint(1, 9)), ETH: units(ETH, 1)}
        self.journal.observe_balances(vault, self.now, self.now // 12, held, {})

    def trip(self, vault: str) -> None:
        trips = [Trip("loss", "lost", Rearm(self.chance.choice((None, 60))))]
        self.journal.latch(vault, trips * self.chance.randint(0, 1), self.now)

    def clear(self, vault: str) -> None:
        self.journal.clear(vault, "me", "seen")

    def ask(self, vault: str) -> None:
        number = self.box.ask(self.chance.choice(("pause", "resume")), vault, "why", "me", self.now)
        if self.chance.random() < 0.7:
            request = next(request for request in self.journal.requests() if request.id == number)
            self.journal.answer(number, self.journal.apply(request))
