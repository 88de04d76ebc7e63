"""Speed-up and cancel, as people ask for them while a transaction is live."""

from __future__ import annotations

import pytest

from keeper.chain.sending.fees import FeePolicy
from keeper.chain.sending.wishes import concerns
from keeper.core.calls import Purpose
from keeper.core.sending import State
from keeper.core.units import Wei
from tests.unit.chain.lives import GWEI
from tests.unit.chain.sending.test_submitter import Room


@pytest.fixture
def room() -> Room:
    """With one transaction in the pool."""
    room = Room()
    room.submit()
    room.events.clear()
    return room


def asked(room: Room, action: str, target: str = "treasury") -> str:
    number = room.journal.ask(action, target)
    room.submitter.settle()
    return room.journal.answers[number]


@pytest.mark.fault("T3")
def test_speed_up__while_it_waits__one_replacement_above_the_highest(room: Room) -> None:
    said = asked(room, "speed-up")
    assert said.startswith("nonce 7 of treasury: a replacement is signed and sent, 0x")
    first, second = room.intent.attempts
    assert second.fees.cap * 10 >= first.fees.cap * 11 and second.purpose is Purpose.SWAP
    room.submitter.settle()
    assert len(room.intent.attempts) == 2, "one wish, one replacement"


@pytest.mark.fault("T12")
def test_cancel__long_before_its_deadline__same_nonce_and_nothing_else_after_it(room: Room) -> None:
    said = asked(room, "cancel", room.hash())
    assert said.startswith("nonce 7 of treasury: its cancel is signed and sent, 0x")
    assert [(t["nonce"], t["value"], t["data"]) for t in room.signer.signed[1:]] == [(7, 0, b"")]
    room.node.pass_blocks(20)
    room.submitter.settle()
    assert {attempt.purpose for attempt in room.intent.attempts[1:]} == {Purpose.CANCEL}
    room.node.mine(room.hash())
    room.node.pass_blocks(20)
    room.submitter.settle()
    assert room.state is State.FINAL_CANCELLED


def test_cancel__asked_for_twice__is_not_signed_twice(room: Room) -> None:
    asked(room, "cancel")
    assert "is being cancelled already, by 0x" in asked(room, "cancel", "1")
    assert len(room.intent.attempts) == 2


def test_cancel__paused_meanwhile__goes_on_and_a_speed_up_does_not(room: Room) -> None:
    room.stopped = "paused"
    assert "not done: paused" in asked(room, "speed-up")
    assert "its cancel is signed and sent" in asked(room, "cancel")


def test_both__asked_for_at_once__cancel(room: Room) -> None:
    room.journal.ask("speed-up", "treasury")
    asked(room, "cancel")
    assert [attempt.purpose for attempt in room.intent.attempts[1:]] == [Purpose.CANCEL]
    assert len(room.journal.answers) == 2


@pytest.mark.fault("T13")
def test_cancel__mined_meanwhile__is_told_and_not_signed(room: Room) -> None:
    room.node.mine(room.hash())
    assert asked(room, "cancel") == "nonce 7 of treasury is mined in block 101 already"
    assert len(room.signer.signed) == 1


@pytest.mark.fault("S10")
def test_cancel__signer_had_refused__nothing_was_signed_and_it_is_given_up() -> None:
    room = Room()
    room.signer.refuses = "the device is away"
    room.submit()
    assert asked(room, "cancel") == "nonce 7 of treasury is given up: nothing was signed for it"
    assert room.state is State.FINAL_CANCELLED


def test_speed_up__at_the_cap__says_so() -> None:
    room = Room(policy=FeePolicy(Wei(3 * GWEI), Wei(GWEI), Wei(GWEI)))
    room.submit()
    assert asked(room, "speed-up").endswith("not done: the fee cap forbids a replacement")


def test_wish__for_somebody_else__stays_open(room: Room) -> None:
    number = room.journal.ask("cancel", "other")
    room.submitter.settle()
    assert number not in room.journal.answers
    assert len(room.intent.attempts) == 1


def test_concerns__vault_number_or_hash__any_case(room: Room) -> None:
    for target in ("treasury", "1", room.hash(), room.hash().upper().replace("0X", "0x")):
        assert concerns(room.intent, target)
    for target in ("", "2", "0x", room.hash()[:-1]):
        assert not concerns(room.intent, target)
