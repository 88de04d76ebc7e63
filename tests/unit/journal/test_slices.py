"""Slices are kept with their intents, and history gives them back: it is all that a schedule needs after a restart."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from keeper.core.sending import State
from keeper.core.slices import Parent, Slice
from keeper.journal.sql import SqlJournal
from tests.builders import NOW, USDC, WETH, usd
from tests.unit.journal.situations_journal import expectation, run, wish

DAY = 86_400
PARENT = Parent(NOW, WETH.address, USDC.address, usd("188068.61"), Fraction(3120), 12, 1440, Fraction(1, 10**6))


def part(number: int) -> Slice:
    return Slice(PARENT, number, 12, usd(15_672 * (number - 1)))


def traded(journal: Any, nonce: int, at: int, to: State = State.FINAL_OK, *, sliced: bool = True) -> None:
    expect = replace(expectation(), slice=part(nonce) if sliced else None)
    run(journal, wish(at=at - 12, expect=expect), nonce, nonce, at, to)


def test_history__after_slices__has_the_last_one_with_its_parent(journal: Any) -> None:
    for number in (1, 2):
        traded(journal, number, NOW + 1440 * number)
    found = journal.history("treasury", NOW + 3600).last_slice
    assert found is not None
    assert (found[0].at, found[1]) == (NOW + 2880, part(2))
    assert [trade.slice for trade in journal.history("treasury", NOW + 3600).trades] == [part(1), part(2)]


@pytest.mark.fault("M19")
def test_history__of_a_slice_that_reverted__is_as_if_it_had_never_been_tried(journal: Any) -> None:
    traded(journal, 1, NOW + 1440)
    traded(journal, 2, NOW + 2880, State.FINAL_REVERTED)
    found = journal.history("treasury", NOW + 3600).last_slice
    assert found is not None
    assert found[1] == part(1)


def test_history__after_another_trade__still_knows_the_slice_of_that_day(journal: Any) -> None:
    traded(journal, 1, NOW + 1440)
    traded(journal, 2, NOW + 2000, sliced=False)
    later = journal.history("treasury", NOW + 3600)
    assert later.last_slice is not None
    assert later.trades[-1].slice is None
    assert journal.history("treasury", NOW + 2 * DAY).last_slice is None


def test_history__of_a_journal_opened_again__has_the_same_slices(url: str) -> None:
    with SqlJournal(url, now=lambda: NOW) as first:
        traded(first, 1, NOW + 1440)
        before = first.history("treasury", NOW + 3600)
    with SqlJournal(url, now=lambda: NOW) as again:
        assert again.history("treasury", NOW + 3600) == before
    assert before.last_slice is not None
