from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.calls import Purpose
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import Router
from keeper.core.units import TokenAmount
from keeper.guards.swaps import Swap, decode_swaps
from keeper.venues.balancer_swaps import encode_balancer_swap
from tests.builders import ACCOUNT, NOW, address
from tests.unit.venues.balancer_pools import ID, ONE_TOKEN, TWO, VAULT, ZERO, balancer_pool, stable_pool

SELL, FLOOR = TokenAmount(ZERO, 7 * 10**18), TokenAmount(TWO, 5 * 10**8)
ALONE = stable_pool(tokens=(ZERO, ONE_TOKEN, TWO))
FIRST = balancer_pool()
SECOND = replace(
    stable_pool(tokens=(ONE_TOKEN, TWO)), details=(("pool_id", "0x" + (b"\2" * 32).hex()), ("rounding", "up"))
)


def order(leg: Leg, floor: TokenAmount = FLOOR) -> OrderLeg:
    return OrderLeg(leg, floor, TokenAmount.zero(floor.token))


def test_swap__in_one_pool__is_what_the_guard_reads() -> None:
    call = encode_balancer_swap(order(Leg((ALONE,), SELL, FLOOR, Fraction(1))), ACCOUNT, NOW)
    path, ids = (ZERO.address, TWO.address), ("0x" + ID.hex(),)
    assert decode_swaps(VAULT, call.data) == (Swap(path, SELL.raw, FLOOR.raw, ACCOUNT, NOW, ids=ids),)
    assert (call.to, call.value, call.purpose, call.spends) == (VAULT.address, 0, Purpose.SWAP, SELL)


def test_swap__along_two_pools__is_one_batch() -> None:
    leg = Leg((FIRST, SECOND), SELL, FLOOR, Fraction(1), (ONE_TOKEN,))
    call = encode_balancer_swap(order(leg), ACCOUNT, NOW)
    path = ZERO.address, ONE_TOKEN.address, TWO.address
    ids = "0x" + ID.hex(), "0x" + "02" * 32
    assert decode_swaps(VAULT, call.data) == (Swap(path, SELL.raw, FLOOR.raw, ACCOUNT, NOW, ids=ids),)
    assert "7.00000 ZERO for at least 5.00000 TWO" in call.text


def test_swap__without_a_floor_or_an_amount__is_no_call() -> None:
    leg = Leg((ALONE,), SELL, FLOOR, Fraction(1))
    with pytest.raises(ValueError, match="expected amounts above 0"):
        encode_balancer_swap(order(leg, TokenAmount.zero(TWO)), ACCOUNT, NOW)
    with pytest.raises(ValueError, match="expected amounts above 0"):
        encode_balancer_swap(order(replace(leg, sell=TokenAmount.zero(ZERO))), ACCOUNT, NOW)


def test_swap__through_another_router__is_no_call() -> None:
    pool = replace(ALONE, router=Router("v2_router", address(0x77)))
    with pytest.raises(ValueError, match="expected balancer_vault, was v2_router"):
        encode_balancer_swap(order(Leg((pool,), SELL, FLOOR, Fraction(1))), ACCOUNT, NOW)
