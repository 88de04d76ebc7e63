import pytest

from keeper.routing.search.sharing import Shared
from tests.sides import Basket

BASKET = Basket((3e24, 2e24, 1e24), (3.0, 2.0, 1.0), 0.998)


def first_of_two(later: float) -> Shared:
    """Selling the first token for the second, before `later` of the first goes for the third."""
    return Shared(BASKET.side(0, 1), lambda own: BASKET.after(0, 1, own).after(0, 2, later).side(0, 1))


def test_shared__with_nothing_after_it__is_the_side_itself() -> None:
    shared, plain = first_of_two(0.0), BASKET.side(0, 1)
    for sold in (0, 10**21, 10**23):
        assert shared.slope(sold) == pytest.approx(plain.slope(sold), rel=1e-9)
        assert shared.out(sold) == plain.out(sold)


def test_shared__with_sales_after_it__brings_what_it_brings_but_its_next_unit_is_worth_less() -> None:
    shared, plain = first_of_two(2e23), BASKET.side(0, 1)
    assert shared.out(10**23) == plain.out(10**23)
    assert shared.slope(1e23) < plain.slope(1e23)
    assert shared.most == plain.most


@pytest.mark.parametrize("sold", [1e20, 1e22, 5e23])
def test_sold_at__of_a_slope__comes_back_to_it(sold: float) -> None:
    shared = first_of_two(2e23)
    assert shared.sold_at(shared.slope(sold)) == pytest.approx(sold, rel=1e-4)
    assert shared.sold_at(shared.slope(0.0) * 1.01) == 0
