"""The search on the sides of real venues: their exact quotes, their limits, tokens of 18 and of 6 decimals."""

import pytest

from keeper.core.pools import Side
from keeper.routing.search.filling import fill
from keeper.routing.search.network import SINK, SOURCE, Edge, Network
from keeper.routing.search.optimum import Search
from keeper.venues.curve_side import CurveSide
from keeper.venues.linear import Linear
from keeper.venues.uniswap_v2_side import ConstantProduct
from tests.builders import address
from tests.networks import upper_bound
from tests.unit.venues.balancer_pools import ONE_TOKEN, stable_state, weighted_state
from tests.unit.venues.balancer_pools import ZERO as BALANCER_ZERO
from tests.unit.venues.curve_pools import stable
from tests.unit.venues.test_uniswap_v3_state import look
from tests.unit.venues.v3_pools import ONE, ZERO, Chain, v3_pool

AT_PAR = -276_324
"""The tick at which 10^12 raw of 18 decimals are one raw of 6."""
POSITIONS = (
    (AT_PAR - 4, AT_PAR + 16, 10**19),
    (AT_PAR - 1_004, AT_PAR + 996, 10**18),
    (AT_PAR - 20_004, AT_PAR + 19_996, 10**17),
)


def sides() -> dict[str, Side]:
    v3 = look(Chain(v3_pool(spacing=4), AT_PAR, POSITIONS)).side(ZERO, ONE)
    weighted = weighted_state([2_000_000, 2_000_000], [50, 50]).side(BALANCER_ZERO, ONE_TOKEN)
    balancer = stable_state([3_000_000, 3_000_000, 3_000_000]).side(BALANCER_ZERO, ONE_TOKEN)
    found = {
        "uniswap v2": ConstantProduct.of((10**24, 10**12), (997, 1_000), (1 << 112) - 1),
        "uniswap v3": v3,
        "balancer weighted": weighted,
        "balancer stable": balancer,
        "curve": CurveSide.of(stable((2 * 10**24, 2 * 10**12), 200, decimals=(18, 6)), 0, 1),
        "erc4626": Linear(999, 1_000 * 10**12, 10**21, "a limit"),
    }
    assert not [name for name, side in found.items() if hasattr(side, "reason")]
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("whole", [100, 10_000, 1_000_000, 3_000_000])
def test_best__over_all_venues_side_by_side__is_exact_and_next_to_the_bound(whole: int) -> None:
    edges = tuple(Edge(address(n), SOURCE, SINK, side) for n, side in enumerate(sides().values(), 1))
    sold = whole * 10**18
    search = Search(Network(2, edges))
    balance = search.best(sold)
    assert balance is not None
    filled = fill(search.network, balance.loads, sold)
    assert filled is not None
    assert sum(swap.sold for swap in filled.swaps) == sold
    assert all(swap.brings == swap.edge.side.out(swap.sold) for swap in filled.swaps)
    bound = upper_bound(search.network, balance.heights, sold)
    assert bound * (1 - 1e-5) - len(edges) <= filled.out <= bound * (1 + 1e-6) + len(edges)


@pytest.mark.parametrize("name", sides())
def test_best__of_one_venue_beside_a_deep_pair__takes_its_part(name: str) -> None:
    deep = ConstantProduct.of((10**26, 10**14), (9_975, 10_000), (1 << 112) - 1)
    edges = (Edge(address(1), SOURCE, SINK, deep), Edge(address(2), SOURCE, SINK, sides()[name]))
    sold = 2_000_000 * 10**18
    search = Search(Network(2, edges))
    balance = search.best(sold)
    assert balance is not None
    filled = fill(search.network, balance.loads, sold)
    alone = deep.out(sold)
    assert filled is not None
    assert isinstance(alone, int)
    assert filled.out >= alone
    assert filled.out >= upper_bound(search.network, balance.heights, sold) * (1 - 1e-5)
