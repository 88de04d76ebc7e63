"""A role of Zodiac Roles v2: its key, its allowances, and what it lets the key do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.abi import arguments
from keeper.core.plan import Trade
from keeper.core.units import TokenAmount
from keeper.custody.roles import EXECUTE, Allowance, RoleMember, role_key, unwrapper_of
from tests.builders import NOW, USDC, WETH, swap_call, units, usd
from tests.unit.custody.safes import BATCHER, DAY, KEY, MEMBER, MODIFIER, SAFE, answers, atomic, safe_view, words


def test_role_key__a_name__is_its_letters_filled_up_with_zeros() -> None:
    assert role_key("rebalancer") == b"rebalancer" + bytes(22)
    assert role_key("0x" + "ab" * 32) == role_key(f"0x{'ab' * 16}_{'ab' * 16}") == b"\xab" * 32


@pytest.mark.parametrize("name", ["", "x" * 32, "0x12", "0x" + "00" * 32, "röle"])
def test_role_key__neither_a_name_nor_32_bytes__is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        role_key(name)


def test_seal__names_the_role_and_reverts_with_what_is_inside() -> None:
    (call,) = atomic(MEMBER).wrap([swap_call(spends=units(WETH, 1))], safe_view(MEMBER)).sequence
    assert call.to == MODIFIER
    assert arguments(EXECUTE, call.data)[4:] == (role_key("rebalancer"), True)


# --- allowances ---


@pytest.mark.parametrize(
    ("allowance", "now", "left"),
    [
        (Allowance(10, 100, 0, 30, 0), 10**6, 30),  # for one use, never refilled
        (Allowance(10, 100, DAY, 30, 1_000), 1_000 + DAY - 1, 30),
        (Allowance(10, 100, DAY, 30, 1_000), 1_000 + DAY, 40),
        (Allowance(10, 100, DAY, 30, 1_000), 1_000 + 3 * DAY + 5, 60),
        (Allowance(10, 100, DAY, 30, 1_000), 1_000 + 30 * DAY, 100),
        (Allowance(10, 100, DAY, 150, 1_000), 1_000 + 3 * DAY, 150),  # set higher by hand: not taken away
        (Allowance(0, 0, 0, 0, 0), 10**9, 0),  # a key that nobody has set
    ],
)
def test_left__balance_and_refills__as_roles_counts_them(allowance: Allowance, now: int, left: int) -> None:
    assert allowance.left(now) == left


@given(*[st.integers(0, 10**20)] * 3, st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_left__as_time_goes_on__never_falls(
    refill: int, most: int, balance: int, period: int, then: int, later: int
) -> None:
    allowance = Allowance(refill, most, period, balance, 0)
    assert balance <= allowance.left(then) <= allowance.left(then + later) <= max(balance, most)


def test_take__more_than_the_allowance__is_cut_to_it() -> None:
    extra = answers(MEMBER, words(10**19, 2 * 10**19, DAY, 5 * 10**18, NOW - DAY // 2))
    (taken,) = atomic(MEMBER).take([Trade(units(WETH, 20), USDC, usd(60_000))], safe_view(MEMBER, extra))
    assert (taken.sell, taken.notional) == (units(WETH, 5), usd(15_000))


def test_objection__the_allowance_is_used_up__says_how_much_is_left() -> None:
    extra = answers(MEMBER, words(0, 0, 0, 0, 0))
    view = safe_view(MEMBER, extra)
    (trade,) = atomic(MEMBER).take([Trade(units(WETH, 20), USDC, usd(60_000))], view)
    calls = atomic(MEMBER).wrap([swap_call(spends=trade.sell)], view)
    assert atomic(MEMBER).objection(calls, view) == (
        "allowance: 0.00 WETH may still be sold, the order sells 20.0000 WETH"
    )


def test_notes__an_allowance__is_told_with_its_refill() -> None:
    extra = answers(MEMBER, words(10**19, 2 * 10**19, DAY, 5 * 10**18, NOW - DAY // 2))
    assert MEMBER.notes(safe_view(MEMBER, extra)) == (
        "5.00000 WETH may still be sold, 10.0000 WETH more every 1d up to 20.0000 WETH",
    )
    assert MEMBER.notes(safe_view(MEMBER, {})) == ("the WETH allowance cannot be read",)


def test_left__two_allowances_of_one_token__the_least_counts() -> None:
    two = RoleMember(SAFE, KEY, MODIFIER, role_key("r"), BATCHER, ((WETH, role_key("a")), (WETH, role_key("b"))))
    first, second = two.reads[3:]
    extra = answers(two) | {first: words(0, 0, 0, 7, 0), second: words(0, 0, 0, 5, 0)}
    assert two.left(safe_view(two, extra)) == {WETH: 5}
    assert TokenAmount(WETH, 5) == TokenAmount(WETH, two.left(safe_view(two, extra))[WETH])


# --- standing ---


def test_standing__each_thing_that_can_be_taken_away__is_named() -> None:
    member, modifier, unwrapper, _ = MEMBER.reads
    said = {
        member: f"{KEY} is no member at Roles modifier {MODIFIER}",
        modifier: f"Roles modifier {MODIFIER} is no enabled module of Safe {SAFE}",
        unwrapper: f"Roles modifier {MODIFIER} has no unwrapper for multiSend of {BATCHER}",
    }
    for read, expected in said.items():
        assert MEMBER.standing(safe_view(MEMBER, answers(MEMBER) | {read: words(0)})) == expected


def test_unwrapper_of__the_slot__is_the_address_and_then_the_selector() -> None:
    read = unwrapper_of(MODIFIER, BATCHER)
    assert read.data[4:] == bytes.fromhex(BATCHER[2:]) + bytes.fromhex("8d80ff0a") + bytes(8)
