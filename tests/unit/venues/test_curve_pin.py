from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import Needs
from keeper.core.pools import Router
from keeper.core.units import NATIVE, Address
from keeper.venues.curve_form import Form
from keeper.venues.curve_math import FEE_UNIT, PRECISION, Product
from keeper.venues.curve_pin import CurvePin
from keeper.venues.curve_swap import StableSwap
from keeper.venues.facts import Facts
from tests.builders import address
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
    plain_form,
    put,
    whole,
    words,
)

ROUNDS = 6
"""As often as the keeper asks on."""
RATE = PRECISION * 101 // 100


def numbers(form: Form, rates: tuple[int, ...] | None = None, offpeg: int = 0) -> StableSwap:
    balances = tuple(50_000 * (2 + k) * 10**decimals for k, decimals in enumerate(form.decimals))
    return StableSwap.of(balances, rates or form.multipliers, 200 * form.scale, form.scale, form.product, FEE, offpeg)


def recognise(contracts: Contracts, at: Address = POOL) -> Facts | None:
    pin = CurvePin()
    answers = contracts.answer(pin.reads(at))
    for _ in range(ROUNDS):
        found = pin.pin(at, answers)
        if not isinstance(found, Needs):
            return found
        assert not set(found.reads) & set(answers), "asked twice"
        answers |= contracts.answer(found.reads)
    raise AssertionError("it never knows enough")


def contracts_of(form: Form, swap: StableSwap) -> Contracts:
    contracts = Contracts()
    put(contracts, POOL, form, swap)
    return contracts


def metapool(form: Form) -> Contracts:
    contracts = contracts_of(form, numbers(form, (10**34, RATE)))
    put(contracts, BASE, THREE, numbers(THREE))
    contracts.says(SHARE, "totalSupply()", words(10**24))
    return contracts


def known(found: Facts | None, form: Form) -> bool:
    assert found is not None
    return found.details == form.details()


def test_pin__of_a_plain_pool__knows_coins_fee_and_router() -> None:
    found = recognise(contracts_of(THREE, numbers(THREE)))
    assert found == Facts(
        "curve",
        (DAI.address, USDC.address, USDT.address),
        400,
        POOL,
        details=THREE.details(),
        router=Router("curve", POOL, THREE.coins),
    )


def test_pin__of_a_fee_finer_than_a_millionth__rounds_it_up() -> None:
    swap = replace(numbers(THREE), fee=1_234_567)
    found = recognise(contracts_of(THREE, swap))
    assert found is not None
    assert found.fee_ppm == 124
    assert Fraction(124, 10**6) > Fraction(1_234_567, FEE_UNIT)


@pytest.mark.parametrize("n", range(2, 9))
def test_pin__of_two_to_eight_coins__counts_them(n: int) -> None:
    tokens = tuple(replace(DAI, address=address(0xD0 + k)) for k in range(n))
    form = plain_form(tokens, scale=100)
    assert known(recognise(contracts_of(form, numbers(form))), form)


def test_pin__of_stableswap_ng__knows_it_by_its_rates_and_multiplier() -> None:
    rates = (103 * 10**16, 10**30)
    found = recognise(contracts_of(NG, numbers(NG, rates, 2 * FEE_UNIT)))
    assert known(found, NG)
    assert found is not None
    assert found.kind == "curve_ng"


def test_pin__of_a_pool_that_is_its_own_share__divides_as_the_factory_does() -> None:
    form = plain_form((DAI, USDC), product=Product.WHOLE, scale=100)
    contracts = contracts_of(form, numbers(form))
    contracts.says(POOL, "totalSupply()", words(1))
    assert known(recognise(contracts), form)
    three = replace(THREE, scale=100)
    contracts = contracts_of(three, numbers(three))
    contracts.says(POOL, "totalSupply()", words(1))
    assert known(recognise(contracts), three), "three coins are divided one by one"


def test_pin__of_the_first_pools__asks_by_int128() -> None:
    form = replace(THREE, product=Product.EACH_PLUS, old_index=True)
    contracts = contracts_of(form, numbers(form))
    del contracts.answers[next(key for key in contracts.answers if key[1] == _call("initial_A()"))]
    assert known(recognise(contracts), form)


