from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.abi import calldata
from keeper.core.calls import Call, Calls, Inner, Purpose
from keeper.core.chain import History
from keeper.core.plan import Draft, Order, OrderLeg
from keeper.core.pools import Router
from keeper.core.units import Address, TokenAmount
from keeper.core.verdicts import Allow, Deny
from keeper.guards import AllowList, Paused
from keeper.venues.balancer_swaps import encode_balancer_swap
from keeper.venues.swaps import encode_together, encode_v2_swap, encode_v3_swap
from tests.builders import (
    ACCOUNT,
    DAI,
    NOW,
    SWAP_ROUTER,
    SWAP_ROUTER02,
    USDC,
    V2_ROUTER,
    WETH,
    address,
    make_draft,
    make_view,
)
from tests.unit.guards.orders import SELL, approval, order, revoke, swap, trade, v2_data

Encode = Callable[[OrderLeg, Address, int], Call]

GUARD = AllowList((V2_ROUTER, SWAP_ROUTER), (WETH, USDC), WETH)
THIEF = address(0x7417)
WRAP = Call(WETH.address, calldata("deposit()"), 5, Purpose.WRAP, "wrap 5 wei")
UNWRAP = Call(WETH.address, calldata("withdraw(uint256)", 5), 0, Purpose.UNWRAP, "unwrap 5 wei")


def reason(draft: Draft) -> str:
    verdict = GUARD.check(draft, make_view())
    return verdict.reason if isinstance(verdict, Deny) else ""


def sequence(*calls: Call) -> Draft:
    return trade(calls=replace(trade().calls, sequence=calls))


def test_allow_list__the_wallets_sequence__is_allowed() -> None:
    assert reason(sequence(WRAP, approval(raw=0), approval(), swap())) == ""
    assert GUARD.check(sequence(approval(), swap()), make_view()).measured == "2 calls"


@pytest.mark.fault("M22")
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (swap(to=THIEF), f"target: {THIEF} is no router of this vault's pools"),
        (swap(to=SWAP_ROUTER.address), "selector: expected 0x414bf389, found 0x38ed1739"),
        (swap(data=b"\x12\x34\x56\x78"), "selector: expected 0x38ed1739, found 0x12345678"),
        (swap(data=v2_data() + b"\x00"), "calldata is not in canonical form"),
        (swap(data=v2_data()[:-1]), "Tried to read 32 bytes"),
        (swap(value=1), "value: expected 0, was 1 wei"),
        (swap(data=v2_data(to=THIEF)), f"recipient: expected {make_view().account}, was {THIEF}"),
        (swap(data=v2_data(path=(WETH, DAI))), "tokens: expected"),
        (swap(data=v2_data(path=(WETH, DAI, USDC))), "tokens: expected"),
        (swap(data=v2_data(sell=SELL.raw + 1)), f"sell: expected {SELL.raw}, was {SELL.raw + 1}"),
        (swap(data=v2_data(min_out=0)), "min_out: expected"),
        (swap(data=v2_data(deadline=NOW)), f"deadline: {NOW} has passed"),
    ],
)
def test_allow_list__swap_that_was_not_ordered__is_named(call: Call, expected: str) -> None:
    assert expected in reason(sequence(call))


@pytest.mark.fault("K19")
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (approval(THIEF), f"spender: {THIEF} is no router"),
        (approval(raw=SELL.raw + 1), f"approval: expected 1 to {SELL.raw} raw WETH, was {SELL.raw + 1}"),
        (approval(raw=2**256 - 1), "approval: expected 1 to"),
        (approval(spender=SWAP_ROUTER.address), "approval: expected 1 to 0 raw WETH"),
        (approval(token=DAI), f"target: {DAI.address} is no token of this vault"),
        (replace(approval(), purpose=Purpose.REVOKE), "revoke: expected 0"),
        (replace(approval(), data=calldata("transfer(address,uint256)", THIEF, 1)), "selector: expected 0x095ea7b3"),
        (replace(approval(), data=approval().data[:-1]), "selector: expected 0x095ea7b3"),
        (replace(WRAP, to=USDC.address), "is not the wrapped native token"),
        (replace(WRAP, value=0), "is no wrap"),
        (replace(WRAP, data=UNWRAP.data), "is no wrap"),
        (replace(UNWRAP, data=b""), "is no unwrap"),
        (replace(UNWRAP, value=1), "value: expected 0"),
        (replace(WRAP, purpose=Purpose.CANCEL), "value: expected 0"),
        (replace(UNWRAP, purpose=Purpose.CANCEL), "purpose: cancel is not for a vault to plan"),
    ],
)
def test_allow_list__set_up_call_beyond_its_purpose__is_named(call: Call, expected: str) -> None:
    assert expected in reason(sequence(call, swap()))


