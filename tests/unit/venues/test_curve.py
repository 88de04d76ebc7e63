from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.abi import arguments, calldata
from keeper.core.calls import Purpose
from keeper.core.chain import Needs, Read, Unusable
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import Pool
from keeper.core.units import Token, TokenAmount
from keeper.venues.curve import EXCHANGE, EXCHANGE_UNDERLYING, Curve
from keeper.venues.curve_form import Form
from keeper.venues.curve_math import FEE_UNIT, PRECISION, Product
from keeper.venues.curve_state import CurveState
from keeper.venues.curve_swap import StableSwap
from tests.builders import ACCOUNT, NOW, WETH
from tests.unit.venues.curve_pools import (
    BASE,
    DAI,
    FEE,
    GUSD,
    NG,
    OVER,
    POOL,
    SHARE,
    SHARES,
    THREE,
    USDC,
    USDT,
    Contracts,
    pool_of,
    put,
    whole,
    words,
)

VENUE = Curve()
SWAP = StableSwap.of(
    (whole(DAI, 60_000), whole(USDC, 50_000), whole(USDT, 90_000)),
    (10**18, 10**30, 10**30),
    2_000,
    1,
    Product.EACH,
    FEE,
)
NG_SWAP = StableSwap.of(
    (whole(DAI, 60_000), whole(USDC, 50_000)),
    (103 * 10**16, 10**30),
    20_000,
    100,
    Product.WHOLE,
    FEE,
    2 * FEE_UNIT,
)
SUPPLY = 190_000 * 10**18
FRESH_RATE, KEPT_RATE = PRECISION * 101 // 100, PRECISION * 1_009 // 1_000


def meta(rate: int) -> StableSwap:
    return StableSwap.of((whole(GUSD, 20_000), 25_000 * 10**18), (10**34, rate), 100_000, 100, Product.EACH, FEE)


def contracts_of(form: Form, swap: StableSwap) -> Contracts:
    contracts = Contracts()
    put(contracts, POOL, form, swap)
    put(contracts, BASE, THREE, SWAP)
    contracts.says(SHARE, "totalSupply()", words(SUPPLY))
    return contracts


def decoded(pool: Pool, contracts: Contracts) -> CurveState | Unusable:
    found = VENUE.decode(pool, contracts.answer(VENUE.reads(pool, None)))
    assert not isinstance(found, Needs)
    return found


PLAIN, NEW = pool_of(THREE, DAI, USDC, USDT), pool_of(NG, DAI, USDC)
METAPOOL = pool_of(OVER, GUSD, SHARES, DAI, USDC, USDT)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_decode__of_a_plain_pool__is_its_numbers() -> None:
    state = decoded(PLAIN, contracts_of(THREE, SWAP))
    assert isinstance(state, CurveState)
    assert state.swap == SWAP
    assert state.pool == replace(PLAIN, fee=Fraction(4, 10_000))
    assert (state.below, state.killed) == (None, False)
    assert len(VENUE.reads(PLAIN, state)) == 6, "A, fee, the owner's part of it and three balances"


def test_decode__of_the_first_pools__asks_for_balances_by_int128() -> None:
    form = replace(THREE, old_index=True)
    pool = pool_of(form, DAI, USDC, USDT)
    assert Read(POOL, calldata("balances(int128)", 2)) in VENUE.reads(pool, None)
    state = decoded(pool, contracts_of(form, SWAP))
    assert isinstance(state, CurveState)
    assert state.swap == SWAP


def test_decode__of_a_stableswap_ng_pool__takes_rates_and_balances_from_lists() -> None:
    state = decoded(NEW, contracts_of(NG, NG_SWAP))
    assert isinstance(state, CurveState)
    assert state.swap == NG_SWAP
    assert len(VENUE.reads(NEW, state)) == 6, "A, fee, its multiplier, the owner's part, balances and rates"


def test_decode__of_a_ramp__is_what_exchange_calculates_with() -> None:
    """`A_precise()` is A to the hundredth at that block; `A()` cuts it to a whole number."""
    contracts = contracts_of(NG, NG_SWAP)
    contracts.says(POOL, "A_precise()", words(20_099))
    contracts.says(POOL, "A()", words(200))
    state = decoded(NEW, contracts)
    assert isinstance(state, CurveState)
    assert state.swap.ann == 2 * 20_099


