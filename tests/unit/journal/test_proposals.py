"""Proposals in the journal: one open for each vault, and a trade only once its Safe has executed it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.core.errors import JournalError
from keeper.core.proposals import Fate
from keeper.core.records import NewProposal, Proposal
from keeper.core.sending import State
from keeper.core.units import Wei
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import CHAIN, ETH, NOW, USDC, WETH, address, units
from tests.unit.journal.situations_journal import cycle, expectation, outcome, receipt, wish

SAFE = address(0x5AFE)
HASH, OTHER = "0x" + "ab" * 32, "0x" + "cd" * 32


def wanted(sql: SqlJournal, hash_: str = HASH, nonce: int = 7) -> NewProposal:
    number = sql.record_cycle(cycle(kind="proposed", code="swap"))
    new = replace(
        wish(sender=SAFE, cycle=number, expect=expectation()), account=SAFE, gas_limit=0, asks="its owners sign"
    )
    return NewProposal(new, nonce, hash_, 1_000)


def execute(sql: SqlJournal, proposal: Proposal) -> int:
    done = replace(receipt(at=NOW + 24), hash=HASH, gas_cost=Wei(0))
    return sql.executed(proposal, done, replace(outcome(0), mined=done))


def test_propose__one__waits_and_is_no_trade(sql: SqlJournal) -> None:
    proposal = sql.propose(wanted(sql))
    assert sql.waiting(CHAIN) == (proposal,)
    history = sql.history("treasury", NOW + 60)
    assert history.trades == ()
    assert history.proposal is not None
    assert (history.proposal.hash, history.proposal.nonce) == (HASH, 7)
    assert history.proposal.bargains == ((units(WETH, 10), units(USDC, 31_000)),)


def test_propose__a_second_one__supersedes_the_first_which_may_still_be_executed(sql: SqlJournal) -> None:
    first = sql.propose(wanted(sql))
    second = sql.propose(wanted(sql, OTHER), "the price has moved")
    assert [(each.hash, each.fate, each.note) for each in sql.waiting(CHAIN)] == [
        (first.hash, Fate.SUPERSEDED, "the price has moved"),
        (second.hash, Fate.OPEN, ""),
    ]


def test_proposals__two_open_for_one_vault__the_database_refuses(sql: SqlJournal, path: Path) -> None:
    sql.propose(wanted(sql))
    sql.propose(wanted(sql, OTHER), "replaced")
    raw = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        raw.execute("UPDATE proposals SET fate = 'open'")
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        raw.execute("DELETE FROM proposals")
    raw.close()


def test_withdraw__the_open_one__is_told_to_the_next_decision(sql: SqlJournal) -> None:
    sql.propose(wanted(sql))
    sql.withdraw("treasury", "in band again")
    history = sql.history("treasury", NOW)
    assert history.proposal is not None and history.proposal.withdrawn == "in band again"


@pytest.mark.parametrize("fate", [Fate.OVERTAKEN, Fate.EXPIRED])
def test_end__overtaken_or_expired__is_over_for_good_and_no_trade(sql: SqlJournal, path: Path, fate: Fate) -> None:
    proposal = sql.propose(wanted(sql))
    sql.end_proposal(proposal.id, fate, NOW + 60, "why")
    assert sql.waiting(CHAIN) == ()
    history = sql.history("treasury", NOW + 60)
    assert (history.proposal, history.trades) == (None, ())
    raw = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="said once"):
        raw.execute("UPDATE proposals SET fate = 'open'")
    raw.close()


def test_executed__by_its_owners__is_a_final_transaction_with_its_fill_and_counts(sql: SqlJournal, url: str) -> None:
    proposal = sql.propose(wanted(sql))
    execute(sql, proposal)
    history = sql.history("treasury", NOW + 60)
    assert history.proposal is None
    assert [(trade.at, str(trade.notional)) for trade in history.trades] == [
        (NOW + 24, str(expectation().value_sold)),
    ]
    assert sql.waiting(CHAIN) == ()
    assert sql.live(CHAIN) == ()
    with JournalReader(url) as reader:
        (entry,) = reader.transactions("treasury")
    intent = entry.intent
    assert (intent.state, intent.sender, intent.nonce) == (State.FINAL_OK, SAFE, 7)
    assert [attempt.hash for attempt in intent.attempts] == [HASH]
    assert entry.outcome is not None and entry.outcome.fill is not None


def test_executed__twice__is_refused_and_counts_once(sql: SqlJournal) -> None:
    proposal = sql.propose(wanted(sql))
    execute(sql, proposal)
    with pytest.raises(JournalError):
        execute(sql, proposal)
    assert len(sql.history("treasury", NOW + 60).trades) == 1


def test_observed__while_one_waits__nothing_is_taken_for_a_deposit(sql: SqlJournal) -> None:
    before = {WETH: units(WETH, 10), ETH: units(ETH, 1)}
    sql.observe_balances("treasury", NOW, 1_000, before, {})
    proposal = sql.propose(wanted(sql))
    after = {WETH: units(WETH, 0), ETH: units(ETH, 1)}
    assert sql.observe_balances("treasury", NOW + 12, 1_001, after, {}) == ()
    sql.end_proposal(proposal.id, Fate.OVERTAKEN, NOW + 24)
    (flow,) = sql.observe_balances("treasury", NOW + 24, 1_002, after, {})
    assert flow.amount == units(WETH, -10)


def test_waiting__after_a_restart__is_the_same(url: str) -> None:
    with SqlJournal(url, now=lambda: NOW) as journal:
        proposal = journal.propose(wanted(journal))
    with SqlJournal(url, now=lambda: NOW) as again:
        assert again.waiting(CHAIN) == (proposal,)
