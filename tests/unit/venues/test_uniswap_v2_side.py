from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.pools import LimitExceeded, NoLiquidity
from keeper.venues.uniswap_v2 import MAX_RESERVE
from keeper.venues.uniswap_v2_side import ConstantProduct

RESERVES = st.tuples(st.integers(10**3, 1 << 100), st.integers(10**3, 1 << 100))
KEPT = st.sampled_from([(997, 1000), (9975, 10_000), (9995, 10_000), (1, 1)])


def side_of(reserves: tuple[int, int], kept: tuple[int, int] = (997, 1000)) -> ConstantProduct:
    return ConstantProduct.of(reserves, kept, MAX_RESERVE - reserves[0])


@given(RESERVES, KEPT, st.integers(1, 1 << 100))
def test_into__of_any_amount__is_the_least_that_brings_it_or_one_more(
    reserves: tuple[int, int], kept: tuple[int, int], wanted: int
) -> None:
    side = side_of(reserves, kept)
    needed = side.into(wanted)
    if not isinstance(needed, int):
        return
    brings = side.out(needed)
    assert isinstance(brings, int)
    assert brings >= wanted
    exact = Fraction(reserves[0] * wanted * kept[1], (reserves[1] - wanted) * kept[0])
    least = needed - (exact.denominator == 1)  # the contract adds one in any case
    less = side.out(least - 1) if least > 1 else 0
    assert isinstance(less, int)
    assert less < wanted


@given(RESERVES, KEPT, st.floats(0, 2), st.floats(1e-9, 1))
def test_slope__at_any_size__is_the_curves_own(
    reserves: tuple[int, int], kept: tuple[int, int], share: float, step: float
) -> None:
    side = side_of(reserves, kept)
    x, y, g = side.curve
    at, then = share * x, (share + step) * x
    one, other = (
        Fraction(y) * Fraction(g) * Fraction(d) / (Fraction(x) + Fraction(g) * Fraction(d)) for d in (at, then)
    )
    chord = float((other - one) / (Fraction(then) - Fraction(at)))
    assert side.slope(at) * (1 + 1e-9) >= chord >= side.slope(then) * (1 - 1e-9)


@given(RESERVES, KEPT, st.floats(1e-3, 2))
def test_sold_at__a_slope__is_where_it_is(reserves: tuple[int, int], kept: tuple[int, int], share: float) -> None:
    side = side_of(reserves, kept)
    sold = share * reserves[0]
    assert side.sold_at(side.slope(sold)) == pytest.approx(sold, rel=1e-9)
    assert side.sold_at(side.slope(0.0) * 1.001) == 0.0


def test_side__at_its_end__gives_nothing_more() -> None:
    side = side_of((MAX_RESERVE - 10, 10**18))
    assert side.most == 10
    assert isinstance(side.out(10), int)
    assert side.slope(10.0) == 0.0
    assert side.sold_at(0.0) == 10.0
    assert side.out(11) == LimitExceeded("amount: expected at most 10, was 11: a pair holds 2**112 - 1 at most")
    assert isinstance(side.into(10**17), LimitExceeded)


@pytest.mark.parametrize("raw", [0, -1])
def test_side__of_nothing__is_a_limit(raw: int) -> None:
    side = side_of((10**18, 10**18))
    assert side.out(raw) == side.into(raw) == LimitExceeded(f"amount: expected more than 0, was {raw}")


@pytest.mark.fault("M19")
def test_into__all_that_the_pair_holds__is_no_liquidity() -> None:
    assert isinstance(side_of((10**18, 10**18)).into(10**18), NoLiquidity)
