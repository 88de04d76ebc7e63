from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from keeper.core.abi import calldata
from keeper.core.calls import Calls, Purpose
from keeper.core.chain import Answers
from keeper.core.plan import Trade
from keeper.core.template import REBALANCE, REBALANCE_ARGUMENTS, CallTemplate, make_template
from keeper.core.units import Address, TokenAmount
from keeper.custody.contract import Contract, decode_bounds, open_contract, reads
from keeper.guards.swaps import decode_swap
from tests.builders import (
    ACCOUNT,
    DAI,
    NOW,
    SWAP_ROUTER,
    USDC,
    V2_ROUTER,
    WETH,
    address,
    make_view,
    swap_call,
    units,
    usd,
)
from tests.unit.guards.orders import v2_data

TEMPLATE = make_template(REBALANCE, REBALANCE_ARGUMENTS)
assert isinstance(TEMPLATE, CallTemplate)
ROUTERS = {router.address: partial(decode_swap, router) for router in (V2_ROUTER, SWAP_ROUTER)}
CONTRACT = Contract(TEMPLATE, ROUTERS, 600)
V3 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
ONE = swap_call(data=v2_data(sell=10, min_out=9, deadline=NOW + 500), spends=TokenAmount(WETH, 10))
OTHER = swap_call(
    SWAP_ROUTER,
    calldata(V3, (USDC.address, WETH.address, 500, ACCOUNT, NOW + 400, 7, 6, 0)),
    TokenAmount(USDC, 7),
)


def test_take__any_trades__takes_all_of_them() -> None:
    trades = [Trade(units(WETH, 1), USDC, usd(3_000)), Trade(units(USDC, 1), DAI, usd(1))]
    assert CONTRACT.take(trades, make_view()) == trades


def test_wrap__two_swaps__is_one_call_that_says_what_they_say() -> None:
    (call,) = CONTRACT.wrap([ONE, OTHER], make_view()).sequence
    first = (ONE.to, ONE.data, WETH.address, 10, USDC.address, 9)
    second = (OTHER.to, OTHER.data, USDC.address, 7, WETH.address, 6)
    assert call.data == calldata(REBALANCE, [first, second], NOW + 400)
    assert (call.to, call.value, call.purpose, call.inner) == (ACCOUNT, 0, Purpose.SWAP, (ONE, OTHER))
    assert call.text == f"rebalance: {ONE.text}; {OTHER.text}"
    assert call.spends is None, "nothing is approved by the key"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (swap_call(data=b"\1\2\3\4"), "selector: expected 0x38ed1739, found 0x01020304"),
        (swap_call(SWAP_ROUTER, v2_data()), "selector: expected 0x414bf389"),
    ],
)
def test_wrap__bytes_that_are_no_swap__is_refused(call: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        CONTRACT.wrap([call], make_view())  # type: ignore[list-item]


def test_wrap__of_a_stranger__is_refused() -> None:
    bare = Contract(CONTRACT.template, {}, 600)
    with pytest.raises(ValueError, match="expected a swap through a router of this chain, was a call of"):
        bare.wrap([ONE], make_view())


def test_tidy__never__has_anything_to_put_right() -> None:
    assert CONTRACT.tidy(make_view(allowances={(WETH, V2_ROUTER.address): 5}, native=0)) is None


# --- reading its own bytes back --------------------------------------------------------------------------------------


def test_open_contract__what_was_wrapped__gives_the_same_calls() -> None:
    call = CONTRACT.wrap([ONE, OTHER], make_view()).next
    assert open_contract(CONTRACT.template, ROUTERS, call.data) == [
        (ONE.to, 0, ONE.data),
        (OTHER.to, 0, OTHER.data),
    ]


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, address(99), f"swap: {address(99)} is no router of this chain"),
        (1, b"\1\2\3\4", "swap: selector: expected 0x38ed1739, found 0x01020304"),
        (2, DAI.address, f"sell: expected '{WETH.address}' as the swap has it, was '{DAI.address}'"),
        (3, 11, "sell_amount: expected 10 as the swap has it, was 11"),
        (4, DAI.address, f"buy: expected '{USDC.address}' as the swap has it, was '{DAI.address}'"),
        (5, 8, "min_out: expected 9 as the swap has it, was 8"),
    ],
)
def test_open_contract__that_says_something_else_than_the_swap__is_refused(
    place: int, value: object, reason: str
) -> None:
    said: list[object] = [ONE.to, ONE.data, WETH.address, 10, USDC.address, 9]
    said[place] = value
    assert open_contract(CONTRACT.template, ROUTERS, calldata(REBALANCE, [tuple(said)], NOW)) == reason


def test_open_contract__another_function__is_refused() -> None:
    found = open_contract(
        CONTRACT.template, ROUTERS, calldata("withdraw(address,uint256,address)", ACCOUNT, 1, ACCOUNT)
    )
    assert str(found).startswith("selector: expected 0x")


# --- bounds ----------------------------------------------------------------------------------------------------------


def terms(keeper: Address = address(2), paused: int = 0, available: int = 70_000) -> Answers:  # noqa: B008
    (read,) = reads(ACCOUNT)
    usd18 = 10**18
    words = (int(address(1), 16), int(keeper, 16), paused, 100, 100_000 * usd18, 2 * usd18, available * usd18)
    return {read: b"".join(value.to_bytes(32, "big") for value in words)}


def test_decode_bounds__of_a_reference_vault__has_all_its_figures() -> None:
    bounds = decode_bounds(ACCOUNT, terms(paused=1))
    assert bounds is not None
    assert (bounds.owner, bounds.keeper, bounds.paused, bounds.tolerance) == (address(1), address(2), True, 100)
    assert (bounds.capacity, bounds.refill, bounds.available) == (usd(100_000), usd(2), usd(70_000))
    assert (bounds.loss(0), bounds.loss(3_600)) == (usd(1_000), usd(1_072))


@pytest.mark.parametrize("answer", [None, b"", bytes(6 * 32), b"\xff" * 7 * 32])
def test_decode_bounds__of_another_contract__is_none(answer: bytes | None) -> None:
    (read,) = reads(ACCOUNT)
    assert decode_bounds(ACCOUNT, {read: answer}) is None
    assert decode_bounds(ACCOUNT, {}) is None


SALE = Calls((swap_call(spends=units(WETH, 10)),))


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (terms(ACCOUNT), ""),
        ({}, ""),
        (terms(ACCOUNT, available=31_200), ""),
        (terms(), f"keeper of {ACCOUNT}: expected {ACCOUNT}, was {address(2)}"),
        (terms(ACCOUNT, paused=1), f"{ACCOUNT} is paused; its owner can start it again"),
        (
            terms(ACCOUNT, available=31_199),
            "turnover: $31,199.00 may be sold now, the order sells $31,200.00",
        ),
    ],
)
def test_objection__what_the_vault_would_refuse__is_said_beforehand(extra: Answers, reason: str) -> None:
    assert CONTRACT.objection(SALE, replace(make_view(), extra=extra)) == reason


def test_notes__of_a_reference_vault__say_what_its_keeper_may_do() -> None:
    assert CONTRACT.notes(replace(make_view(), extra=terms())) == (
        "$70,000.00 may be sold now, $172,800.00 more every day up to $100,000.00, "
        "each swap for at least 99.00 % of its value",
    )
    assert CONTRACT.notes(make_view()) == ()
