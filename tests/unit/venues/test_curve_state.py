from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from keeper.core.pools import LimitExceeded, NoLiquidity, Paused, Pool
from keeper.core.units import NATIVE, Token, TokenAmount
from keeper.venues.curve_math import FEE_UNIT, Product
from keeper.venues.curve_side import CurveSide
from keeper.venues.curve_state import CurveState, least_for
from keeper.venues.curve_swap import StableSwap
from keeper.venues.curve_through import Below, ThroughSide
from tests.builders import ETH, WETH, token
from tests.unit.venues.curve_pools import (
    CASES,
    DAI,
    FEE,
    GUSD,
    OVER,
    SHARES,
    THREE,
    USDC,
    USDT,
    plain_form,
    pool_of,
    random_stable,
    raw,
    sale,
    stable,
    whole,
)

POOL = pool_of(THREE, DAI, USDC, USDT)
HELD = (whole(DAI, 60 * 10**6), whole(USDC, 50 * 10**6), whole(USDT, 90 * 10**6))
SWAP = stable(HELD, 2_000, decimals=(18, 6, 6))
STATE = CurveState(POOL, THREE.coins, SWAP)
SUPPLY = SWAP.d * 98 // 100
RATE = 102 * 10**16
META = StableSwap.of(
    (whole(GUSD, 10**6), 2 * 10**24), (10**34, RATE), 1_000 * 100, 100, Product.EACH, FEE
)  # an A of 1,000
OVER_STATE = CurveState(pool_of(OVER, GUSD, SHARES, DAI, USDC, USDT), OVER.all_coins, META, Below(SWAP, SUPPLY))


def sold(of: Token, amount: int) -> TokenAmount:
    return TokenAmount(of, amount)


def random_state(random: Random, offpeg: int = 0) -> CurveState:
    swap = random_stable(random, offpeg=offpeg)
    tokens = [token(f"C{k}", 36 - (len(str(rate)) - 1)) for k, rate in enumerate(swap.rates)]
    form = plain_form(tokens)
    return CurveState(pool_of(form, *tokens), form.coins, swap)


def test_out_for__of_a_plain_pool__is_what_exchange_pays() -> None:
    for i, sell in enumerate((DAI, USDC, USDT)):
        for j, buy in enumerate((DAI, USDC, USDT)):
            if i != j:
                assert STATE.out_for(sold(sell, whole(sell, 1_000)), buy) == sold(
                    buy, SWAP.out(i, j, whole(sell, 1_000))
                )


def test_in_for__of_random_pools__is_the_least_that_suffices() -> None:
    random, found = Random(1), 0
    for _ in range(CASES):
        state = random_state(random)
        i, j, amount = sale(random, state.swap)
        sell, buy = state.pool.tokens[i], state.pool.tokens[j]
        paid = state.out_for(sold(sell, amount), buy)
        if not isinstance(paid, TokenAmount) or not paid.raw:
            continue
        least = raw(state.in_for(paid, sell))
        assert least <= amount
        assert raw(state.out_for(sold(sell, least), buy)) >= paid.raw
        before = state.out_for(sold(sell, least - 1), buy)
        assert not isinstance(before, TokenAmount) or before.raw < paid.raw
        found += 1
    assert found > CASES // 2


def test_in_for__where_the_fee_moves__suffices_and_one_less_does_not() -> None:
    """A dynamic fee is cut to 10^-10 of what is paid: what a sale brings goes up in teeth, and one of them is found."""
    random, found = Random(2), 0
    for _ in range(CASES):
        state = random_state(random, 2 * FEE_UNIT)
        i, j, amount = sale(random, state.swap)
        sell, buy = state.pool.tokens[i], state.pool.tokens[j]
        amount = min(amount, state.swap.balances[i])
        paid = state.out_for(sold(sell, amount), buy)
        if not isinstance(paid, TokenAmount) or not paid.raw:
            continue
        least = raw(state.in_for(paid, sell))
        assert raw(state.out_for(sold(sell, least), buy)) >= paid.raw
        before = state.out_for(sold(sell, least - 1), buy)
        assert not isinstance(before, TokenAmount) or before.raw < paid.raw
        found += 1
    assert found > CASES // 2


def test_marginal__of_random_pools__is_no_worse_than_the_average() -> None:
    random = Random(2)
    for _ in range(CASES):
        state = random_state(random)
        i, j, amount = sale(random, state.swap)
        sell, buy = state.pool.tokens[i], state.pool.tokens[j]
        paid, price = state.out_for(sold(sell, amount), buy), state.marginal(sell, buy)
        assert isinstance(price, Fraction)
        if isinstance(paid, TokenAmount):
            # The contract's roundings may be a few units of 18 decimals in our favour.
            assert paid.raw <= price * amount + 4 * 10**18 // state.swap.rates[j] + 1