def test_decode__of_a_metapool__takes_its_base_pools_price_and_numbers() -> None:
    contracts = contracts_of(OVER, meta(FRESH_RATE))
    state = decoded(METAPOOL, contracts)
    assert isinstance(state, CurveState)
    assert state.swap == meta(FRESH_RATE)
    assert state.below is not None
    assert (state.below.swap, state.below.supply) == (SWAP, SUPPLY)


@pytest.mark.parametrize("rate", [KEPT_RATE, FRESH_RATE])
def test_decode__of_a_metapool_that_keeps_the_price__holds_the_one_it_quotes_with(rate: int) -> None:
    """It keeps a virtual price for ten minutes, and no getter tells the time: its own quote shows which holds."""
    form = replace(OVER, rates="cached")
    contracts = contracts_of(form, meta(rate))
    contracts.says(POOL, "base_virtual_price()", words(KEPT_RATE))
    sold = whole(GUSD, 1_000)
    contracts.says(POOL, "get_dy(int128,int128,uint256)", words(meta(rate).out(0, 1, sold)), 0, 1, sold)
    state = decoded(pool_of(form, GUSD, SHARES, DAI, USDC, USDT), contracts)
    assert isinstance(state, CurveState)
    assert state.swap.rates[1] == rate


def test_decode__of_a_metapool_that_quotes_with_neither_price__is_unusable() -> None:
    form = replace(OVER, rates="cached")
    contracts = contracts_of(form, meta(FRESH_RATE))
    contracts.says(POOL, "base_virtual_price()", words(KEPT_RATE))
    contracts.says(POOL, "get_dy(int128,int128,uint256)", words(7), 0, 1, whole(GUSD, 1_000))
    found = decoded(pool_of(form, GUSD, SHARES, DAI, USDC, USDT), contracts)
    assert isinstance(found, Unusable)
    assert found.reason.startswith("get_dy of 1000 whole coins: expected ")
    assert found.reason.endswith(", was 7")


@pytest.mark.parametrize("flag", [0, 1])
def test_decode__of_a_pool_that_can_be_killed__says_whether_it_is(flag: int) -> None:
    form = replace(THREE, killable=True)
    contracts = contracts_of(form, SWAP)
    contracts.says(POOL, "is_killed()", words(flag))
    state = decoded(pool_of(form, DAI, USDC, USDT), contracts)
    assert isinstance(state, CurveState)
    assert state.killed is bool(flag)


def test_decode__without_answers__needs_them() -> None:
    for pool in (PLAIN, NEW, METAPOOL):
        assert VENUE.decode(pool, {}) == Needs(VENUE.reads(pool, None))


def test_decode__of_a_pool_that_is_refused__asks_nothing_and_says_why() -> None:
    pool = pool_of(replace(THREE, refused="it trades the chain's native coin"), DAI, USDC, USDT)
    assert VENUE.reads(pool, None) == ()
    assert VENUE.decode(pool, {}) == Unusable("it trades the chain's native coin")


@pytest.mark.parametrize(("answer", "admin"), [(None, None), (words(10**10), 10**10), (words(10**10 + 1), None)])
def test_decode__of_the_owners_part_of_the_fee__may_do_without(answer: bytes | None, admin: int | None) -> None:
    good = contracts_of(THREE, SWAP).answer(VENUE.reads(PLAIN, None))
    state = VENUE.decode(PLAIN, good | {Read(POOL, calldata("admin_fee()")): answer})
    assert isinstance(state, CurveState)
    assert state.swap == replace(SWAP, admin=admin)


@pytest.mark.parametrize("answer", [None, b"", bytes(31)])
@pytest.mark.parametrize(("form", "tokens"), [(THREE, (DAI, USDC, USDT)), (NG, (DAI, USDC)), (OVER, (GUSD, SHARES))])
def test_decode__of_a_missing_or_short_answer__is_unusable(
    form: Form, tokens: tuple[Token, ...], answer: bytes | None
) -> None:
    pool = pool_of(form, *tokens)
    swap = {THREE: SWAP, NG: NG_SWAP}.get(form, meta(FRESH_RATE))
    good = contracts_of(form, swap).answer(VENUE.reads(pool, None))
    assert isinstance(VENUE.decode(pool, good), CurveState)
    for read in good:
        if read.data == calldata("admin_fee()"):
            continue
        found = VENUE.decode(pool, good | {read: answer})
        assert isinstance(found, Unusable), read
        assert "answer" in found.reason or "figures" in found.reason


