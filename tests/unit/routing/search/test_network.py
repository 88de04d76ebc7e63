from keeper.routing.search.network import SINK, SOURCE, Edge, Network, best_rates, in_order, reaches
from tests.builders import address
from tests.sides import Flat

PAIRS = ((0, 2, 2.0), (2, 1, 3.0), (0, 1, 5.0), (2, 3, 2.0), (3, 1, 2.0))
NETWORK = Network(
    5, tuple(Edge(address(n), tail, head, Flat(rate, 10**20)) for n, (tail, head, rate) in enumerate(PAIRS, 1))
)
FIRSTS = [rate for _, _, rate in PAIRS]


def test_best_rates__within_more_hops__are_those_of_longer_paths() -> None:
    assert best_rates(NETWORK, FIRSTS, 1) == [5.0, 1.0, 3.0, 2.0, 0.0]
    assert best_rates(NETWORK, FIRSTS, 2) == [6.0, 1.0, 4.0, 2.0, 0.0]
    assert best_rates(NETWORK, FIRSTS, 3) == [8.0, 1.0, 4.0, 2.0, 0.0]


def test_reaches__say_what_can_arrive_at_most() -> None:
    assert reaches(NETWORK, FIRSTS, 10.0, 3) == [10.0, 80.0, 20.0, 40.0, 0.0]


def test_in_order__of_loads__puts_each_place_after_those_that_send_to_it() -> None:
    order = in_order(NETWORK, [1.0] * 5)
    assert order is not None
    assert [place for place in order if place != 4] == [SOURCE, 2, 3, SINK]


def test_in_order__in_a_circle__is_none() -> None:
    circle = Network(4, (*NETWORK.edges, Edge(address(9), 3, 2, Flat(1.0, 1))))
    assert in_order(circle, [1.0] * 6) is None
    assert in_order(circle, [1.0] * 5 + [0.0]) is not None