@pytest.mark.fault("M24")
def test_quote__of_a_pegged_pool__is_near_one_in_both_directions() -> None:
    """18 and 6 decimals: a unit error is a factor of 10^12."""
    assert raw(STATE.out_for(sold(DAI, whole(DAI, 1_000)), USDC)) == pytest.approx(999.6 * 10**6, rel=1e-3)
    assert raw(STATE.out_for(sold(USDC, whole(USDC, 1_000)), DAI)) == pytest.approx(999.6 * 10**18, rel=1e-3)


# --- a metapool ------------------------------------------------------------------------------------------------------


def test_out_for__of_a_metapools_own_coins__counts_the_share_at_its_rate() -> None:
    paid = raw(OVER_STATE.out_for(sold(GUSD, whole(GUSD, 100)), SHARES))
    assert paid == META.out(0, 1, whole(GUSD, 100))
    assert paid == pytest.approx(100 / 1.02 * 10**18, rel=2e-3)


def test_out_for__into_an_underlying_coin__burns_what_the_metapool_pays() -> None:
    amount = whole(GUSD, 500)
    paid = SWAP.burn(1, META.out(0, 1, amount), SUPPLY)
    assert OVER_STATE.out_for(sold(GUSD, amount), USDC) == sold(USDC, paid)
    assert paid == pytest.approx(500 * 10**6, rel=2e-2)


def test_out_for__from_an_underlying_coin__sells_what_the_base_pool_mints() -> None:
    amount = whole(USDT, 500)
    minted = SWAP.mint((0, 0, amount), SUPPLY)
    assert OVER_STATE.out_for(sold(USDT, amount), GUSD) == sold(GUSD, META.out(1, 0, minted))


def test_in_for__through_the_base_pool__is_the_least_that_suffices() -> None:
    for sell, buy in ((GUSD, USDC), (DAI, GUSD)):
        least = raw(OVER_STATE.in_for(sold(buy, whole(buy, 321)), sell))
        assert raw(OVER_STATE.out_for(sold(sell, least), buy)) >= whole(buy, 321)
        assert raw(OVER_STATE.out_for(sold(sell, least - 1), buy)) < whole(buy, 321)


def test_marginal__through_the_base_pool__is_what_a_small_sale_brings() -> None:
    for sell, buy in ((GUSD, USDC), (DAI, GUSD)):
        price = OVER_STATE.marginal(sell, buy)
        assert isinstance(price, Fraction)
        average = Fraction(raw(OVER_STATE.out_for(sold(sell, whole(sell, 100)), buy)), whole(sell, 100))
        assert price == pytest.approx(float(average), rel=1e-3)


def test_quote__between_coins_of_the_base_pool__is_for_the_base_pool() -> None:
    for sell, buy in ((DAI, USDC), (SHARES, USDC), (USDT, SHARES)):
        found = OVER_STATE.out_for(sold(sell, whole(sell, 1)), buy)
        assert found == NoLiquidity(f"{sell.symbol} for {buy.symbol}: that is for the base pool")


def test_quote__of_an_underlying_coin_without_the_base_pool__is_refused() -> None:
    state = replace(OVER_STATE, below=None)
    assert isinstance(state.out_for(sold(GUSD, 100), USDC), NoLiquidity)
    assert isinstance(state.out_for(sold(GUSD, 100), SHARES), TokenAmount)


def test_side__is_in_closed_form_where_one_pool_decides() -> None:
    assert STATE.side(DAI, USDC) == CurveSide.of(SWAP, 0, 1)
    found = OVER_STATE.side(GUSD, USDC)
    assert isinstance(found, ThroughSide)
    assert found.out(whole(GUSD, 500)) == raw(OVER_STATE.out_for(sold(GUSD, whole(GUSD, 500)), USDC))
    assert found.slope(whole(GUSD, 500)) == pytest.approx(10**4, rel=1e-2)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_quote__of_a_killed_pool__is_paused() -> None:
    killed = replace(STATE, killed=True)
    for found in (
        killed.out_for(sold(DAI, 1), USDC),
        killed.in_for(sold(USDC, 1), DAI),
        killed.marginal(DAI, USDC),
        killed.side(DAI, USDC),
    ):
        assert found == Paused("the pool is killed")


