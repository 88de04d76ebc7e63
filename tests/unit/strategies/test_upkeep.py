from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.abi import calldata, selector
from keeper.core.calls import Purpose
from keeper.core.chain import History, PastCall, Read, VaultView
from keeper.core.plan import Hold, Perform
from keeper.core.replies import MOST, kept
from keeper.strategies.calendar import Calendar, every
from keeper.strategies.upkeep import LOOKUPS, MOST_TOLD, UNCLEAR, Check, Upkeep
from tests.builders import NOW, address, make_block, make_view

TARGET = address(0xC0FFEE)
READ = Read(TARGET, calldata("checkUpkeep(bytes)", b""))
CHAINLINK = Upkeep(
    TARGET, Check(READ, "checkUpkeep(bytes)", "performUpkeep(bytes)"), bytes.hex, function="performUpkeep(bytes)"
)
VIEW = Upkeep(TARGET, Check(READ, "due()"), bytes.hex, function="work(uint256)")
FIXED = Upkeep(TARGET, Check(READ, "due()"), bytes.hex, calldata("work()"), "work()")
WORK = calldata("work(uint256)", 7)


def seen(reply: bytes | None, *, reverted: bool = False, calls: tuple[PastCall, ...] = ()) -> VaultView:
    answer = None if reply is None else kept(reply, reverted=reverted)
    return replace(make_view((), {}, ()), extra={READ: answer}, history=History(calls=calls))


def says(is_due: bool, data: bytes = b"") -> bytes:
    return encode(["bool", "bytes"], [is_due, data])


@pytest.mark.parametrize(
    ("upkeep", "reply", "data", "text"),
    [
        (CHAINLINK, says(True, b"\x05" * 40), calldata("performUpkeep(bytes)", b"\x05" * 40), "performUpkeep(bytes)"),
        (CHAINLINK, says(True), calldata("performUpkeep(bytes)", b""), "performUpkeep(bytes)"),
        (VIEW, says(True, WORK), WORK, "work(uint256)"),
        (VIEW, says(True, b"\xde\xad\xbe\xef"), b"\xde\xad\xbe\xef", "0xdeadbeef"),
        (FIXED, encode(["bool"], [True]), calldata("work()"), "work()"),
        (FIXED, says(True, b"ignored"), calldata("work()"), "work()"),
    ],
)
def test_plan__due__is_exactly_one_call(upkeep: Upkeep, reply: bytes, data: bytes, text: str) -> None:
    plan = upkeep.plan(seen(reply))
    assert isinstance(plan, Perform)
    (call,) = plan.calls
    assert (call.to, call.data, call.value, call.purpose) == (TARGET, data, 0, Purpose.UPKEEP)
    assert call.text == f"call {text} of {TARGET[:6]}…{TARGET[-4:]}"
    assert plan.reason.endswith("says that it is due")


HOUR = NOW - NOW % 3_600
TIMED = Upkeep(TARGET, None, bytes.hex, calldata("poke()"), "poke()", Calendar(every(3_600), within=600))


@pytest.mark.parametrize(
    ("at", "calls", "is_due"),
    [
        (HOUR - 1, (), False),
        (HOUR, (), True),
        (HOUR + 599, (), True),
        (HOUR + 600, (), False),
        (HOUR + 599, (HOUR - 1,), True),
        (HOUR + 12, (HOUR,), False),
        (HOUR + 599, (HOUR - 5_000, HOUR + 12), False),
        (HOUR + 3_600, (HOUR + 12,), True),
    ],
)
def test_plan__by_time__one_call_for_each_time_while_it_is_open(at: int, calls: tuple[int, ...], is_due: bool) -> None:
    view = replace(seen(None, calls=tuple(PastCall(each, 1) for each in calls)), block=make_block(at))
    plan = TIMED.plan(view)
    assert isinstance(plan, Perform) == is_due
    if isinstance(plan, Perform):
        assert plan.calls[0].data == calldata("poke()")
    else:
        assert plan.reason.startswith("not due: its next time is 2026-09-21 1")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not due"),
        (b"Below Min", "not due: Below Min"),
        (b"Below Min\0\0", "not due: Below Min"),
        (b"\xff\xfe", "not due"),
        (b"\x1b[2Jgone", "not due"),
        (b"one\ntwo", "not due"),
        ("\u202eevil".encode(), "not due"),
        (b"x" * 5_000, "not due: " + "x" * MOST_TOLD + "…(+4880)"),
    ],
)
def test_plan__not_due__says_the_contracts_reason_where_it_is_harmless(data: bytes, said: str) -> None:
    plan = VIEW.plan(seen(says(False, data)))
    assert isinstance(plan, Hold)
    assert (plan.code, plan.reason) == ("not_due", f"due() of {TARGET[:6]}…{TARGET[-4:]}: {said}")