def test_pin__of_a_metapool__finds_its_base_pool_by_name_by_minter_or_in_the_share() -> None:
    contracts = metapool(OVER)
    contracts.says(POOL, "base_pool()", words(int(BASE, 16)))
    assert known(recognise(contracts), OVER)
    contracts = metapool(OVER)
    contracts.says(SHARE, "minter()", words(int(BASE, 16)))
    found = recognise(contracts)
    assert known(found, OVER)
    assert found is not None
    assert found.kind == "curve_meta"
    assert found.tokens == (GUSD.address, SHARE, DAI.address, USDC.address, USDT.address)
    under = replace(THREE, scale=100)
    itself = replace(OVER, base=SHARE, under=under)
    contracts = contracts_of(itself, numbers(itself, (10**34, RATE)))
    put(contracts, SHARE, under, numbers(under))
    contracts.says(SHARE, "totalSupply()", words(10**24))
    assert known(recognise(contracts), itself)


def test_pin__of_a_metapool_that_keeps_the_price__knows_that_too() -> None:
    form = replace(OVER, rates="cached")
    contracts = metapool(form)
    contracts.says(POOL, "base_pool()", words(int(BASE, 16)))
    contracts.says(POOL, "base_virtual_price()", words(RATE))
    sold = whole(GUSD, 1_000)
    quote = numbers(form, (10**34, RATE)).out(0, 1, sold)
    contracts.says(POOL, "get_dy(int128,int128,uint256)", words(quote), 0, 1, sold)
    assert known(recognise(contracts), form)


def test_pin__of_a_metapool_of_stableswap_ng__takes_its_own_rates() -> None:
    form = replace(OVER, rates="stored", product=Product.WHOLE, offpeg=True, listed=True)
    contracts = contracts_of(form, numbers(form, (10**34, RATE), 2 * FEE_UNIT))
    put(contracts, BASE, THREE, numbers(THREE))
    contracts.says(SHARE, "totalSupply()", words(10**24))
    contracts.says(POOL, "BASE_POOL()", words(int(BASE, 16)))
    assert known(recognise(contracts), form)


def test_pin__of_a_metapool_over_a_metapool__trades_shares_alone() -> None:
    form = replace(OVER, under=None)
    contracts = metapool(OVER)
    contracts.says(POOL, "base_pool()", words(int(BASE, 16)))
    contracts.says(BASE, "base_pool()", words(int(address(0xC9), 16)))
    assert known(recognise(contracts), form)


def test_pin__of_a_coin_with_a_minter_that_is_no_pool__is_a_plain_pool() -> None:
    form = plain_form((DAI, USDC))
    contracts = contracts_of(form, numbers(form))
    contracts.says(USDC.address, "minter()", words(int(address(0xDEAD), 16)))
    assert known(recognise(contracts), form)


# --- known, and refused ----------------------------------------------------------------------------------------------


def test_pin__of_native_coin_and_one_other__says_why_it_is_left_out() -> None:
    form = plain_form((replace(DAI, address=NATIVE), USDC))
    found = recognise(contracts_of(form, numbers(form)))
    assert found is not None
    assert found.tokens == (USDC.address,)
    assert "native coin" in found.warning
    assert dict(found.details)["refused"] == found.warning


def test_pin__of_native_coin_and_two_others__trades_the_others() -> None:
    form = plain_form((DAI, replace(USDC, address=NATIVE, decimals=18), USDT))
    found = recognise(contracts_of(form, numbers(form)))
    assert known(found, form)
    assert found is not None
    assert found.tokens == (DAI.address, USDT.address)
    assert "native coin" in found.warning


def test_pin__of_coins_that_grow_by_themselves__says_so() -> None:
    contracts = contracts_of(THREE, numbers(THREE))
    contracts.says(POOL, "offpeg_fee_multiplier()", words(2 * FEE_UNIT))
    found = recognise(contracts)
    assert found is not None
    assert found.warning.startswith("its coins grow in the pool by themselves")


