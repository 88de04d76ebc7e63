"""The next step of an intent, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.sending.attempts import (
    Abandon,
    Broadcast,
    Cancel,
    Confirm,
    Final,
    Halt,
    MarkMined,
    MarkSent,
    Rules,
    Seen,
    Sign,
    Step,
    Unmine,
    Wait,
    ending,
    next_step,
)
from keeper.chain.sending.fees import FeePolicy
from keeper.core.calls import Purpose
from keeper.core.plan import Fees
from keeper.core.sending import ARROWS, FINAL, Attempt, Intent, Mined, State
from keeper.core.units import Wei
from tests.builders import ACCOUNT, CHAIN, NOW
from tests.unit.chain.lives import GWEI, new_intent

RULES = Rules(FeePolicy(Wei(90 * GWEI), Wei(9 * GWEI), Wei(GWEI)), confirmations=3, patience=60)
FIRST = Attempt("0x01", b"1", Fees(Wei(10 * GWEI), Wei(2 * GWEI)), Purpose.SWAP, NOW)
BUMPED = Attempt("0x02", b"2", Fees(Wei(20 * GWEI), Wei(4 * GWEI)), Purpose.SWAP, NOW + 60)
CANCEL = Attempt("0x03", b"3", Fees(Wei(30 * GWEI), Wei(6 * GWEI)), Purpose.CANCEL, NOW + 600)
AT_CAP = replace(BUMPED, fees=Fees(Wei(80 * GWEI), Wei(8 * GWEI)))


def intent(state: State, *attempts: Attempt, mined: Mined | None = None) -> Intent:
    call = new_intent().call
    return Intent(
        1, "treasury", 1, CHAIN, ACCOUNT, 7, call, 200_000, NOW + 600, (), state, NOW, attempts, mined
    )  # fmt: skip


def seen(**changes: Any) -> Seen:
    plain = Seen(head=100, now=NOW + 12, nonce=7, finalized=36, base_fee=Wei(GWEI), tip=Wei(GWEI))
    return replace(plain, **changes)


def mined(of: Attempt, number: int = 100, block: str = "0xaa", status: int = 1) -> Mined:
    return Mined(of.hash, number, block, NOW + 12, status, 100_000, Wei(1))


SENT = intent(State.SENT, FIRST)
MAYBE = intent(State.MAYBE_SENT, FIRST)
MINED = intent(State.MINED, FIRST, BUMPED, mined=mined(FIRST))
CONFIRMED = replace(MINED, state=State.CONFIRMED)
LATE = {"now": NOW + 600}

TABLE = [
    ("reserved: sign", intent(State.RESERVED), seen(), Sign(Fees(Wei(3 * GWEI), Wei(GWEI)))),
    ("reserved, paused: wait", intent(State.RESERVED), seen(stopped="paused"), Wait("paused")),
    ("reserved, too late: nothing was signed", intent(State.RESERVED), seen(**LATE), Abandon()),
    ("signed: broadcast", intent(State.SIGNED, FIRST), seen(), Broadcast(FIRST)),
    ("signed, late: cancel, never the trade", intent(State.SIGNED, FIRST), seen(**LATE), Cancel),
    ("maybe sent, not pooled: same bytes", MAYBE, seen(), Broadcast(FIRST)),
    ("maybe sent, pooled: it was", MAYBE, seen(pooled=True), MarkSent()),
    ("sent, pooled: wait", SENT, seen(pooled=True), Wait("sent, not mined yet")),
    ("sent, dropped: same bytes", SENT, seen(), Broadcast(FIRST)),
    ("sent, dropped, paused: not again", SENT, seen(stopped="paused"), Wait),
    ("stuck: bump", SENT, seen(now=NOW + 60, pooled=True), Sign(Fees(Wei(11_250_000_000), Wei(2_250_000_000)))),
    ("outbid by the base fee: bump at once", SENT, seen(pooled=True, base_fee=Wei(11 * GWEI)), Sign),
    ("outbid beyond the cap: a bump would not help", SENT, seen(pooled=True, base_fee=Wei(81 * GWEI)), Wait),
    ("late, beyond the cap: cancel all the same", SENT, seen(**LATE, base_fee=Wei(99 * GWEI)), Cancel),
    ("cancel outbid beyond the cap: same bytes", intent(State.SENT, FIRST, CANCEL),
     seen(now=NOW + 660, base_fee=Wei(99 * GWEI)), Broadcast(CANCEL)),
    ("outbid in its own block: wait", SENT, seen(now=NOW, pooled=True, base_fee=Wei(11 * GWEI)), Wait),
    ("stuck, paused: no bump", SENT, seen(now=NOW + 60, pooled=True, stopped="paused"), Wait),
    ("stuck at the cap, pooled: wait", intent(State.SENT, AT_CAP), seen(now=NOW + 300, pooled=True), Wait),
    ("stuck at the cap, dropped: same bytes", intent(State.SENT, AT_CAP), seen(now=NOW + 300), Broadcast(AT_CAP)),
    ("late: cancel above the highest", intent(State.SENT, FIRST, BUMPED), seen(**LATE, pooled=True),
     Cancel(Fees(Wei(22_500_000_000), Wei(4_500_000_000)))),
    ("late at the cap: the step kept free", intent(State.SENT, AT_CAP), seen(**LATE, pooled=True),
     Cancel(Fees(Wei(90 * GWEI), Wei(9 * GWEI)))),
    ("late, paused: cancels go on", SENT, seen(**LATE, stopped="paused"), Cancel),
    ("late, caps lowered: never the trade", intent(State.SENT, replace(FIRST, fees=Fees(Wei(90 * GWEI), Wei(1)))),
     seen(**LATE), Wait),
    ("cancel sent: wait", intent(State.SENT, FIRST, CANCEL), seen(now=NOW + 612, pooled=True), Wait),
    ("cancel dropped: same bytes", intent(State.SENT, FIRST, CANCEL), seen(now=NOW + 612), Broadcast(CANCEL)),
    ("cancel stuck: bump it", intent(State.SENT, FIRST, CANCEL), seen(now=NOW + 660, pooled=True), Cancel),
    ("receipt: mined", MAYBE, seen(mined=mined(FIRST), nonce=8), MarkMined(mined(FIRST))),
    ("receipt of a lower attempt: any own hash settles", intent(State.SENT, FIRST, BUMPED),
     seen(mined=mined(FIRST), nonce=8), MarkMined(mined(FIRST))),
    ("receipt after the cancel: late win", intent(State.SENT, FIRST, CANCEL), seen(mined=mined(FIRST), **LATE),
     MarkMined(mined(FIRST))),
    ("mined, young: wait", MINED, seen(mined=mined(FIRST), head=101), Wait),
    ("mined, deep: confirm", MINED, seen(mined=mined(FIRST), head=102), Confirm(mined(FIRST))),
    ("mined elsewhere: mined again", MINED, seen(mined=mined(FIRST, 101, "0xbb")),
     MarkMined(mined(FIRST, 101, "0xbb"))),
    ("receipt lost, block stands: wait", MINED, seen(block_stands=True, nonce=8), Wait),
    ("node behind its block: wait", MINED, seen(head=99), Wait),
    ("block replaced: unmine", MINED, seen(), Unmine("reorg: block 100 was replaced")),
    ("confirmed, block replaced: unmine", CONFIRMED, seen(), Unmine),
    ("confirmed, mined elsewhere", CONFIRMED, seen(mined=mined(BUMPED, 101, "0xbb")), MarkMined),
    ("confirmed, not final: wait", CONFIRMED, seen(mined=mined(FIRST), finalized=99), Wait),
    ("confirmed, final", CONFIRMED, seen(mined=mined(FIRST), finalized=100), Final(State.FINAL_OK)),
    ("confirmed, finality unknown: wait", CONFIRMED, seen(mined=mined(FIRST), finalized=-1), Wait),
    ("nonce used, no receipt, one node: wait", SENT, seen(nonce=8), Wait),
    ("nonce used, finalized before ours: wait", SENT, seen(nonce=8, final_nonce=7), Wait),
    ("nonce used and finalized: foreign", SENT, seen(nonce=8, final_nonce=8), Halt),
    ("refused as too low: bump in the next block", MAYBE, seen(outbid=True), Sign),
    ("refused as too low, same block: same bytes", MAYBE, seen(outbid=True, now=NOW), Broadcast(FIRST)),
    ("stuck, budget spent: no bump", SENT, seen(now=NOW + 60, pooled=True, affordable=Wei(11 * GWEI)), Wait),
    ("stuck, budget fits: bump", SENT, seen(now=NOW + 60, pooled=True, affordable=Wei(12 * GWEI)), Sign),
    ("late, budget spent: cancel all the same", SENT, seen(**LATE, affordable=Wei(0)), Cancel),
    ("reserved, nonce used and finalized: foreign", intent(State.RESERVED), seen(nonce=8, final_nonce=8), Halt),
    ("speed-up asked for: bump at once", SENT, seen(pooled=True, asked="speed-up"), Sign),
    ("speed-up, paused: wait", SENT, seen(pooled=True, asked="speed-up", stopped="paused"), Wait),
    ("speed-up at the cap: says so", intent(State.SENT, AT_CAP), seen(asked="speed-up", base_fee=Wei(90 * GWEI)),
     Wait("the fee cap forbids a replacement")),
    ("speed-up, budget spent: says so", SENT, seen(asked="speed-up", affordable=Wei(GWEI)),
     Wait("the gas budget of the day forbids a replacement")),
    ("speed-up, not sent yet: broadcast", intent(State.SIGNED, FIRST), seen(asked="speed-up"), Broadcast(FIRST)),
    ("cancel asked for: long before the deadline", SENT, seen(pooled=True, asked="cancel"), Cancel),
    ("cancel asked for, paused: cancels go on", SENT, seen(asked="cancel", stopped="paused"), Cancel),
    ("cancel asked for, never signed: given up", intent(State.RESERVED), seen(asked="cancel"), Abandon()),
    ("cancel asked for, mined meanwhile", SENT, seen(mined=mined(FIRST), asked="cancel"), MarkMined(mined(FIRST))),
    ("cancel sent before the deadline: never the trade again", intent(State.SENT, FIRST, CANCEL),
     seen(now=NOW + 90), Broadcast(CANCEL)),
]  # fmt: skip


@pytest.mark.fault("T2")
@pytest.mark.fault("T5")
@pytest.mark.fault("T6")
@pytest.mark.fault("T7")
@pytest.mark.fault("T9")
@pytest.mark.fault("T11")
@pytest.mark.fault("T12")
@pytest.mark.fault("T19")
@pytest.mark.fault("T22")
@pytest.mark.fault("R17")
@pytest.mark.fault("R22")
@pytest.mark.parametrize(("of", "what", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_next_step__table(of: Intent, what: Seen, expected: Step | type[Step]) -> None:
    step = next_step(of, what, RULES)
    if isinstance(expected, type):
        assert type(step) is expected, step
    else:
        assert step == expected


PATIENT = replace(RULES, waits=frozenset({"treasury"}))
PRIVATE = replace(RULES, private_for=300)
BOTH = intent(State.SENT, FIRST, CANCEL)


@pytest.mark.fault("T2")
@pytest.mark.fault("T28")
@pytest.mark.fault("M15")
@pytest.mark.parametrize(
    ("rules", "of", "what", "expected"),
    [
        (PATIENT, SENT, seen(now=NOW + 300, pooled=True), Wait("sent, not mined yet")),
        (PATIENT, SENT, seen(pooled=True, base_fee=Wei(11 * GWEI)), Wait),
        (PATIENT, SENT, seen(base_fee=Wei(11 * GWEI)), Broadcast(FIRST)),
        (PATIENT, SENT, seen(**LATE, pooled=True), Cancel),
        (PRIVATE, intent(State.SIGNED, FIRST), seen(), Broadcast(FIRST)),
        (PRIVATE, MAYBE, seen(), Broadcast(FIRST)),
        (PRIVATE, SENT, seen(), Wait("the relay has it, not mined yet")),
        (PRIVATE, SENT, seen(now=NOW + 299), Wait("the relay has it, not mined yet")),
        (PRIVATE, SENT, seen(base_fee=Wei(11 * GWEI)), Sign),
        (PRIVATE, SENT, seen(now=NOW + 300), Broadcast(FIRST)),
        (PRIVATE, SENT, seen(now=NOW + 360, pooled=True), Sign),
        (PRIVATE, SENT, seen(**LATE), Cancel),
        (PRIVATE, BOTH, seen(now=NOW + 612), Broadcast(CANCEL)),
        (PRIVATE, SENT, seen(now=NOW + 12, mined=mined(FIRST), nonce=8), MarkMined(mined(FIRST))),
    ],
)
def test_next_step__waiting_vaults_and_private_windows__table(
    rules: Rules, of: Intent, what: Seen, expected: Step | type[Step]
) -> None:
    step = next_step(of, what, rules)
    assert type(step) is expected if isinstance(expected, type) else step == expected


def test_next_step__too_expensive__says_so() -> None:
    step = next_step(SENT, seen(pooled=True, base_fee=Wei(11 * GWEI)), PATIENT)
    assert isinstance(step, Wait) and step.reason.startswith("too expensive: the base fee is 11,000,000,000 wei")


@pytest.mark.parametrize(
    ("what", "status", "expected"),
    [
        (FIRST, 1, State.FINAL_OK),
        (FIRST, 0, State.FINAL_REVERTED),
        (BUMPED, 1, State.FINAL_OK),
        (CANCEL, 1, State.FINAL_CANCELLED),
    ],
)
def test_ending__whatever_was_mined__is_what_is_recorded(what: Attempt, status: int, expected: State) -> None:
    of = intent(State.CONFIRMED, FIRST, BUMPED, CANCEL)
    assert ending(of, mined(what, status=status)) is expected


STATES = [state for state in State if state not in FINAL]


@given(
    st.sampled_from(STATES),
    st.lists(st.sampled_from([FIRST, BUMPED, CANCEL]), unique=True, min_size=1).map(lambda a: sorted(a, key=str)),
    st.booleans(),
    st.fixed_dictionaries(
        {
            "head": st.integers(90, 200),
            "now": st.integers(NOW, NOW + 2_000),
            "nonce": st.integers(6, 9),
            "final_nonce": st.none() | st.integers(6, 9),
            "finalized": st.integers(-1, 150),
            "mined": st.none() | st.sampled_from([mined(FIRST), mined(CANCEL), mined(BUMPED, 101, "0xbb", 0)]),
            "block_stands": st.booleans(),
            "pooled": st.booleans(),
            "outbid": st.booleans(),
            "affordable": st.none() | st.integers(0, 100 * GWEI).map(Wei),
            "stopped": st.sampled_from(["", "paused"]),
            "base_fee": st.none() | st.integers(0, 200 * GWEI).map(Wei),
        }
    ),
    st.sampled_from([RULES, PATIENT, PRIVATE]),
)
def test_next_step__anything__follows_the_arrows_and_the_rules(
    state: State, attempts: list[Attempt], signed: bool, facts: dict[str, Any], rules: Rules
) -> None:
    was = mined(attempts[0]) if state in (State.MINED, State.CONFIRMED) else None
    has = tuple(attempts) if signed or state is not State.RESERVED else ()
    of = intent(state, *has, mined=was)
    what = seen(**facts)
    step = next_step(of, what, rules)
    match step:
        case Sign() | Broadcast():
            offered = step.attempt.purpose if isinstance(step, Broadcast) else Purpose.SWAP
            assert offered is Purpose.CANCEL or (not what.stopped and what.now < of.deadline)
            assert what.nonce <= of.nonce and what.mined is None
            if isinstance(step, Sign) and has:
                assert rules is not PATIENT
                assert what.affordable is None or step.fees.cap <= what.affordable
        case Cancel():
            assert what.now >= of.deadline and what.mined is None
            assert all(step.fees.cap > attempt.fees.cap for attempt in has)
        case Confirm():
            assert State.CONFIRMED in ARROWS[state] and what.head - step.mined.block_number >= 2
        case Final(to):
            assert to in ARROWS[state] and what.mined and what.finalized >= what.mined.block_number
        case Unmine():
            assert State.MAYBE_SENT in ARROWS[state]
        case Halt():
            assert what.final_nonce is not None and what.final_nonce > of.nonce
        case Abandon():
            assert not has
        case MarkMined():
            assert state in (State.RESERVED, State.SIGNED) or State.MINED in ARROWS[state]
        case MarkSent():
            assert State.SENT in ARROWS[state]


@pytest.mark.fault("T8")
def test_next_step__behind_an_open_nonce__says_which() -> None:
    step = next_step(SENT, seen(pooled=True, nonce=6), PATIENT)
    assert step == Wait("waits behind nonce 6, which is not used yet")
