from collections.abc import Iterable, Sequence
from itertools import combinations

import pytest

from keeper.routing.search.filling import Filled, fill
from keeper.routing.search.lean import EXACT_UP_TO, leanest, single
from keeper.routing.search.network import SINK, SOURCE, Edge, Network
from keeper.routing.search.optimum import Search
from tests.builders import address
from tests.networks import UNIT, published, random_network, with_gas
from tests.sides import Flat, Product

SOLD = 10**22


def brute_force(network: Network, sold: int) -> Filled | None:
    """The best of every set of pools, each searched by itself."""
    pools = sorted({edge.pool for edge in network.edges})
    sets = (chosen for count in range(1, len(pools) + 1) for chosen in combinations(pools, count))
    return best_of(network, sold, ([edge for edge in network.edges if edge.pool in chosen] for chosen in sets))


def best_of(network: Network, sold: int, sets: Iterable[Sequence[Edge]]) -> Filled | None:
    best: Filled | None = None
    for edges in sets:
        part = Search(Network(network.places, tuple(edges)))
        balance = part.best(sold)
        found = fill(part.network, balance.loads, sold) if balance else None
        best = found if best is None or (found and found.net > best.net) else best
    return best


@pytest.mark.parametrize("seed", range(36))
def test_leanest__of_a_few_pools__is_the_best_of_all_sets(seed: int) -> None:
    network, sold = random_network(seed, fewest=2, most=EXACT_UP_TO)
    balance = Search(network).best(sold)
    if balance is None:
        assert leanest(Search(network), sold) is None or brute_force(network, sold) is not None
        return
    gas = int(balance.out * 10 ** -(2 + seed % 4))
    dear = with_gas(network, lambda edge: gas * (2 + int(edge.pool, 16) % 3) // 2)
    best, found = brute_force(dear, sold), leanest(Search(dear), sold)
    assert best is not None
    assert found is not None
    assert found.net >= best.net - abs(best.net) * 1e-8


def test_leanest__with_dearer_gas__uses_fewer_pools() -> None:
    pools = [Product(n * 10**23, n * 10**23) for n in range(1, 9)]
    plain = Network(2, tuple(Edge(address(n), SOURCE, SINK, side) for n, side in enumerate(pools, 1)))
    counts = []
    for gas in (0, 10**18, 10**19, 10**20, 10**21):
        found = leanest(Search(with_gas(plain, lambda edge, gas=gas: gas)), SOLD)  # type: ignore[misc]
        assert found is not None
        counts.append(len(found.swaps))
    assert counts == sorted(counts, reverse=True)
    assert (counts[0], counts[-1]) == (8, 1)


@pytest.mark.parametrize(("amount", "gas"), [(20, 0.001), (40, 0.05)])
def test_leanest__of_a_pool_used_on_several_sides__is_the_best_of_all_sets_of_sides(amount: int, gas: float) -> None:
    plain = leanest(Search(published()), amount * UNIT)
    assert plain is not None
    dear = with_gas(published(), lambda _: int(plain.out * gas))
    sets = (chosen for count in range(1, len(dear.edges) + 1) for chosen in combinations(dear.edges, count))
    best, found = best_of(dear, amount * UNIT, sets), leanest(Search(dear), amount * UNIT)
    assert best is not None
    assert found is not None
    assert found.net >= best.net * (1 - 1e-7)


@pytest.mark.parametrize("seed", range(8))
def test_leanest__of_many_pools__nets_no_less_than_the_best_one_alone(seed: int) -> None:
    network, sold = random_network(seed, fewest=12, most=30)
    balance = Search(network).best(sold)
    assert balance is not None
    search = Search(with_gas(network, lambda edge: int(balance.out * 2e-4)))
    alone, found = single(search, sold), leanest(search, sold)
    assert found is not None
    assert alone is None or found.net >= alone.net


def test_leanest__where_the_pools_take_less__is_none() -> None:
    search = Search(Network(2, (Edge(address(1), SOURCE, SINK, Flat(1.0, 10)),)))
    assert leanest(search, 11) is None
    assert single(search, 11) is None
