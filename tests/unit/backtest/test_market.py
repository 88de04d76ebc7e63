from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.backtest.market import Pools, Terms, make_pools
from keeper.core.units import TokenAmount
from tests.builders import DAI, USDC, WBTC, WETH, units, usd

FEE = Fraction(30, 10_000)
TERMS = Terms(usd(5_000_000), FEE, usd(2))
TOKENS = (WETH, USDC)


def pools(price: float = 2_000.0, terms: Terms = TERMS) -> Pools:
    return Pools(make_pools(TOKENS, terms.fee), TOKENS, terms, (price, 1.0))


def test_make_pools__tokens__a_pool_for_each_pair_at_addresses_of_their_own() -> None:
    made = make_pools((WETH, USDC, DAI, WBTC), FEE)
    assert len(made) == 6
    assert len({pool.address for pool in made}) == 6


def test_follow__market_within_the_fee__leaves_the_pool_and_beyond_takes_it_to_the_edge() -> None:
    found = pools()
    found.follow((2_005.0, 1.0))
    assert found.mids == [2_000.0]
    found.follow((2_100.0, 1.0))
    assert found.mids[0] == pytest.approx(2_100 * 0.997)
    found.follow((1_900.0, 1.0))
    assert found.mids[0] == pytest.approx(1_900 / 0.997)


def test_follow__pools_that_stand_at_the_market__have_no_basis() -> None:
    found = pools(terms=Terms(usd(5_000_000), FEE, usd(0), follows=False))
    found.follow((2_001.0, 1.0))
    assert found.mids[0] == pytest.approx(2_001)


@given(st.floats(0.01, 90_000), st.floats(0.997, 1.003))
def test_states__any_price__hold_the_depth_on_each_side(price: float, off: float) -> None:
    found = pools(price)
    found.mids[0] *= off
    (state,) = found.states((price, 1.0))
    weth, usdc = state.reserves
    assert weth / 1e18 * price == pytest.approx(5_000_000, rel=0.004)
    assert usdc / 1e6 == pytest.approx(5_000_000, rel=0.004)
    assert (weth / 1e18 * price * usdc / 1e6) ** 0.5 == pytest.approx(5_000_000, rel=1e-6)


def test_trade__sale__moves_the_price_and_arbitrage_brings_back_only_the_part_beyond_the_fee() -> None:
    found = pools()
    (state,) = found.states((2_000.0, 1.0))
    sell = units(WETH, 50)
    got = state.out_for(sell, USDC)
    assert isinstance(got, TokenAmount)
    found.trade(state.pool, sell, got)
    # x = 2,500 WETH: selling 2 % of it moves the price by about 4 %.
    assert found.mids[0] == pytest.approx(2_000 / 1.02**2, rel=0.001)
    found.follow((2_000.0, 1.0))
    assert found.mids[0] == pytest.approx(2_000 * 0.997)


def test_trade__the_other_way__lifts_the_price() -> None:
    found = pools()
    (state,) = found.states((2_000.0, 1.0))
    got = state.out_for(units(USDC, 100_000), WETH)
    assert isinstance(got, TokenAmount)
    found.trade(state.pool, units(USDC, 100_000), got)
    assert found.mids[0] == pytest.approx(2_000 * 1.02**2, rel=0.001)


def test_terms__for_people__say_every_cost() -> None:
    assert str(TERMS) == "a pool for each pair, $5,000,000.00 on each side, fee 30 bps; gas $2.00 a trade"
