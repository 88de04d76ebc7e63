from itertools import pairwise
from math import sqrt

import pytest

from keeper.core.pools import Side
from keeper.routing.search.bundle import Bundles
from keeper.routing.search.sketch import Sketch
from tests.sides import Flat, Product, Stable, Weighted, ranges

SIDES = {
    "constant product": Product(4 * 10**23, 4 * 10**23),
    "weighted": Weighted(3e23, 1e23, 3.0),
    "stable": Stable.of(5e23, 6e23, 100),
    "ranges": ranges(1.0, [1.001, 1.002, 1.05, 10], [3e25, 1e25, 4e24, 1e24]),
}


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES.keys())
def test_sketch__looked_at_a_few_times__sells_what_the_side_sells(side: Side) -> None:
    sketch, sold = Sketch(side, 1e24), 3e22
    w = 1 / sqrt(side.slope(sold))
    for _ in range(6):
        sketch.look(w)
    thought, brings, grows = sketch.at(w)
    exact = side.out(int(thought))
    assert isinstance(exact, int)
    assert thought == pytest.approx(sold, rel=1e-5)
    assert brings == pytest.approx(exact, rel=1e-6)
    assert grows > 0


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES.keys())
def test_sketch__at_any_price__sells_the_more_the_lower_it_is(side: Side) -> None:
    sketch = Sketch(side, 1e24)
    first = 1 / sqrt(side.slope(0.0))
    sketch.look(first * 1.01)
    points = [sketch.at(first * (1 + step / 1_000)) for step in range(-5, 500)]
    assert points[0] == (0.0, 0.0, 0.0)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(points))


def test_sketch__of_a_constant_product__needs_no_look() -> None:
    side = Product(10**24, 10**24)
    sketch = Sketch(side, 1.0)
    assert sketch.exact
    assert sketch.look(1.1) == 0
    assert sketch.at(1 / sqrt(side.slope(1e22)))[0] == pytest.approx(1e22, rel=1e-9)


def test_sketch__of_one_price__sells_all_within_a_hundredth_of_a_bps() -> None:
    sketch = Sketch(Flat(0.5, 10**20), 1e24)
    w = 1 / sqrt(0.5)
    assert sketch.at(w * (1 - 1e-6))[0] == 0
    assert sketch.at(w * (1 + 2e-6))[0] == pytest.approx(1e20, rel=1e-5)


def test_sketch__asked_for_more_than_before__stretches() -> None:
    side = SIDES["stable"]
    sketch = Sketch(side, 1e20)
    assert sketch.cap == pytest.approx(1e20, rel=1e-5)
    sketch.stretch(1e23)
    assert sketch.cap == pytest.approx(1e23, rel=1e-5)
    sketch.stretch(1e21)
    assert sketch.cap == pytest.approx(1e23, rel=1e-5)


def test_sketch__of_less_than_one_unit__sells_nothing() -> None:
    sketch = Sketch(Flat(0.5, 10**20), 0.5)
    w = sketch.first * (1 + 5e-10)
    assert [sketch.at(w), sketch.at(2 * w)] == [(0.0, 0.0, 0.0)] * 2
    assert Bundles().of([(0, 1, sketch)])[0].at(2 * w) == (0.0, 0.0, 0.0)