def test_allow_list__approval_without_an_order__is_refused() -> None:
    assert "approval: expected 1 to 0 raw WETH" in reason(make_draft(calls=(approval(),)))


def test_allow_list__revoke_and_unwrap_without_an_order__are_allowed() -> None:
    assert reason(revoke()) == ""
    assert reason(make_draft(calls=(approval(THIEF, raw=0),))) == "", "whoever it takes an allowance from"
    assert reason(make_draft(calls=(UNWRAP,))) == ""


def test_allow_list__swap_missing_or_twice__is_refused() -> None:
    assert reason(sequence(approval())) == "swaps: expected 1 as ordered, were 0"
    assert reason(sequence(swap(), swap())) == "swaps: expected 1 as ordered, were 2"
    assert reason(make_draft(calls=(swap(),))) == "swaps: expected 0 as ordered, were 1"


def test_allow_list__several_faults__are_all_in_the_detail() -> None:
    verdict = GUARD.check(sequence(approval(THIEF), swap(to=THIEF)), make_view())
    assert isinstance(verdict, Deny)
    assert len(verdict.detail) == 2
    assert verdict.measured == "2 of 2 calls not allowed"


def test_allow_list__no_wrapped_token__no_wrapping() -> None:
    bare = AllowList((V2_ROUTER,), (WETH, USDC))
    assert isinstance(bare.check(sequence(WRAP, swap()), make_view()), Deny)
    assert isinstance(bare.check(sequence(swap()), make_view()), Allow)


# --- through something else than the key's own account ---


def carried(*inner: Call, to: Address = ACCOUNT, data: bytes = b"\1\2\3\4", value: int = 0) -> Draft:
    return sequence(Call(to, data, value, Purpose.SWAP, "rebalance", inner=inner))


def opened(draft: Draft, found: Sequence[Inner] | str) -> str:
    guard = replace(GUARD, openers={(ACCOUNT, b"\1\2\3\4"): lambda data: found})
    verdict = guard.check(draft, make_view())
    return verdict.reason if isinstance(verdict, Deny) else ""


def test_allow_list__the_key_has_lost_its_right__is_denied_and_says_what_clears_it() -> None:
    guard = replace(GUARD, objection=lambda calls, view: f"{view.sender} may not send {len(calls.sequence)}")
    verdict = guard.check(sequence(approval(), swap()), make_view())
    assert isinstance(verdict, Deny)
    assert verdict.reason == f"{ACCOUNT} may not send 2"
    assert "once the key has its right" in verdict.remedy


def test_allow_list__a_call_that_carries_the_planned_swap__is_allowed() -> None:
    plain = swap()
    assert opened(carried(plain), [(plain.to, 0, plain.data)]) == ""


@pytest.mark.parametrize(
    ("draft", "found", "expected"),
    [
        (carried(swap()), [(THIEF, 0, swap().data)], "calldata: expected the planned calls inside, found others"),
        (carried(swap()), [], "calldata: expected the planned calls inside, found others"),
        (carried(swap()), "no such call", "no such call"),
        (carried(swap(), to=THIEF), [], f"target: {THIEF} carries no calls of this vault"),
        (carried(swap(), data=b"\4\3\2\1"), [], f"target: {ACCOUNT} carries no calls of this vault"),
        (carried(swap(), value=1), [], "value: expected 0, was 1 wei"),
        (sequence(swap()), [], "expected a call through the custody of the funds, was one of the key's own"),
        (carried(swap(to=THIEF)), [(THIEF, 0, swap().data)], f"target: {THIEF} is no router of this vault's pools"),
    ],
)
def test_allow_list__a_call_that_carries_something_else__is_denied(
    draft: Draft, found: Sequence[Inner] | str, expected: str
) -> None:
    assert expected in opened(draft, found)


def test_allow_list__a_wallet_whose_call_carries_others__is_denied() -> None:
    assert f"target: {ACCOUNT} carries no calls of this vault" in reason(carried(swap()))


def test_allow_list__multicall_router_of_another_generation__is_not_taken_for_it() -> None:
    both = AllowList((V2_ROUTER, SWAP_ROUTER02), (WETH, USDC), WETH)
    verdict = both.check(sequence(swap(to=SWAP_ROUTER02.address)), make_view())
    assert isinstance(verdict, Deny)
    assert "selector: expected 0x5ae401dc" in verdict.reason


