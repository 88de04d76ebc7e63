"""Everything in one call: what is inside, in which order, and that its bytes say just that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.plan import Trade
from keeper.core.units import TokenAmount
from keeper.custody.envelope import Envelope
from tests.builders import DAI, SWAP_ROUTER02, USDC, V2_ROUTER, WETH, swap_call, units, usd
from tests.unit.custody.safes import ENVELOPES, OWNER, atomic, safe_view

SELL, OTHER = units(WETH, 15), units(DAI, 500)
SWAP, SECOND = swap_call(spends=SELL), swap_call(SWAP_ROUTER02, b"more", OTHER)
each_kind = pytest.mark.parametrize("envelope", ENVELOPES, ids=lambda envelope: type(envelope).__name__)


def approval(amount: TokenAmount, router: str) -> tuple[str, bytes]:
    return amount.token.address, calldata("approve(address,uint256)", router, amount.raw)


def inside(call: Call) -> list[tuple[str, bytes]]:
    return [(step.to, step.data) for step in call.inner]


# --- wrap ---


@each_kind
def test_wrap__two_swaps__is_one_call_that_approves_swaps_and_revokes(envelope: Envelope) -> None:
    (call,) = atomic(envelope).wrap([SWAP, SECOND], safe_view(envelope)).sequence
    v2, v3 = V2_ROUTER.address, SWAP_ROUTER02.address
    assert inside(call) == [
        approval(SELL, v2),
        approval(OTHER, v3),
        (v2, b"swap"),
        (v3, b"more"),
        approval(TokenAmount.zero(WETH), v2),
        approval(TokenAmount.zero(DAI), v3),
    ]
    assert (call.to, call.value, call.purpose) == (envelope.target, 0, Purpose.SWAP)
    assert call.text == f"{envelope.title} → MultiSend[approve, approve, swap, swap, approve 0, approve 0]"


@each_kind
def test_open__what_was_wrapped__comes_back_from_the_bytes_alone(envelope: Envelope) -> None:
    (call,) = atomic(envelope).wrap([SWAP, SECOND], safe_view(envelope)).sequence
    found = atomic(envelope).open(call.data)
    assert found == tuple((step.to, step.value, step.data) for step in call.inner)
    assert call.selector == envelope.selector


@each_kind
@given(st.data())
def test_open__one_byte_changed__never_passes_for_the_same_calls(envelope: Envelope, data: st.DataObject) -> None:
    (call,) = atomic(envelope).wrap([SWAP, SECOND], safe_view(envelope)).sequence
    at = data.draw(st.integers(0, len(call.data) - 1))
    spoiled = bytearray(call.data)
    spoiled[at] ^= data.draw(st.integers(1, 255))
    assert atomic(envelope).open(bytes(spoiled)) != tuple((step.to, step.value, step.data) for step in call.inner)


def test_wrap__an_allowance_is_left_over__is_set_to_zero_before() -> None:
    view = safe_view(OWNER, allowances={(WETH, V2_ROUTER.address): 5})
    (call,) = atomic(OWNER).wrap([SWAP], view).sequence
    assert [step.purpose for step in call.inner] == [Purpose.REVOKE, Purpose.APPROVE, Purpose.SWAP, Purpose.REVOKE]
    assert call.text == "Safe → MultiSend[approve 0, approve, swap, approve 0]"


def test_wrap__two_swaps_of_one_token_at_one_router__are_approved_together() -> None:
    (call,) = atomic(OWNER).wrap([SWAP, swap_call(data=b"x", spends=SELL)], safe_view(OWNER)).sequence
    assert inside(call)[0] == approval(SELL + SELL, V2_ROUTER.address)
    assert len(call.inner) == 4


def test_wrap__a_call_that_spends_nothing__is_made_directly() -> None:
    upkeep = Call(WETH.address, b"\1\2\3\4", 0, Purpose.UPKEEP, "poke it")
    (call,) = atomic(OWNER).wrap([upkeep], safe_view(OWNER)).sequence
    assert (call.text, call.purpose) == ("Safe → poke it", Purpose.UPKEEP)
    assert atomic(OWNER).open(call.data) == ((WETH.address, 0, b"\1\2\3\4"),)


# --- take ---


def trade(sell: TokenAmount, worth: int) -> Trade:
    return Trade(sell, USDC, usd(worth))


def test_take__all_that_one_transaction_may_trade__in_order() -> None:
    trades = [trade(units(WETH, 100), 300_000), trade(units(WETH, 200), 600_000), trade(units(WETH, 1), 3_000)]
    custody = atomic(OWNER, most=500_000)
    assert custody.take(trades, safe_view(OWNER)) == [trades[0], trades[2]]


def test_take__the_first_is_too_large__is_left_to_the_guards() -> None:
    trades = [trade(units(WETH, 100), 300_000)]
    assert atomic(OWNER, most=100).take(trades, safe_view(OWNER)) == trades


def test_take__legs_of_one_token__sell_no_more_than_is_there() -> None:
    view = safe_view(OWNER, balances={WETH: units(WETH, 12)})
    first, second = atomic(OWNER).take([trade(units(WETH, 10), 30_000), trade(units(WETH, 10), 30_000)], view)
    assert (first.sell, second.sell, second.notional) == (units(WETH, 10), units(WETH, 2), usd(6_000))


def test_take__what_only_another_leg_would_bring__waits() -> None:
    view = safe_view(OWNER, balances={WETH: units(WETH, 12), DAI: units(DAI, 0)})
    taken = atomic(OWNER).take([trade(units(WETH, 10), 30_000), trade(units(DAI, 10), 10)], view)
    assert [each.sell.token for each in taken] == [WETH]


# --- tidy ---


def test_tidy__several_allowances__are_revoked_in_one_call() -> None:
    left = {(WETH, V2_ROUTER.address): 5, (USDC, SWAP_ROUTER02.address): 7, (USDC, V2_ROUTER.address): 0}
    calls = atomic(OWNER).tidy(safe_view(OWNER, allowances=left))
    assert calls is not None
    assert calls.next.text == "Safe → MultiSend[approve 0, approve 0]"
    assert calls.next.purpose is Purpose.REVOKE


def test_tidy__no_allowance__nothing() -> None:
    assert atomic(OWNER).tidy(safe_view(OWNER)) is None


# --- objection ---


@each_kind
def test_objection__all_is_well__none(envelope: Envelope) -> None:
    view = safe_view(envelope)
    assert atomic(envelope).objection(atomic(envelope).wrap([SWAP], view), view) == ""
    assert envelope.standing(view) == ""


@each_kind
def test_objection__a_read_is_missing__says_so_rather_than_nothing(envelope: Envelope) -> None:
    for read in envelope.reads:
        good = safe_view(envelope).extra
        calls = atomic(envelope).wrap([SWAP], safe_view(envelope))
        assert atomic(envelope).objection(calls, safe_view(envelope, {**good, read: None})) != ""
        assert atomic(envelope).objection(calls, safe_view(envelope, {**good, read: bytes(32)})) != ""
