from math import exp, log

import pytest

from keeper.routing.search import prices
from keeper.routing.search.bundle import Bundles, Line
from keeper.routing.search.network import SOURCE
from keeper.routing.search.sketch import Sketch
from tests.sides import Flat, Product

SOLD = 1e22


def settle(lines: list[Line], heights: list[float], sold: float) -> list[float] | None:
    return prices.settle(Bundles().of(lines), heights, sold)


def sketch(x: float, y: float) -> Sketch:
    return Sketch(Product(int(x), int(y), 1_000_000), 1e26)


def test_settle__of_one_pool__finds_its_slope() -> None:
    found = settle([(0, 1, sketch(1e24, 2e24))], [-log(2.0) / 2, 0.0], SOLD)
    assert found is not None
    # √price = √(x·y)/(x + d)
    assert exp(-found[SOURCE]) == pytest.approx(2**0.5 * 1e24 / (1e24 + SOLD), rel=1e-8)


def test_settle__through_a_middle_token__passes_on_what_arrives() -> None:
    first, second = sketch(1e24, 3e24), sketch(5e24, 5e24)
    heights = settle([(0, 2, first), (2, 1, second)], [-log(3.0) / 2, 0.0, 0.0], SOLD)
    assert heights is not None
    sold, arrives, _ = first.at(exp(heights[0] - heights[2]))
    assert sold == pytest.approx(SOLD, rel=1e-8)
    assert second.at(exp(heights[2] - heights[1]))[0] == pytest.approx(arrives, rel=1e-8)


def test_settle__at_a_wall_of_one_price__divides_what_passes_it() -> None:
    """The flat side takes half of all at one price, so that the price stands there and the other side decides."""
    flat, bent = Sketch(Flat(0.99, 10**24), SOLD * 1.02), sketch(5e23, 5e23)
    heights = settle([(0, 1, flat), (0, 1, bent)], [0.0, 0.0], SOLD)
    assert heights is not None
    w = exp(heights[0])
    assert w * w == pytest.approx(1 / 0.99, rel=1e-5)
    assert flat.at(w)[0] + bent.at(w)[0] == pytest.approx(SOLD, rel=1e-6)


@pytest.mark.parametrize("start", [-1.0, 0.0, 0.5, 3.0])
def test_settle__from_anywhere__comes_to_the_same_prices(start: float) -> None:
    lines = [(0, 2, sketch(1e24, 1e24)), (0, 1, sketch(1e23, 1e23)), (2, 1, sketch(3e23, 3e23))]
    found = settle(lines, [start, 0.0, start / 2], SOLD)
    assert found is not None
    assert found == pytest.approx(settle(lines, [0.0, 0.0, 0.0], SOLD), abs=1e-8)


def test_settle__of_more_than_the_sides_take__is_none() -> None:
    assert settle([(0, 1, Sketch(Flat(1.0, 10**20), 1e24))], [0.0, 0.0], SOLD) is None