@pytest.mark.parametrize(
    ("router", "encode"),
    [
        (V2_ROUTER, encode_v2_swap),
        (SWAP_ROUTER02, encode_v2_swap),
        (SWAP_ROUTER, encode_v3_swap),
        (SWAP_ROUTER02, encode_v3_swap),
    ],
)
def test_allow_list__what_the_venues_encode__is_allowed(router: Router, encode: Encode) -> None:
    pool = replace(trade().routes[0].legs[0].pool, router=router)
    ordered = order(pools=(pool,))
    call = encode(ordered.legs[0], ACCOUNT, ordered.deadline)
    draft = trade(order=ordered, calls=Calls((approval(router.address), call)))
    assert isinstance(AllowList((router,), (WETH, USDC), WETH).check(draft, make_view()), Allow)


def split(router: Router) -> Order:
    """What was ordered, in two legs of one router."""
    first = order().legs[0]
    pool = replace(first.leg.pool, router=router)
    halves = [TokenAmount(WETH, raw) for raw in (first.leg.sell.raw // 3, first.leg.sell.raw - first.leg.sell.raw // 3)]
    legs = [replace(first, leg=replace(first.leg, pools=(pool,), sell=half)) for half in halves]
    return replace(order(), legs=tuple(legs))


def test_allow_list__two_legs_in_one_call__is_allowed_only_as_ordered() -> None:
    ordered, guard = split(SWAP_ROUTER02), AllowList((SWAP_ROUTER02,), (WETH, USDC), WETH)
    call = encode_together(ordered.legs, ACCOUNT, ordered.deadline)
    calls = Calls((approval(SWAP_ROUTER02.address), call))
    assert isinstance(guard.check(trade(order=ordered, calls=calls), make_view()), Allow)
    swapped = replace(ordered, legs=ordered.legs[::-1])
    verdict = guard.check(trade(order=swapped, calls=calls), make_view())
    assert isinstance(verdict, Deny)
    assert "sell: expected" in verdict.reason
    single = replace(call, data=encode_v3_swap(ordered.legs[0], ACCOUNT, ordered.deadline).data)
    verdict = guard.check(trade(order=ordered, calls=Calls((calls.next, single))), make_view())
    assert isinstance(verdict, Deny)
    assert "multicall: expected 2 inside, found 1" in verdict.reason
    twice = Calls((calls.next, call, call))
    assert isinstance(guard.check(trade(order=ordered, calls=twice), make_view()), Deny)


def test_allow_list__a_balancer_swap__names_the_pinned_pool() -> None:
    vault, ids = Router("balancer_vault", address(0xBA1)), ["0x" + each * 32 for each in ("01", "02")]
    first = order().legs[0]
    pools = [replace(first.leg.pool, router=vault, details=(("pool_id", each),)) for each in ids]
    orders = [order(pools=(pool,)) for pool in pools]
    call = encode_balancer_swap(orders[0].legs[0], ACCOUNT, orders[0].deadline)
    guard = AllowList((vault,), (WETH, USDC), WETH)
    calls = Calls((approval(vault.address), call))
    assert isinstance(guard.check(trade(order=orders[0], calls=calls), make_view()), Allow)
    verdict = guard.check(trade(order=orders[1], calls=calls), make_view())
    assert isinstance(verdict, Deny)
    assert verdict.reason.endswith(f": pools: expected {ids[1]}, was {ids[0]}")


def test_paused__by_a_person__denies_and_says_how_to_resume() -> None:
    verdict = Paused().check(trade(), make_view(history=History(paused="paused by ana: audit")))
    assert isinstance(verdict, Deny)
    assert (verdict.reason, verdict.remedy) == ("paused by ana: audit", "It ends with: keeper resume treasury")


VAULT4626 = Router("erc4626", address(0x4626), (WETH.address, USDC.address))


@pytest.mark.parametrize(
    ("preview", "brought", "said"),
    [
        (10, 1, ""),
        (10, Fraction(9991, 10_000), ""),
        (10, Fraction(9989, 10_000), "simulation: expected at least"),
        (None, 1, "no preview_tolerance is set"),
    ],
)
def test_allow_list__call_without_a_floor__only_as_far_as_its_simulation_holds(
    preview: int | None, brought: Fraction | int, said: str
) -> None:
    leg = order().legs[0]
    pool = replace(leg.leg.pool, router=VAULT4626)
    ordered = order(pools=(pool,))
    data = calldata("deposit(uint256,address)", leg.leg.sell.raw, ACCOUNT)
    call = Call(VAULT4626.address, data, 0, Purpose.SWAP, "deposit", leg.leg.sell)
    made = trade(order=ordered, calls=Calls((approval(VAULT4626.address), call)))
    deltas = {USDC: int(leg.leg.quote.raw * brought)}
    made = replace(made, simulation=replace(made.simulation, deltas=deltas))
    verdict = AllowList((VAULT4626,), (WETH, USDC), WETH, preview=preview).check(made, make_view())
    assert isinstance(verdict, Deny) == bool(said)
    assert said in (verdict.reason if isinstance(verdict, Deny) else "")