def test_quote__of_the_native_coin_or_of_another_chain__is_refused() -> None:
    state = replace(STATE, coins=(DAI.address, NATIVE, USDT.address))
    assert isinstance(state.out_for(sold(DAI, 10**18), ETH), NoLiquidity)
    assert isinstance(state.out_for(sold(DAI, 10**18), USDT), TokenAmount)
    assert isinstance(STATE.out_for(sold(DAI, 10**18), replace(USDC, chain_id=1)), NoLiquidity)


@pytest.mark.parametrize("buy", [WETH, DAI])
def test_quote__of_another_token_or_the_same__is_refused(buy: Token) -> None:
    assert isinstance(STATE.out_for(sold(DAI, 1), buy), NoLiquidity)
    assert isinstance(STATE.in_for(sold(buy, 1), DAI), NoLiquidity)
    assert isinstance(STATE.marginal(DAI, buy), NoLiquidity)
    assert isinstance(STATE.side(DAI, buy), NoLiquidity)


@pytest.mark.parametrize("amount", [0, -1, 1 << 113])
def test_quote__of_nothing_or_too_much__is_a_limit(amount: int) -> None:
    assert isinstance(STATE.out_for(sold(DAI, amount), USDC), LimitExceeded)


@pytest.mark.parametrize("amount", [0, -1])
def test_in_for__nothing__is_a_limit(amount: int) -> None:
    assert isinstance(STATE.in_for(sold(USDC, amount), DAI), LimitExceeded)


@pytest.mark.fault("M19")
@pytest.mark.parametrize("more", [0, 1, 10**30])
def test_in_for__all_that_the_pool_holds_or_more__is_no_liquidity(more: int) -> None:
    assert isinstance(STATE.in_for(sold(USDC, HELD[1] + more), DAI), NoLiquidity)


def test_swap__through_two_pools_that_would_revert__is_no_liquidity() -> None:
    empty = replace(OVER_STATE, below=Below(SWAP, 0))
    found = empty.out_for(sold(GUSD, 100), USDC)
    assert isinstance(found, NoLiquidity)
    assert found.reason.startswith("the pool would revert: ")


@pytest.mark.parametrize("guess", [1, 2, 9_999, 10_000, 10_001, 123_456, 10**6])
def test_least_for__from_any_guess__finds_it(guess: int) -> None:
    assert least_for(lambda amount: amount // 10, 1_000, guess, 10**6) == 10_000
    assert least_for(lambda amount: amount // 10, 1, guess, 10**6) == 10
    assert isinstance(least_for(lambda amount: amount // 10, 10**6, guess, 10**6), NoLiquidity)
    assert isinstance(least_for(lambda _: Paused("no"), 1, guess, 10**6), NoLiquidity)


def test_pool__of_a_state__has_the_fee_of_its_block() -> None:
    assert isinstance(STATE.pool, Pool)
    assert STATE.pool.fee == Fraction(4, 10_000)


# --- afterwards ------------------------------------------------------------------------------------------------------


def test_after__of_a_sale__keeps_the_fee_but_for_the_owners_part() -> None:
    random = Random(6)
    for _ in range(CASES):
        state = random_state(random, offpeg=random.choice((0, 5 * FEE_UNIT)))
        i, j, amount = sale(random, state.swap)
        tokens = state.pool.tokens
        told = replace(state, swap=replace(state.swap, admin=random.choice((0, FEE_UNIT // 2, FEE_UNIT))))
        paid, after = told.out_for(sold(tokens[i], amount), tokens[j]), told.after(sold(tokens[i], amount), tokens[j])
        if not isinstance(paid, TokenAmount) or after == NoLiquidity("D does not converge"):
            assert isinstance(after, NoLiquidity | LimitExceeded)
            continue
        assert isinstance(after, CurveState)
        moved = [b - a for a, b in zip(state.swap.balances, after.swap.balances, strict=True)]
        left = -moved[j] - paid.raw
        assert (moved.pop(i), moved.pop(j - (j > i)), set(moved) | {0}) == (amount, -paid.raw - left, {0})
        fee = replace(state.swap, fee=0).out(i, j, amount) - paid.raw
        assert abs(left - fee * (told.swap.admin or 0) // FEE_UNIT) <= 2


def test_after__of_what_a_pool_does_not_tell__is_no_quote() -> None:
    assert isinstance(STATE.after(sold(DAI, 10**18), USDC), NoLiquidity)
    through = replace(OVER_STATE, swap=replace(META, admin=0))
    assert isinstance(through.after(sold(GUSD, 100), SHARES), CurveState)
    assert through.after(sold(GUSD, 100), DAI) == NoLiquidity("the swap moves its base pool as well")