@pytest.mark.parametrize("wrong", [RATE, PRECISION * 9 // 10])
def test_pin__of_a_pool_that_quotes_otherwise__says_what_it_quoted(wrong: int) -> None:
    """A coin with a rate that no getter tells: a lending pool's, or a token's that grows."""
    form = plain_form((DAI, USDC))
    contracts = contracts_of(form, numbers(form))
    quote = numbers(form, (wrong, 10**30)).out(0, 1, 10**18)
    contracts.says(POOL, "get_dy(int128,int128,uint256)", words(quote), 0, 1, 10**18)
    found = recognise(contracts)
    ours = numbers(form).out(0, 1, 10**18)
    assert found is not None
    assert found.warning == f"get_dy(0, 1): expected {ours}, was {quote}"


def test_pin__of_a_pool_that_ramps__allows_for_a_view_that_cuts_a() -> None:
    rates = (103 * 10**16, 10**30)
    swap = numbers(NG, rates, 2 * FEE_UNIT)
    contracts = contracts_of(NG, swap)
    precise = StableSwap.of(swap.balances, rates, 20_099, 100, swap.product, FEE, 2 * FEE_UNIT)
    assert precise.out(0, 1, 10**18) != swap.out(0, 1, 10**18)
    contracts.says(POOL, "A_precise()", words(20_099))
    assert known(recognise(contracts), NG)
    contracts.says(POOL, "A_precise()", words(99))
    found = recognise(contracts)
    assert found is not None
    assert found.warning == "it could not be checked: its view calculates with an A of 0"


def test_pin__of_a_pool_that_ramps_at_a_small_a__is_checked_against_its_view_all_the_same() -> None:
    """From 8.99 to 8: more than any rounding, where the pool is out of balance."""
    rates = (103 * 10**16, 10**30)
    balances = (50_000 * 10**18, 1_000 * 10**6)
    cut = StableSwap.of(balances, rates, 800, 100, Product.WHOLE, FEE, 2 * FEE_UNIT)
    contracts = contracts_of(NG, cut)
    contracts.says(POOL, "A_precise()", words(899))
    precise = StableSwap.of(balances, rates, 899, 100, Product.WHOLE, FEE, 2 * FEE_UNIT)
    assert abs(precise.out(0, 1, 10**18) / cut.out(0, 1, 10**18) - 1) > 1e-3
    assert known(recognise(contracts), NG)


def test_pin__of_an_empty_pool__says_that_it_could_not_be_checked() -> None:
    contracts = contracts_of(THREE, numbers(THREE))
    contracts.says(POOL, "balances(uint256)", words(0), 1)
    found = recognise(contracts)
    assert found is not None
    assert found.warning == f"it could not be checked: the pool is empty of coin 1, {USDC.address}"
    contracts = contracts_of(THREE, numbers(THREE))
    contracts.says(POOL, "get_dy(int128,int128,uint256)", b"", 0, 1, 10**18)
    found = recognise(contracts)
    assert found is not None
    assert found.warning == "it could not be checked: no quote of coin 0 for coin 1"


# --- not recognised --------------------------------------------------------------------------------------------------


def test_pin__of_another_contract__is_none() -> None:
    assert recognise(Contracts()) is None
    for call in ("A()", "fee()"):
        contracts = contracts_of(THREE, numbers(THREE))
        contracts.says(POOL, call, b"")
        assert recognise(contracts) is None


def test_pin__of_a_pool_with_another_invariant__is_none() -> None:
    contracts = contracts_of(THREE, numbers(THREE))
    contracts.says(POOL, "gamma()", words(10**14))
    assert recognise(contracts) is None


def test_pin__of_one_coin_or_of_the_same_twice__is_none() -> None:
    contracts = contracts_of(THREE, numbers(THREE))
    contracts.says(POOL, "coins(uint256)", b"", 1)
    assert recognise(contracts) is None
    contracts = contracts_of(THREE, numbers(THREE))
    contracts.says(POOL, "coins(uint256)", words(int(DAI.address, 16)), 1)
    assert recognise(contracts) is None


@pytest.mark.parametrize("decimals", [b"", words(37), words(1 << 255)])
def test_pin__of_a_coin_without_decimals__is_none(decimals: bytes) -> None:
    contracts = contracts_of(THREE, numbers(THREE))
    contracts.says(USDT.address, "decimals()", decimals)
    assert recognise(contracts) is None


def test_pin__asks_few_things_of_every_address() -> None:
    assert len(CurvePin().reads(POOL)) == 4
    assert SHARES.address == SHARE


def _call(name: str) -> bytes:
    from keeper.core.abi import calldata

    return calldata(name)