@pytest.mark.parametrize(
    ("call", "answer", "expected"),
    [
        ("A()", words(0), "A: expected 1 to 1000000, was 0"),
        ("A()", words(10**6 + 1), "A: expected 1 to 1000000, was 1000001"),
        ("fee()", words(FEE_UNIT // 2 + 1), "fee: expected at most 5000000000 of 10^10, was 5000000001"),
        ("balances(uint256)", words(0), "the pool is empty of coin 1"),
        ("balances(uint256)", words(1 << 200), "256 bits"),
    ],
)
def test_decode__of_figures_that_no_pool_has__is_unusable(call: str, answer: bytes, expected: str) -> None:
    contracts = contracts_of(THREE, SWAP)
    contracts.says(POOL, call, answer, *((1,) if "(uint256)" in call else ()))
    found = decoded(PLAIN, contracts)
    assert isinstance(found, Unusable)
    assert expected in found.reason


@pytest.mark.parametrize("answer", [words(32, 3, 1, 1, 1), words(32, 2, 1), words(64, 2, 1, 1), words(1)])
@pytest.mark.parametrize("call", ["get_balances()", "stored_rates()"])
def test_decode__of_a_list_of_another_length__is_unusable(call: str, answer: bytes) -> None:
    contracts = contracts_of(NG, NG_SWAP)
    contracts.says(POOL, call, answer)
    assert decoded(NEW, contracts) == Unusable(f"{call}: expected 2 figures, was {len(answer)} bytes")


def test_decode__of_a_fee_that_grows_beyond_half__is_unusable() -> None:
    contracts = contracts_of(NG, NG_SWAP)
    contracts.says(POOL, "offpeg_fee_multiplier()", words(2_000 * FEE_UNIT))
    found = decoded(NEW, contracts)
    assert isinstance(found, Unusable)
    assert found.reason.startswith("fee: ")


# --- encoding --------------------------------------------------------------------------------------------------------


def order(pool: Pool, sell: Token, buy: Token, *more: Pool, floor: int = 5) -> OrderLeg:
    leg = Leg((pool, *more), TokenAmount(sell, 7), TokenAmount(buy, 6), Fraction(1))
    return OrderLeg(leg, TokenAmount(buy, floor), TokenAmount(buy, 0))


@pytest.mark.parametrize(
    ("pool", "sell", "buy", "signature", "places"),
    [
        (PLAIN, USDC, DAI, EXCHANGE, (1, 0)),
        (PLAIN, DAI, USDT, EXCHANGE, (0, 2)),
        (NEW, USDC, DAI, EXCHANGE, (1, 0)),
        (METAPOOL, GUSD, SHARES, EXCHANGE, (0, 1)),
        (METAPOOL, SHARES, GUSD, EXCHANGE, (1, 0)),
        (METAPOOL, GUSD, DAI, EXCHANGE_UNDERLYING, (0, 1)),
        (METAPOOL, USDT, GUSD, EXCHANGE_UNDERLYING, (3, 0)),
    ],
)
def test_encode__counts_coins_as_the_pool_does(
    pool: Pool, sell: Token, buy: Token, signature: str, places: tuple[int, int]
) -> None:
    call = VENUE.encode(order(pool, sell, buy), ACCOUNT, NOW)
    assert (call.to, call.value, call.purpose) == (POOL, 0, Purpose.SWAP)
    assert arguments(signature, call.data) == (*places, 7, 5)
    assert call.spends == TokenAmount(sell, 7)


@pytest.mark.parametrize(
    "leg",
    [order(PLAIN, WETH, DAI), order(PLAIN, DAI, WETH), order(PLAIN, DAI, USDC, NEW), order(PLAIN, DAI, USDC, floor=0)],
)
def test_encode__of_what_is_no_swap_of_this_pool__is_an_error(leg: OrderLeg) -> None:
    with pytest.raises(ValueError, match="swap"):
        VENUE.encode(leg, ACCOUNT, NOW)
