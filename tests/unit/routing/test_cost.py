from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from keeper.core.plan import Leg
from keeper.core.units import TokenAmount
from keeper.routing.cost import fee_part, impact_part, impact_ratio, value_at_mid
from tests.builders import USDC, WETH, fake_pool, units


def leg_of(sell: TokenAmount, base: int = 5_000, quote: int = 10_000_000, fee: Fraction = Fraction(3, 1000)) -> Leg:
    state = fake_pool(units(WETH, base), units(USDC, quote), fee)
    brings, marginal = state.out_for(sell, USDC), state.marginal(WETH, USDC)
    assert isinstance(brings, TokenAmount)
    assert isinstance(marginal, Fraction)
    return Leg((state.pool,), sell, brings, marginal / (1 - fee))


def test_parts__of_a_constant_product_pool__are_known() -> None:
    """100 of 5,000 WETH at 2,000: the fee is 600 USDC, and 99.7 WETH move the price by 99.7 / 5,099.7 of the rest."""
    leg = leg_of(units(WETH, 100))
    assert value_at_mid(leg) == 200_000 * 10**6
    assert fee_part(leg) == 600 * 10**6
    exact = Fraction(199_400 * 10**6) * Fraction("99.7") / Fraction("5099.7")
    # The quote is rounded down to a raw unit, and that belongs to the impact.
    assert 0 <= impact_part(leg) - exact < 1
    assert impact_ratio(leg) == impact_part(leg) / (200_000 * 10**6)


@given(st.integers(1, 10**24), st.integers(1, 10**6), st.integers(1, 10**9), st.integers(0, 10_000))
def test_parts__of_any_leg__add_up_to_what_is_sold(raw: int, base: int, quote: int, fee_ppm: int) -> None:
    leg = leg_of(TokenAmount(WETH, raw), base, quote, Fraction(fee_ppm, 1_000_000))
    assert fee_part(leg) + impact_part(leg) + leg.quote.raw == value_at_mid(leg)
    assert impact_part(leg) >= 0
    assert 0 <= impact_ratio(leg) <= 1
