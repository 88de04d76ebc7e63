"""What every journal keeps, whatever it writes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keeper.core.calls import Purpose
from keeper.core.drain import drain_scope
from keeper.core.errors import Halted, JournalError, TransientError
from keeper.core.pegs import Trace
from keeper.core.ports import Journal
from keeper.core.records import Request
from keeper.core.sending import ARROWS, State
from keeper.core.units import TokenAmount
from keeper.journal.memory import MemoryJournal
from tests.builders import ACCOUNT, CHAIN, NOW, address, usd
from tests.unit.journal.situations_journal import DAY, POOL, attempt, cycle, outcome, receipt, run, sample, swap, wish

OTHER = address(0x0DD)


def test_port__either_journal__is_one(journal: Journal) -> None:
    assert journal.live(CHAIN) == ()


# --- cycles ----------------------------------------------------------------------------------------------------------


def test_record_cycle__unchanged__extends_the_streak(journal: Any) -> None:
    numbers = [journal.record_cycle(cycle(at=NOW + 60 * turn)) for turn in range(4)]
    assert len(set(numbers)) == 1
    assert journal.history("treasury", NOW + 300).cycles_in_streak == 4


@pytest.mark.parametrize("kind", ["hold", "wait", "unusable", "denied", "dry"])
def test_record_cycle__every_kind_that_starts_nothing__extends(journal: Any, kind: str) -> None:
    assert journal.record_cycle(cycle(kind=kind)) == journal.record_cycle(cycle(kind=kind, at=NOW + 60))


def test_record_cycle__intended__is_never_extended(journal: Any) -> None:
    first = journal.record_cycle(cycle(kind="intended", code="swap"))
    assert journal.record_cycle(cycle(kind="intended", code="swap", at=NOW + 60)) != first


@pytest.mark.parametrize(
    "changed",
    [{"kind": "wait"}, {"code": "dust"}, {"guards": ("max_trade",)}, {"config_hash": "c1"}, {"armed": True}],
)
def test_record_cycle__something_changed__begins_anew(journal: Any, changed: dict[str, Any]) -> None:
    first = journal.record_cycle(cycle())
    second = journal.record_cycle(cycle(at=NOW + 60, **changed))
    assert second != first
    assert journal.history("treasury", NOW + 90).cycles_in_streak == 1


def test_record_cycle__another_vault_in_between__does_not_break_a_streak(journal: Any) -> None:
    first = journal.record_cycle(cycle())
    journal.record_cycle(cycle(vault="other"))
    assert journal.record_cycle(cycle(at=NOW + 60)) == first


# --- nonces ----------------------------------------------------------------------------------------------------------


def test_intend__fresh_journal__takes_the_chains_nonce(journal: Journal) -> None:
    intent = journal.intend(wish(), 41)
    assert (intent.nonce, intent.state, journal.live(CHAIN)) == (41, State.RESERVED, (intent,))


@pytest.mark.fault("R19")
def test_intend__after_a_final_one__takes_the_next(journal: Journal) -> None:
    run(journal, wish(), 7, 1, NOW + 12)
    assert journal.intend(wish(at=NOW + 60), 8).nonce == 8


@pytest.mark.fault("P16")
@pytest.mark.fault("P20")
def test_intend__chain_nonce_beyond_ours__halts_with_figures(journal: Journal) -> None:
    run(journal, wish(), 6, 1, NOW + 12)
    with pytest.raises(Halted, match="expected nonce 7 next, chain says 9: the key was used elsewhere"):
        journal.intend(wish(), 9)
    assert "expected nonce 7 next, chain says 9" in journal.halted(ACCOUNT)
    with pytest.raises(Halted):
        journal.intend(wish(), 7)


@pytest.mark.fault("R19")
def test_intend__node_lags_behind_an_unfinal_one__waits(journal: Journal) -> None:
    run(journal, wish(), 6, 1, NOW + 12, to=State.CONFIRMED)
    with pytest.raises(TransientError, match="expected nonce 7 next, chain says 6: the node lags"):
        journal.intend(wish(), 6)
    assert journal.halted(ACCOUNT) == ""


def test_intend__chain_forgot_a_final_one__halts(journal: Journal) -> None:
    run(journal, wish(), 6, 1, NOW + 12)
    with pytest.raises(Halted, match="what was final is not on this chain"):
        journal.intend(wish(), 6)


@pytest.mark.parametrize(
    ("second", "named"),
    [
        (wish(vault="other"), "sender"),
        (wish(sender=OTHER), "vault treasury"),
        (wish(vault="other", sender=OTHER, pools=(POOL,)), "pool"),
    ],
)
def test_intend__shares_something_live__waits(journal: Journal, second: Any, named: str) -> None:
    journal.intend(wish(pools=(POOL,)), 3)
    with pytest.raises(TransientError, match=f"{named}.*RESERVED.*is live"):
        journal.intend(second, 4)


def test_intend__nothing_shared__both_live(journal: Journal) -> None:
    journal.intend(wish(pools=(POOL,)), 3)
    journal.intend(wish(vault="other", sender=OTHER), 3)
    assert [intent.vault for intent in journal.live(CHAIN)] == ["treasury", "other"]


def test_intend__after_an_abandoned_one__reuses_its_nonce(journal: Journal) -> None:
    first = journal.intend(wish(), 5)
    journal.advance(first.id, State.FINAL_CANCELLED, note="never signed")
    assert journal.intend(wish(), 5).nonce == 5


def test_intend__second_of_a_cycle__is_refused(journal: Journal) -> None:
    number = journal.record_cycle(cycle(kind="intended"))
    run(journal, wish(cycle=number), 0, 1, NOW + 12)
    with pytest.raises(JournalError):
        journal.intend(wish(cycle=number), 1)


def test_intend__halted_vault__is_refused(journal: Journal) -> None:
    journal.halt("treasury", "effects missing", NOW)
    with pytest.raises(Halted, match="treasury is halted: effects missing"):
        journal.intend(wish(), 0)


# --- the life of an intent -------------------------------------------------------------------------------------------


def test_attempt__first__makes_it_signed_and_later_ones_leave_it(journal: Journal) -> None:
    intent = journal.intend(wish(), 0)
    assert journal.attempt(intent.id, attempt(1)).state is State.SIGNED
    assert journal.advance(intent.id, State.SIGNED).state is State.SIGNED
    journal.advance(intent.id, State.MAYBE_SENT)
    bumped = journal.attempt(intent.id, attempt(2))
    assert (bumped.state, [a.hash for a in bumped.attempts]) == (State.MAYBE_SENT, [attempt(1).hash, attempt(2).hash])
    assert journal.live(CHAIN) == (bumped,)


def test_attempt__leaves__maybe_sent_is_written_with_it(journal: Journal) -> None:
    intent = journal.intend(wish(), 0)
    assert journal.attempt(intent.id, attempt(1), leaves=True).state is State.MAYBE_SENT
    journal.advance(intent.id, State.SENT)
    bumped = journal.attempt(intent.id, attempt(2), leaves=True)
    assert (bumped.state, len(bumped.attempts)) == (State.MAYBE_SENT, 2)
    assert journal.attempt(intent.id, attempt(3), leaves=True).state is State.MAYBE_SENT
    with pytest.raises(JournalError):
        journal.attempt(intent.id, attempt(3), leaves=True)
    assert journal.live(CHAIN)[0].state is State.MAYBE_SENT


def test_attempt__same_hash_twice__is_refused(journal: Journal) -> None:
    intent = journal.intend(wish(), 0)
    journal.attempt(intent.id, attempt(1))
    with pytest.raises(JournalError):
        journal.attempt(intent.id, attempt(1))


def test_attempt__after_mined__is_refused(journal: Journal) -> None:
    number = run(journal, wish(), 0, 1, NOW + 12, to=State.CONFIRMED)
    with pytest.raises(JournalError, match="expected a state before MINED"):
        journal.attempt(number, attempt(2))


def test_advance__arrow_not_drawn__is_refused_and_nothing_changes(journal: Journal) -> None:
    intent = journal.intend(wish(), 0)
    with pytest.raises(JournalError, match="no arrow from RESERVED to SENT; drawn: EXTERNAL, FINAL_CANCELLED, SIGNED"):
        journal.advance(intent.id, State.SENT)
    assert journal.live(CHAIN) == (intent,)


def test_advance__signed_without_an_attempt__is_refused(journal: Journal) -> None:
    intent = journal.intend(wish(), 0)
    with pytest.raises(JournalError, match="expected an attempt before SIGNED"):
        journal.advance(intent.id, State.SIGNED)


def test_advance__receipt_of_a_stranger__is_refused(journal: Journal) -> None:
    intent = journal.intend(wish(), 0)
    journal.attempt(intent.id, attempt(1))
    journal.advance(intent.id, State.MAYBE_SENT)
    with pytest.raises(JournalError, match="none of its 1 attempts"):
        journal.advance(intent.id, State.MINED, receipt(99))
    with pytest.raises(JournalError, match="expected a receipt for MINED"):
        journal.advance(intent.id, State.MINED)


def test_advance__final_against_its_status__is_refused(journal: Journal) -> None:
    number = run(journal, wish(), 0, 1, NOW + 12, to=State.CONFIRMED)
    with pytest.raises(JournalError, match="expected status 0 for FINAL_REVERTED, was 1"):
        journal.advance(number, State.FINAL_REVERTED)


@pytest.mark.parametrize("final", [state for state in State if not ARROWS[state]])
def test_advance__out_of_a_final_state__has_no_arrow(journal: Journal, final: State) -> None:
    number = run(journal, wish(), 0, 1, NOW + 12)
    with pytest.raises(JournalError, match="no arrow from FINAL_OK"):
        journal.advance(number, final)


def test_advance__reorg_of_a_confirmed_one__makes_it_live_without_receipt(journal: Journal) -> None:
    number = run(journal, wish(), 0, 1, NOW + 12, to=State.CONFIRMED)
    intent = journal.advance(number, State.MAYBE_SENT, note="reorg")
    assert (intent.mined, intent.note) == (None, "reorg")
    assert journal.history("treasury", NOW + 60).trades == ()
    with pytest.raises(TransientError):
        journal.intend(wish(), 0)


def test_advance__reorg_while_a_later_one_is_live__both_are_live(journal: Journal) -> None:
    first = run(journal, wish(), 0, 1, NOW + 12, to=State.CONFIRMED)
    second = journal.intend(wish(), 1)
    journal.attempt(second.id, attempt(2))
    journal.advance(second.id, State.MAYBE_SENT)
    journal.advance(first, State.MAYBE_SENT)
    assert [intent.state for intent in journal.live(CHAIN)] == [State.MAYBE_SENT, State.MAYBE_SENT]


def test_unknown_intent__any_method__is_a_journal_error(journal: Journal) -> None:
    for ask in (
        lambda: journal.attempt(9, attempt()),
        lambda: journal.advance(9, State.SENT),
        lambda: journal.expectation(9),
        lambda: journal.finish(outcome(9)),
    ):
        with pytest.raises(JournalError, match="intent 9: not in the journal"):
            ask()


def test_expectation__of_an_intent__is_what_was_asked_for(journal: Journal) -> None:
    new = wish(cycle=journal.record_cycle(cycle(kind="intended")), pools=(POOL,))
    found = journal.expectation(journal.intend(new, 0).id)
    assert found == new
    (swap,) = found.expect.swaps
    assert (swap.sell.token.symbol, swap.sell.token.decimals) == ("WETH", 18)


# --- the past --------------------------------------------------------------------------------------------------------


def test_history__trades_of_a_day__are_there_with_value_and_gas(journal: Journal) -> None:
    run(journal, wish(), 0, 1, NOW + 12)
    (trade,) = journal.history("treasury", NOW + 60).trades
    assert (trade.at, trade.notional, trade.gas_cost) == (NOW + 12, usd(31_200), usd("3.12"))
    assert journal.history("treasury", NOW + 60).gas == ((NOW + 12, usd("3.12")),)
    assert journal.history("other", NOW + 60).trades == ()


def test_history__trade__says_what_it_sold(journal: Journal) -> None:
    new = wish()
    run(journal, new, 0, 1, NOW + 12)
    (trade,) = journal.history("treasury", NOW + 60).trades
    assert trade.sold == new.expect.swaps[0].sell.token.address


def test_history__trace__is_that_of_the_last_cycle_of_its_vault_that_had_one(journal: Any) -> None:
    assert journal.history("treasury", NOW).trace is None
    for block in (1, 2):
        journal.record_cycle(replace(cycle(), trace=Trace("00ff", NOW, block)))
    journal.record_cycle(replace(cycle(), vault="other", trace=Trace("00ff", NOW, 9)))
    journal.record_cycle(cycle(kind="denied"))
    assert journal.history("treasury", NOW).trace == Trace("00ff", NOW, 2)
    assert journal.history("other", NOW).trace == Trace("00ff", NOW, 9)


def test_history__older_than_a_day__only_the_last_trade_stays(journal: Journal) -> None:
    run(journal, wish(), 0, 1, NOW + 12)
    run(journal, wish(), 1, 2, NOW + 24)
    past = journal.history("treasury", NOW + 2 * DAY)
    assert [trade.at for trade in past.trades] == [NOW + 24]
    assert past.gas == ()


def test_history__mined_and_not_concluded_yet__counts_already(journal: Journal) -> None:
    intent = journal.intend(wish(), 0)
    journal.attempt(intent.id, attempt(1))
    journal.advance(intent.id, State.MAYBE_SENT)
    journal.advance(intent.id, State.MINED, receipt(1))
    past = journal.history("treasury", NOW + 60)
    assert [(trade.notional, trade.gas_cost) for trade in past.trades] == [(usd(31_200), usd("3.12"))]


def test_history__reverted_or_cancelled__costs_gas_and_is_no_trade(journal: Journal) -> None:
    run(journal, wish(), 0, 1, NOW + 12, to=State.FINAL_REVERTED)
    intent = journal.intend(wish(), 1)
    journal.attempt(intent.id, attempt(2, Purpose.CANCEL))
    journal.advance(intent.id, State.MAYBE_SENT)
    journal.advance(intent.id, State.MINED, receipt(2, NOW + 24))
    past = journal.history("treasury", NOW + 60)
    assert past.trades == ()
    assert [at for at, _ in past.gas] == [NOW + 12, NOW + 24]


def test_history__seed__is_the_vaults_own_and_stays(journal: Journal) -> None:
    seed = journal.history("treasury", NOW).seed
    assert seed == journal.history("treasury", NOW + DAY).seed
    assert seed != journal.history("other", NOW).seed


def test_finish__said_twice__the_later_one_counts(journal: Journal) -> None:
    number = run(journal, wish(), 0, 1, NOW + 12, to=State.CONFIRMED)
    later = outcome(number, receipt(1))
    journal.finish(later)
    assert journal.history("treasury", NOW + 60).trades[0].gas_cost == later.gas_value


def test_finish__never_mined__is_refused(journal: Journal) -> None:
    intent = journal.intend(wish(), 0)
    with pytest.raises(JournalError, match="expected MINED or later for an outcome, was RESERVED"):
        journal.finish(outcome(intent.id))


# --- switches --------------------------------------------------------------------------------------------------------


def test_halt__until_cleared__stands(journal: Any) -> None:
    for _ in range(2):
        journal.halt("treasury", "no effects", NOW)
    assert journal.halted("treasury") == "no effects"
    assert journal.halted("other") == ""
    assert journal.clear("treasury", "ops", "looked at it") == 1
    assert journal.halted("treasury") == ""


@pytest.mark.parametrize("named", ["treasury", "*"])
def test_paused__by_apply__stops_intents_until_resumed(journal: Any, named: str) -> None:
    assert journal.apply(Request(1, "pause", named, "audit", "ana", NOW)).startswith("paused")
    assert journal.paused("treasury").by == "ana"
    assert journal.history("treasury", NOW).paused == "paused by ana: audit"
    with pytest.raises(TransientError, match="treasury: paused by ana: audit"):
        journal.intend(wish(), 0)
    assert journal.apply(Request(2, "resume", named, "", "ana", NOW)).startswith("resumed")
    assert journal.paused("treasury") is None
    assert journal.intend(wish(), 0).nonce == 0


def test_resume__one_vault_while_all_are_paused__says_so(journal: Any) -> None:
    journal.apply(Request(1, "pause", "*", "", "ana", NOW))
    assert "stays paused" in journal.apply(Request(2, "resume", "treasury", "", "ana", NOW))
    assert journal.paused("treasury") is not None


def test_resume__after_a_pause_that_nobody_answered__overtakes_it() -> None:
    memory = MemoryJournal()
    number = memory.ask("pause", "*", "", "ana", NOW)
    memory.ask("pause", "other", "", "ana", NOW)
    memory.apply(Request(0, "resume", "other", "", "ana", NOW))
    assert memory.paused("treasury") is not None
    memory.apply(Request(0, "resume", "*", "", "ana", NOW))
    assert memory.paused("treasury") is None
    assert memory.answers[number] == "overtaken by a resume"


def test_apply__action_of_others__is_refused(journal: Any) -> None:
    with pytest.raises(JournalError, match="expected one of pause, resume, halt, drain, clear, adopt, found cancel"):
        journal.apply(Request(1, "cancel", "treasury", "", "ana", NOW))


def test_apply__halt_and_clear__do_what_they_say(journal: Any) -> None:
    assert journal.apply(Request(1, "halt", "treasury", "", "ana", NOW)) == "halted treasury"
    assert journal.halted("treasury") == "asked for by ana"
    assert journal.apply(Request(2, "clear", "treasury", "fine", "ana", NOW)) == "cleared 1 of treasury"
    assert journal.apply(Request(3, "clear", "treasury", "fine", "ana", NOW)) == "treasury was not halted"


@pytest.mark.fault("S9")
def test_apply__drain__starts_nothing_new_and_finishes_what_was_begun(journal: Any) -> None:
    begun = journal.intend(wish(), 7)
    said = journal.apply(Request(0, "drain", ACCOUNT, "a new key", "ana", NOW))
    assert said == f"draining {ACCOUNT}: it starts nothing new, and finishes what it began"
    assert journal.halted(ACCOUNT) == "", "what is on its way is not halted"
    assert journal.attempt(begun.id, attempt()).state is State.SIGNED
    with pytest.raises(TransientError, match="is draining, and starts nothing new: a new key"):
        journal.intend(wish("other"), 8)
    assert journal.clear(drain_scope(ACCOUNT), "ana", "kept after all") == 1
    with pytest.raises(TransientError, match="live"):
        journal.intend(wish("other"), 8)


def test_answer__nobody_asked__is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError, match="request 3: not in the journal"):
        journal.answer(3, "done")


def test_sample_and_beat__any_time__are_taken(journal: Journal) -> None:
    journal.sample(sample())
    journal.sample(sample(NOW + 60))
    journal.beat(CHAIN, NOW, 100, "2 vaults")
    assert journal.requests() == ()


def test_call__with_value_beyond_64_bits__survives(journal: Journal) -> None:
    new = wish(call=swap(Purpose.WRAP, value=(1 << 255) + 1))
    assert journal.expectation(journal.intend(new, 0).id).call.value == (1 << 255) + 1
    assert isinstance(usd(1), TokenAmount)
