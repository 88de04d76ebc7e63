import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.routing.search.filling import fill
from keeper.routing.search.network import SINK, SOURCE, Edge, Network
from tests.builders import address
from tests.sides import Flat, Product

TWO = Network(2, tuple(Edge(address(n), SOURCE, SINK, Product(n * 10**24, 10**24)) for n in (1, 2)))


@given(st.integers(1, 10**24), st.floats(0.001, 0.999))
def test_fill__of_any_amount__sells_exactly_that_and_adds_up_exact_quotes(sold: int, share: float) -> None:
    filled = fill(TWO, [share, 1 - share], sold)
    assert filled is not None
    assert sum(swap.sold for swap in filled.swaps) == sold
    assert all(swap.brings == swap.edge.side.out(swap.sold) for swap in filled.swaps)
    assert filled.out == sum(swap.brings for swap in filled.swaps)


@pytest.mark.parametrize("sold", range(1, 30))
def test_fill__of_a_few_raw_units__gives_the_last_ones_where_they_bring_most(sold: int) -> None:
    """Both bring whole units only: one of three sold, and one of two."""
    network = Network(2, (Edge(address(1), 0, 1, Flat(1 / 3, 100)), Edge(address(2), 0, 1, Flat(1 / 2, 100))))
    filled = fill(network, [1.0, 1.0], sold)
    assert filled is not None
    assert sum(swap.sold for swap in filled.swaps) == sold
    half = sold // 2
    assert filled.out >= max(half // 3 + (sold - half) // 2, (sold - half) // 3 + half // 2) - (sold % 2 == 0)


def test_fill__of_what_a_side_does_not_take__is_none() -> None:
    network = Network(2, (Edge(address(1), SOURCE, SINK, Flat(1.0, 10)),))
    assert fill(network, [1.0], 11) is None
    assert fill(network, [1.0], 10) is not None


def test_fill__of_loads_in_a_circle__is_none() -> None:
    pairs = ((0, 2), (2, 3), (3, 2), (2, 1))
    network = Network(4, tuple(Edge(address(n), t, h, Flat(1.0, 10**9)) for n, (t, h) in enumerate(pairs, 1)))
    assert fill(network, [1.0, 1.0, 1.0, 1.0], 10**6) is None


def test_fill__of_a_speck_that_leads_nowhere__keeps_it_on_the_way() -> None:
    edges = (Edge(address(1), 0, 1, Flat(1.0, 10**9)), Edge(address(2), 0, 2, Flat(1.0, 10**9)))
    filled = fill(Network(3, edges), [1.0, 1e-3], 10**6)
    assert filled is not None
    assert filled.out == 10**6


def test_fill__counts_the_gas_of_what_is_used() -> None:
    edges = (Edge(address(1), 0, 1, Flat(1.0, 100), 7), Edge(address(2), 0, 1, Flat(1.0, 100), 5))
    one, both = fill(Network(2, edges), [1.0, 0.0], 50), fill(Network(2, edges), [1.0, 1.0], 50)
    assert one is not None
    assert both is not None
    assert (one.gas, one.net, both.gas, both.net) == (7, 43, 12, 38)
