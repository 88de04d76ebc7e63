import os
from math import exp
from random import Random

import pytest

from keeper.core.pools import Side
from keeper.routing.search.filling import Filled, fill
from keeper.routing.search.lean import leanest
from keeper.routing.search.network import SINK, SOURCE, Edge, Network
from keeper.routing.search.optimum import Balance, Search
from tests.builders import address
from tests.networks import UNIT, published, random_network, upper_bound
from tests.sides import Flat, Product, Stable, Weighted, ranges

NETWORKS = int(os.environ.get("KEEPER_CASES", "60")) // 10 + 34
BPS = 1e-4
SOLD = 10**22


def edge(number: int, tail: int, head: int, side: Side, gas: int = 0) -> Edge:
    return Edge(address(number), tail, head, side, gas)


def found_in(network: Network, sold: int = SOLD) -> tuple[Search, Balance, Filled]:
    search = Search(network)
    balance = search.best(sold)
    assert balance is not None
    filled = fill(search.network, balance.loads, sold)
    assert filled is not None
    return search, balance, filled


def parallel(*sides: Side) -> Network:
    return Network(2, tuple(edge(number, SOURCE, SINK, side) for number, side in enumerate(sides, 1)))


MIXED = (
    Product(4 * 10**23, 4 * 10**23),
    Weighted(3e23, 1e23, 3.0),
    Stable.of(5e22, 6e22, 100),
    ranges(1.0, [1.001, 1.002, 1.05, 10], [3e24, 1e24, 4e23, 1e23]),
    Flat(0.996, 10**21),
)


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_best__in_a_random_network__is_within_a_tenth_of_a_bps_of_what_cannot_be_exceeded(seed: int) -> None:
    network, sold = random_network(seed)
    search = Search(network)
    balance = search.best(sold)
    direct = [edge for edge in network.edges if (edge.tail, edge.head) == (SOURCE, SINK)]
    alone = [brings for edge in direct if isinstance(brings := edge.side.out(sold), int)]
    best = leanest(Search(network), sold)
    assert (best.out if best else 0) >= max(alone, default=0)
    if balance is None:
        assert Search(network).best(sold // 10**6) is not None, "so much less finds room"
        return
    filled = fill(search.network, balance.loads, sold)
    assert filled is not None
    assert sum(swap.sold for swap in filled.swaps if swap.edge.tail == SOURCE) == sold
    bound = upper_bound(search.network, balance.heights, sold)
    assert bound * (1 - 0.1 * BPS) <= filled.out <= bound * (1 + 1e-9)
    assert best is not None
    assert best.out >= filled.out * (1 - 0.1 * BPS)


def test_best__of_pools_side_by_side__pays_the_same_for_the_next_unit_everywhere() -> None:
    _, balance, filled = found_in(parallel(*MIXED), 2 * 10**23)
    slope = exp(-2 * balance.heights[SOURCE])
    bending = [swap for swap in filled.swaps if not isinstance(swap.edge.side, Flat)]
    assert len(bending) == 4
    for swap in bending:
        assert swap.edge.side.slope(float(swap.sold)) == pytest.approx(slope, rel=1e-6)
    (flat,) = (swap for swap in filled.swaps if isinstance(swap.edge.side, Flat))
    assert flat.edge.side.slope(0.0) > slope
    assert flat.sold == pytest.approx(flat.edge.side.most, rel=1e-5)


@pytest.mark.parametrize(("one", "other"), [(one, other) for one in MIXED for other in MIXED if one is not other])
def test_best__of_two_pools__is_no_worse_than_any_of_many_divisions(one: Side, other: Side) -> None:
    _, _, filled = found_in(parallel(one, other))
    grid = [SOLD * part // 400 for part in range(1, 400)]
    outs = [(one.out(part), other.out(SOLD - part)) for part in grid]
    best = max((a + b for a, b in outs if isinstance(a, int) and isinstance(b, int)), default=0)
    assert filled.out >= best * (1 - 1e-7)


def test_best__through_a_middle_token__passes_on_all_that_arrives() -> None:
    network = Network(
        3,
        (
            edge(1, SOURCE, 2, Product(10**24, 2 * 10**24)),
            edge(2, SOURCE, 2, MIXED[2]),
            edge(3, 2, SINK, Product(10**24, 5 * 10**23)),
            edge(4, 2, SINK, Weighted(1e24, 6e23, 1.0)),
        ),
    )
    _, _, filled = found_in(network)
    arrives = sum(swap.brings for swap in filled.swaps if swap.edge.head == 2)
    assert arrives == sum(swap.sold for swap in filled.swaps if swap.edge.tail == 2)
    assert filled.out == sum(swap.brings for swap in filled.swaps if swap.edge.head == SINK)


def test_best__of_two_paths_through_one_pool__prices_it_once() -> None:
    """Both middle pools lead into the same last one: each path alone would think it has that pool to itself."""
    last = Product(10**23, 10**23)
    network = Network(
        3,
        (
            edge(1, SOURCE, 2, Product(10**24, 10**24)),
            edge(2, SOURCE, 2, Product(10**24, 10**24)),
            edge(3, 2, SINK, last),
        ),
    )
    _, _, filled = found_in(network)
    (shared,) = (swap for swap in filled.swaps if swap.edge.head == SINK)
    assert filled.out == shared.brings == last.out(shared.sold)
    parts = [swap.sold for swap in filled.swaps if swap.edge.tail == SOURCE]
    assert parts[0] == pytest.approx(parts[1], rel=1e-6)


def test_best__of_a_pool_of_three_tokens__uses_one_of_its_sides() -> None:
    network = Network(
        3,
        (
            edge(1, SOURCE, SINK, Weighted(1e23, 1e23, 1.0)),
            edge(1, SOURCE, 2, Weighted(1e23, 1e23, 1.0)),
            edge(2, 2, SINK, Product(10**23, 10**23)),
        ),
    )
    _, _, filled = found_in(network)
    assert len({swap.edge.pool for swap in filled.swaps}) == len(filled.swaps)


def test_best__where_middle_tokens_could_be_traded_in_a_circle__leaves_that_alone() -> None:
    network = Network(
        4,
        (
            edge(1, SOURCE, 2, Product(10**24, 10**24)),
            edge(2, 2, SINK, Product(10**24, 10**24)),
            edge(3, 2, 3, Product(10**24, 2 * 10**24)),
            edge(4, 3, 2, Product(10**24, 10**24)),
            edge(5, 3, SINK, Product(10**22, 10**22)),
        ),
    )
    _, _, filled = found_in(network)
    assert not {address(3), address(4)} <= {swap.edge.pool for swap in filled.swaps}


def test_best__along_more_edges_than_allowed__is_not_found() -> None:
    chain = Network(5, tuple(edge(n, t, h, MIXED[0]) for n, t, h in ((1, 0, 2), (2, 2, 3), (3, 3, 4), (4, 4, 1))))
    assert Search(chain, hops=3).best(SOLD) is None
    assert Search(chain, hops=4).best(SOLD) is not None


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_best__within_few_hops__brings_what_their_paths_bring(hops: int) -> None:
    edges = (edge(1, 0, 1, MIXED[0]), edge(2, 0, 2, MIXED[0]), edge(3, 2, 1, MIXED[0]), edge(4, 2, 3, MIXED[0]))
    network = Network(4, (*edges, edge(5, 3, 1, MIXED[0])))
    found = Search(network, hops).best(SOLD)
    assert found is not None
    used = {
        int(each.pool, 16) for each, load in zip(Search(network, hops).network.edges, found.loads, strict=True) if load
    }
    assert used <= {1: {1}, 2: {1, 2, 3}, 3: {1, 2, 3, 4, 5}}[hops]
    assert len(used) == {1: 1, 2: 3, 3: 5}[hops]


def test_best__with_a_long_way_beside_short_ones__keeps_to_the_short_ones() -> None:
    long = [edge(n, t, h, Flat(1.0, 10**24)) for n, t, h in ((1, 0, 2), (2, 2, 3), (3, 3, 4), (4, 4, 1))]
    short = [edge(5, 2, 1, MIXED[0]), edge(6, 0, 4, MIXED[0]), edge(7, 0, 1, MIXED[0])]
    _, _, filled = found_in(Network(5, (*long, *short)))
    heads = {
        swap.edge.tail: {s.edge.head for s in filled.swaps if s.edge.tail == swap.edge.tail} for swap in filled.swaps
    }
    assert not (3 in heads.get(2, set()) and 4 in heads.get(3, set()))
    assert filled.out > 0


@pytest.mark.parametrize("seed", [3, 11, 19])
def test_best__with_the_pools_in_another_order__brings_the_same(seed: int) -> None:
    network, sold = random_network(seed, fewest=12, most=12)
    edges = list(network.edges)
    Random(seed).shuffle(edges)
    _, _, one = found_in(network, sold)
    _, _, other = found_in(Network(network.places, tuple(edges)), sold)
    assert one.out == pytest.approx(other.out, rel=1e-7)


def test_best__asked_again_with_other_amounts__does_not_depend_on_what_was_asked_before() -> None:
    network, sold = random_network(5)
    used = Search(network)
    for part in (1000, 1, 50, 3):
        again, fresh = used.best(sold // part), Search(network).best(sold // part)
        assert again is not None
        assert fresh is not None
        assert again.out == pytest.approx(fresh.out, rel=1e-6)


def test_best__of_more_than_the_pools_take__is_none() -> None:
    assert Search(parallel(Flat(1.0, SOLD // 3), Flat(0.9, SOLD // 2))).best(SOLD) is None
    assert Search(Network(2, ())).best(SOLD) is None


PUBLISHED = {
    1: 2.312827853,
    5: 9.758551308,
    10: 16.329966330,
    20: 26.318128618,
    25: 31.005495162,
    30: 34.756140456,
    40: 40.292854358,
    50: 44.182020402,
}
"""What its five pools bring for so many of the first token where nothing is sold back, as cvxpy finds it (`bench
routing`). From 25 on two sides of
the pool of three tokens are wanted at once."""
WITH_CIRCLES = {
    1: 7.293878988,
    2: 8.307388065,
    5: 11.337691095,
    10: 16.388196147,
}
"""The same where two of the pools may be played against each other, as in the paper."""


@pytest.mark.parametrize("sold", PUBLISHED)
def test_best__of_the_published_five_pools__is_the_optimum(sold: int) -> None:
    _, _, filled = found_in(published(), sold * UNIT)
    assert filled.out / UNIT == pytest.approx(PUBLISHED[sold], rel=0.1 * BPS)


@pytest.mark.parametrize("sold", WITH_CIRCLES)
def test_best__of_the_published_five_pools_with_circles__is_the_optimum(sold: int) -> None:
    found = Search(published(circles=True), hops=6, circles=True).best(sold * UNIT)
    assert found is not None
    assert found.out / UNIT == pytest.approx(WITH_CIRCLES[sold], rel=0.1 * BPS)


def test_best__of_two_sides_of_one_pool__prices_them_together() -> None:
    """Alone, each of them would think that nobody else sells into the pool's first token."""
    _, _, filled = found_in(published(), 50 * UNIT)
    both = [swap for swap in filled.swaps if swap.edge.pool == address(1)]
    assert len(both) == 2
    assert both[0].brings == both[0].edge.side.out(both[0].sold)
    alone = both[1].edge.side.out(both[1].sold)
    assert isinstance(alone, int)
    assert both[1].brings < alone
