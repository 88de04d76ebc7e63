from math import sqrt

import pytest

from keeper.routing.search.bundle import Bundles
from keeper.routing.search.sketch import Sketch
from tests.sides import Flat, Product, Stable, Weighted, ranges

SIDES = [
    Product(4 * 10**23, 4 * 10**23),
    Weighted(3e23, 1e23, 3.0),
    Stable.of(5e23, 6e23, 100),
    ranges(1.0, [1.001, 1.002, 1.05, 10], [3e25, 1e25, 4e24, 1e24]),
    Flat(0.998, 10**22),
]


def sketches() -> list[Sketch]:
    found = [Sketch(side, 1e24) for side in SIDES]
    for sketch in found:
        for slope in (0.999, 0.99, 0.9):
            sketch.look(1 / sqrt(slope))
    return found


def test_bundle__at_any_price__does_what_all_its_sketches_do_together() -> None:
    parts = sketches()
    (bundle,) = Bundles().of([(0, 1, sketch) for sketch in parts])
    assert (bundle.tail, bundle.head) == (0, 1)
    assert bundle.first == min(sketch.first for sketch in parts)
    for step in range(2_000):
        w = bundle.first * (0.9995 + step / 1_000)
        for ours, theirs in zip(bundle.at(w), zip(*(sketch.at(w) for sketch in parts), strict=True), strict=True):
            assert ours == pytest.approx(sum(theirs), rel=1e-9, abs=1e14)


def test_bundles__are_made_anew__only_where_something_was_learnt() -> None:
    known, (one, other, *_) = Bundles(), sketches()
    lines = [(0, 1, one), (0, 2, other)]
    before = known.of(lines)
    assert [a is b for a, b in zip(known.of(lines), before, strict=True)] == [True, True]
    other.look(1 / sqrt(0.3))
    assert [a is b for a, b in zip(known.of(lines), before, strict=True)] == [True, False]
    assert known.of(lines[:1]) == before[:1]
