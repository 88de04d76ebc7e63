import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.routing.search.parallel import parallel
from tests.sides import Product

POOLS = st.lists(st.builds(Product, st.integers(10**20, 10**26), st.integers(10**20, 10**26)), min_size=1, max_size=8)


@given(POOLS, st.integers(10**18, 10**26))
def test_parallel__of_any_constant_products__sells_all_at_one_price(pools: list[Product], sold: int) -> None:
    loads, w = parallel([pool.curve for pool in pools], sold)
    assert sum(loads) == pytest.approx(sold, rel=1e-6)
    for pool, load in zip(pools, loads, strict=True):
        slope = pool.slope(load)
        assert slope * w * w == pytest.approx(1, rel=1e-6) if load > sold * 1e-6 else slope * w * w <= 1 + 1e-6


def test_parallel__of_equal_pools__is_even() -> None:
    loads, _ = parallel([Product(10**24, 10**24).curve] * 4, 1e22)
    assert loads == pytest.approx([2.5e21] * 4)


def test_parallel__beside_a_dearer_pool__waits_until_it_is_worth_it() -> None:
    cheap, dear = Product(10**24, 10**24), Product(10**24, 98 * 10**22)
    assert parallel([cheap.curve, dear.curve], 1e21)[0] == pytest.approx([1e21, 0])
    assert parallel([cheap.curve, dear.curve], 1e23)[0][1] > 0