@pytest.mark.parametrize(
    ("upkeep", "reply", "says"),
    [
        (CHAINLINK, b"", "expected a bool, found nothing: is there a contract?"),
        (CHAINLINK, b"\x01" * 31, "expected a bool, found 31 bytes"),
        (CHAINLINK, encode(["uint256"], [2]), f"expected a bool, found 0x{2:064x}"),
        (CHAINLINK, encode(["bool"], [True]), "expected a bool and bytes, found 32 bytes of something else"),
        (CHAINLINK, encode(["bool", "uint256"], [True, 2**256 - 1]), "expected a bool and bytes, found 64 bytes of"),
        (CHAINLINK, says(True, b"x" * 64)[:-32], "expected a bool and bytes, found 128 bytes of something else"),
        (VIEW, says(True), "expected calldata, found 0 bytes"),
        (VIEW, says(True, b"abc"), "expected calldata, found 3 bytes"),
        (VIEW, b"\x00" * (MOST + 1), f"expected at most {MOST:,} bytes, found more"),
        (FIXED, b"", "expected a bool, found nothing"),
    ],
)
def test_plan__garbage__is_a_hold_that_says_what_came(upkeep: Upkeep, reply: bytes, says: str) -> None:
    plan = upkeep.plan(seen(reply))
    assert isinstance(plan, Hold)
    assert plan.code == "garbage"
    assert says in plan.reason


@pytest.mark.parametrize("upkeep", [CHAINLINK, VIEW, FIXED])
def test_plan__a_check_that_reverts__is_a_hold_with_its_reason(upkeep: Upkeep) -> None:
    plan = upkeep.plan(seen(b"\x12\x34", reverted=True))
    assert isinstance(plan, Hold)
    assert (plan.code, plan.reason.partition(" reverts: ")[2]) == ("reverts", "1234")


@pytest.mark.parametrize(("head", "name"), LOOKUPS.items())
def test_plan__a_lookup__is_refused_by_name(head: bytes, name: str) -> None:
    plan = CHAINLINK.plan(seen(head + b"\0" * 200, reverted=True))
    assert isinstance(plan, Hold)
    assert plan.code == "lookup"
    assert f"it needs {name}" in plan.reason


def test_lookups__streams_lookup__is_the_selector_of_its_interface() -> None:
    assert selector("StreamsLookup(string,string[],string,uint256,bytes)").hex() == "f055e4a2"


def test_plan__no_answer_from_the_node__is_a_hold() -> None:
    plan = CHAINLINK.plan(seen(None))
    assert isinstance(plan, Hold)
    assert plan.code == "unanswered"


@pytest.mark.parametrize(("at", "code"), [(NOW + 1, "behind"), (NOW, "due"), (NOW - 5, "due")])
def test_plan__a_block_from_before_the_last_call__decides_nothing(at: int, code: str) -> None:
    plan = CHAINLINK.plan(seen(says(True), calls=(PastCall(at, 1),)))
    assert (plan.code if isinstance(plan, Hold) else "due") == code


@given(reply=st.binary(max_size=400), reverted=st.booleans(), upkeep=st.sampled_from([CHAINLINK, VIEW, FIXED]))
def test_plan__whatever_a_contract_replies__one_printable_line_and_no_other_target(
    reply: bytes, reverted: bool, upkeep: Upkeep
) -> None:
    plan = upkeep.plan(seen(reply, reverted=reverted))
    assert plan.reason.isprintable()
    assert len(plan.reason) < 1_200
    if isinstance(plan, Perform):
        assert [call.to for call in plan.calls] == [TARGET]
    else:
        assert plan.code in UNCLEAR | {"not_due"}
