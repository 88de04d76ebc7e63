import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.pools import LimitExceeded
from keeper.venues.linear import Linear

PRICES = st.tuples(st.integers(1, 1 << 100), st.integers(1, 1 << 100))


@given(PRICES, st.integers(1, 1 << 100))
def test_into__of_any_amount__is_the_least_that_brings_it(price: tuple[int, int], wanted: int) -> None:
    side = Linear(*price, 1 << 250, "so much")
    needed = side.into(wanted)
    assert isinstance(needed, int)
    brings, less = side.out(needed), side.out(needed - 1) if needed > 1 else 0
    assert isinstance(brings, int)
    assert isinstance(less, int)
    assert brings >= wanted > less


def test_side__up_to_its_limit__has_one_slope() -> None:
    side = Linear(3, 2, 100, "its maxDeposit")
    assert (side.out(99), side.out(100), side.into(150)) == (148, 150, 100)
    assert (side.slope(0.0), side.slope(99.0), side.slope(100.0)) == (1.5, 1.5, 0.0)
    assert (side.sold_at(1.4), side.sold_at(1.5), side.sold_at(1.6)) == (100.0, 0.0, 0.0)


@pytest.mark.parametrize("raw", [0, -1])
def test_side__of_nothing__is_a_limit(raw: int) -> None:
    side = Linear(3, 2, 100, "its maxDeposit")
    assert side.out(raw) == side.into(raw) == LimitExceeded(f"amount: expected more than 0, was {raw}")


def test_side__of_more_than_allowed__says_what_bounds_it() -> None:
    side = Linear(3, 2, 100, "its maxDeposit")
    refusal = LimitExceeded("amount: expected at most 100, its maxDeposit, was 101")
    assert side.out(101) == side.into(151) == refusal
