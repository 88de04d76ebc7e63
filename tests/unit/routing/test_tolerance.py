"""MATH 6: worked values, found again by an attacker who searches, and what the keeper makes of them."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.chain import Unusable, VaultView
from keeper.core.plan import Leg
from keeper.core.units import Rounding, Token, TokenAmount
from keeper.routing import tolerance
from keeper.routing.tolerance import Tolerance, harmless_share, input_share, noise, safe_tolerance
from tests.builders import USDC, WETH, FakePool, fake_pool, make_block, make_view, units

FEE = Fraction(3, 1000)
VOLATILITY = Fraction(8, 10)


def pool(weth: int = 1_000, fee: Fraction = FEE) -> FakePool:
    return fake_pool(units(WETH, weth), units(USDC, weth * 3120), fee)


def leg_of(state: FakePool, sell: TokenAmount, buy: Token = USDC) -> Leg:
    quote, marginal = state.out_for(sell, buy), state.marginal(sell.token, buy)
    assert isinstance(quote, TokenAmount)
    assert isinstance(marginal, Fraction)
    return Leg((state.pool,), sell, quote, marginal / (1 - state.pool.fee))


# --- the worked values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fee", "share"), [(Fraction(3, 1000), "0.0030135"), (Fraction(5, 10_000), "0.00050038"), (Fraction(0), "0")]
)
def test_harmless_share__at_usual_fees__is_about_the_fee(fee: Fraction, share: str) -> None:
    assert float(harmless_share(fee)) == pytest.approx(float(share), rel=1e-4)


def test_safe_tolerance__of_a_trade_of_two_percent__is_the_gas_over_what_is_beyond_the_fee() -> None:
    found = safe_tolerance(Fraction(10), Fraction(2_000_000), Fraction(2, 100), FEE)
    assert float(found) == pytest.approx(10 / (2e6 * 0.017), rel=0.02)


def test_noise__at_80_percent_a_year__is_three_deviations_of_the_time_to_be_mined() -> None:
    assert float(noise(VOLATILITY, 24)) == pytest.approx(3 * 0.8 * math.sqrt(24 / 31_536_000), rel=1e-6)
    assert noise(VOLATILITY, 0) == 0


# --- found again by an attacker ------------------------------------------------------------------------------------


def _profit(front: float, share: float, fee: float) -> tuple[float, float]:
    """An attacker with `front` before a victim of `share`, all over the pool's side of 1: what he earns, and how much
    less than its quote the victim gets."""
    kept = 1 - fee

    def swap(x: float, y: float, sold: float) -> float:
        return kept * sold * y / (x + kept * sold)

    quote = swap(1, 1, share)
    bought = swap(1, 1, front)
    x, y = 1 + front, 1 - bought
    got = swap(x, y, share)
    x, y = x + share, y - got
    return swap(y, x, bought) - front, 1 - got / quote


def _best(share: float, fee: float, slip: float) -> float:
    """The most an attacker earns where the victim accepts `slip`, over a fine scan of what he puts in front."""
    low, high = 0.0, 4.0
    while high - low > 1e-12:  # the front that leaves the victim exactly its floor
        middle = (low + high) / 2
        low, high = (middle, high) if _profit(middle, share, fee)[1] <= slip else (low, middle)
    return max(_profit(low * k / 400, share, fee)[0] for k in range(1, 401))


@pytest.mark.fault("M16")
@pytest.mark.parametrize("fee", [Fraction(1, 10_000), Fraction(5, 10_000), FEE, Fraction(1, 100)])
def test_harmless_share__by_search__is_where_a_sandwich_begins_to_pay(fee: Fraction) -> None:
    edge = float(harmless_share(fee))
    assert all(_best(0.999 * edge, float(fee), slip) <= 1e-13 for slip in (0.001, 0.01, 0.1, 0.5))
    assert _best(1.02 * edge, float(fee), 0.01) > 0
    low, high = edge / 2, edge * 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if max(_best(middle, float(fee), s) for s in (1e-6, 1e-4)) > 0 else (middle, high)
    assert low == pytest.approx(edge, rel=0.01)


@pytest.mark.fault("M16")
@pytest.mark.parametrize("share", [0.005, 0.01, 0.03, 0.1])
def test_safe_tolerance__by_search__leaves_an_attacker_about_his_gas(share: float) -> None:
    gas, depth = 5.0, 2_000_000.0
    safe = float(safe_tolerance(Fraction(gas), Fraction(depth), Fraction(str(share)), FEE))
    assert depth * _best(share, 0.003, safe) == pytest.approx(gas, rel=0.02)
    assert depth * _best(share, 0.003, safe) <= gas * 1.0001


# --- what it is in a vault -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [Fraction(1, 1000), Fraction(1, 100), Fraction(1, 5)])
def test_input_share__of_a_constant_product_pool__is_what_is_sold_over_its_reserve(part: Fraction) -> None:
    state = pool()
    found = input_share(leg_of(state, TokenAmount(WETH, int(part * 1_000 * 10**18))))
    assert float(found) == pytest.approx(float(part), rel=1e-5)


def test_input_share__where_rounding_is_all_there_is__is_nothing() -> None:
    assert input_share(leg_of(pool(10**9), TokenAmount(USDC, 1), WETH)) == 0


def view(gwei: int = 10, native_price: Unusable | None = None) -> VaultView:
    return make_view(block=make_block(base_fee=gwei * 10**9), native_price=native_price)


@pytest.mark.fault("M16")
def test_tolerance__of_a_small_trade__is_what_noise_asks_for() -> None:
    found = Tolerance(VOLATILITY, 24, 50).of(leg_of(pool(), units(WETH, 3)), view())
    assert (found.bps, found.fits) == (21, 1)
    assert found.why == "noise asks for 20.9 bps; too small to be sandwiched at a profit"


@pytest.mark.fault("M16")
def test_tolerance__of_a_large_trade__makes_it_smaller_and_never_wider() -> None:
    state, policy = pool(), Tolerance(VOLATILITY, 24, 50)
    small, large = (policy.of(leg_of(state, units(WETH, sold)), view()) for sold in (3, 30))
    assert large.bps == small.bps
    assert large.fits < 1
    again = policy.of(leg_of(state, units(WETH, 30).times(large.fits, Rounding.DOWN)), view())
    assert again.fits == 1
    assert "bps is safe for 3.00 % of the pool" in large.why


def test_tolerance__where_a_sandwich_costs_more_than_it_earns__leaves_the_trade_whole() -> None:
    policy, leg = Tolerance(VOLATILITY, 2, 50), leg_of(pool(100), units(WETH, 1))
    assert policy.of(leg, view(gwei=1)).fits < 1
    assert policy.of(leg, view(gwei=100)).fits == 1


def test_tolerance__sent_privately__leaves_the_trade_whole_and_says_so() -> None:
    found = Tolerance(VOLATILITY, 24, 50, private=True).of(leg_of(pool(), units(WETH, 30)), view())
    assert (found.bps, found.fits) == (21, 1)
    assert "sent privately" in found.why


def test_tolerance__where_noise_asks_for_more_than_allowed__is_the_most_allowed() -> None:
    found = Tolerance(VOLATILITY, 24, 5).of(leg_of(pool(), units(WETH, 3)), view())
    assert found.bps == 5
    assert found.why.startswith("noise asks for 20.9 bps, 5 bps is the most allowed; ")


def test_tolerance__where_gas_has_no_price__takes_attacks_for_free() -> None:
    policy, leg = Tolerance(VOLATILITY, 2, 50), leg_of(pool(100), units(WETH, 1))
    assert policy.of(leg, view(gwei=100, native_price=Unusable("no price source"))).fits < 1


def test_attack_gas__without_a_base_fee__is_at_the_gas_price() -> None:
    legacy = replace(make_view(block=make_block(base_fee=None)), tip=10 * 10**9)
    assert tolerance.attack_gas(legacy) == tolerance.attack_gas(view(gwei=10)) > 0


@given(st.integers(1, 200_000), st.integers(0, 500), st.integers(1, 600), st.integers(1, 300))
def test_tolerance__whatever_the_trade__never_exceeds_the_most_and_what_fits_is_safe(
    sold: int, gwei: int, seconds: int, most: int
) -> None:
    policy, state = Tolerance(VOLATILITY, seconds, most), pool()
    sell = TokenAmount(WETH, sold * 10**15)
    found = policy.of(leg_of(state, sell), view(gwei))
    assert 1 <= found.bps <= most
    assert 0 < found.fits <= 1
    rest = policy.of(leg_of(state, sell.times(found.fits, Rounding.DOWN)), view(gwei))
    assert (rest.fits, rest.bps) == (1, found.bps)


@pytest.mark.fault("M16")
def test_tolerance__against_an_attacker_over_random_trades__leaves_him_no_more_than_his_gas() -> None:
    dice = random.Random(6)
    policy = Tolerance(VOLATILITY, 4, 100)
    for _ in range(100):
        depth, now = dice.randrange(50, 5_000), view(dice.randrange(1, 60))
        state, sell = pool(depth), TokenAmount(WETH, int(depth * 10**18 * 10 ** dice.uniform(-4, -1)))
        found = policy.of(leg_of(state, sell), now)
        safe = sell.times(found.fits, Rounding.DOWN)
        share = float(input_share(leg_of(state, safe)))
        earned = depth * 3120 * _best(share, 0.003, found.bps / 10_000)
        assert earned <= 1.001 * float(tolerance.attack_gas(now))
