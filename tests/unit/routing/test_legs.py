from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from keeper.core.plan import Leg
from keeper.core.units import TokenAmount
from keeper.routing.graph import Means, draw
from keeper.routing.legs import carried, legs_of, shares
from keeper.routing.search.filling import fill
from keeper.routing.search.paths import paths_of
from tests.builders import DAI, USDC, WETH, units
from tests.unit.routing.splitting import FROM_DAI, FROM_DAI_V2, TO_DAI, carries, view_of

MEANS = Means(carries, atomic=True)
SOLD = units(WETH, 10)


def legs_in(kept: int) -> tuple[Leg, ...]:
    """What arrives in DAI goes on through two pools, half each; `kept` {per cent of a quote} is a leg's min_out."""
    view = view_of(TO_DAI, FROM_DAI, FROM_DAI_V2)
    graph = draw(view, WETH, USDC, MEANS, Fraction(0))
    filled = fill(graph.network, [1.0] * len(graph.network.edges), SOLD.raw)
    assert filled is not None
    states = {state.pool.address: state for state in view.pools}
    paths = paths_of(filled, graph.rests, carried(states, MEANS))
    found = legs_of(paths, graph, states, SOLD.raw, lambda leg: TokenAmount(leg.buy, leg.quote.raw * kept // 100))
    assert found is not None
    return found


def test_legs__after_a_middle_token__sell_what_must_have_arrived_to_the_last_unit() -> None:
    first, *later = legs_in(97)
    assert (first.sell, first.buy) == (SOLD, DAI)
    assert {leg.pools for leg in later} == {(FROM_DAI.pool,), (FROM_DAI_V2.pool,)}
    assert sum(leg.sell.raw for leg in later) == first.quote.raw * 97 // 100
    states = {state.pool: state for state in (FROM_DAI, FROM_DAI_V2)}
    assert all(leg.quote == states[leg.pool].out_for(leg.sell, USDC) for leg in later)


@given(st.integers(0, 10**30), st.lists(st.integers(1, 10**24), min_size=1, max_size=6))
def test_shares__of_any_amount__add_up_and_are_in_proportion(amount: int, weights: list[int]) -> None:
    parts = shares(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - amount * weight // sum(weights)) < len(weights)
