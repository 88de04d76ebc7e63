from dataclasses import replace

import pytest

from keeper.breakers.strikes import Refusals, Reverts
from keeper.core.chain import History
from keeper.core.latches import Latch
from tests.builders import make_view

VIEW = make_view()
NOW = VIEW.block.timestamp


@pytest.mark.fault("S22")
@pytest.mark.parametrize(
    ("ago", "trips"),
    [((10, 20, 30), True), ((10, 20), False), ((10, 20, 3_600), False), ((10, 20, 3_599), True), ((), False)],
)
def test_reverts__so_many_within_the_window__trip(ago: tuple[int, ...], trips: bool) -> None:
    view = replace(VIEW, history=History(reverts=tuple(NOW - seconds for seconds in ago)))
    found = Reverts(3, 3_600).trip(view)
    assert (found is not None) is trips
    assert not found or found.reason == "3 transactions reverted within 1h, limit 3"


def test_reverts__of_before_the_latch__are_no_new_evidence() -> None:
    history = History(reverts=(NOW - 30, NOW - 20, NOW - 10), latches=(Latch("reverts", NOW - 10),))
    assert Reverts(3, 3_600).trip(replace(VIEW, history=history)) is None


@pytest.mark.fault("K11")
def test_refusals__in_a_row__trip_at_their_limit() -> None:
    found = Refusals(20).trip(replace(VIEW, history=History(refusals=20)))
    assert found
    assert found.reason == "guards refused 20 cycles in a row, limit 20"
    assert Refusals(20).trip(replace(VIEW, history=History(refusals=19))) is None
