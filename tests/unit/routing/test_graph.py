from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import Unusable
from keeper.core.pools import NoLiquidity
from keeper.core.units import Token, TokenAmount
from keeper.routing.graph import Graph, Means, draw
from keeper.routing.search.network import SINK, SOURCE
from tests.builders import DAI, USDC, WBTC, WETH, FakePool, fake_pool, units
from tests.unit.routing.splitting import ALL, CHEAP, FROM_DAI, FROM_DAI_V2, PRICES, TO_DAI, carries, view_of


def drawn(*pools, atomic: bool = True, but: tuple[str, ...] = (), **changes) -> Graph:  # type: ignore[no-untyped-def]
    view = replace(view_of(*pools), **changes)
    return draw(view, WETH, USDC, Means(carries, atomic), Fraction(1, 10), but)  # type: ignore[arg-type]


def ways(graph: Graph) -> list[tuple[Token, Token]]:
    return [(graph.tokens[edge.tail], graph.tokens[edge.head]) for edge in graph.network.edges]


def test_draw__of_pools__has_their_sides_but_none_into_what_is_sold_or_out_of_what_is_bought() -> None:
    graph = drawn(*ALL)
    assert set(ways(graph)) == {(WETH, USDC), (WETH, DAI), (DAI, USDC), (WETH, WBTC), (WBTC, USDC)}
    assert graph.tokens[:2] == (WETH, USDC)
    assert all(graph.rests)


def test_draw__of_a_pool_of_three_tokens__has_every_side_of_it() -> None:
    three = replace(CHEAP.pool, tokens=(WETH, USDC, DAI))
    state = replace(CHEAP, pool=three, reserves=CHEAP.reserves | {DAI: units(DAI, 1_000).raw})
    assert set(ways(drawn(state))) == {(WETH, USDC), (WETH, DAI), (DAI, USDC)}
    assert len({edge.pool for edge in drawn(state).network.edges}) == 1


def test_draw__of_a_pool_of_three_tokens__tells_each_side_after_the_others() -> None:
    three = replace(CHEAP.pool, tokens=(WETH, USDC, DAI))
    state = replace(CHEAP, pool=three, reserves=CHEAP.reserves | {DAI: units(DAI, 9_000_000).raw})
    direct, first, _ = drawn(state).network.edges
    assert direct.after is not None
    sold = units(WETH, 100)
    moved = state.after(sold, DAI)
    assert isinstance(moved, FakePool)
    assert direct.after([(first, sold.raw)]).out(10**18) == moved.out_for(units(WETH, 1), USDC).raw  # type: ignore[union-attr]
    assert direct.after([]).out(10**18) == direct.side.out(10**18)


def test_draw__of_a_pool_that_cannot_tell__offers_no_side_after_another() -> None:
    three = replace(CHEAP.pool, tokens=(WETH, USDC, DAI))
    untold = Untold(three, CHEAP.reserves | {DAI: units(DAI, 9_000_000).raw})
    assert {edge.after for edge in drawn(untold).network.edges} == {None}
    assert {edge.after for edge in drawn(CHEAP, TO_DAI).network.edges} == {None}, "of two tokens, none is needed"


class Untold(FakePool):
    def after(self, sell: TokenAmount, buy: Token) -> NoLiquidity:
        return NoLiquidity("not told")


@pytest.mark.parametrize("atomic", [True, False])
def test_draw__of_a_token_in_which_nothing_may_rest__keeps_the_routers_apart(atomic: bool) -> None:
    unpriced = PRICES | {DAI: Unusable("stale")}
    graph = drawn(TO_DAI, FROM_DAI, FROM_DAI_V2, atomic=atomic, **({"prices": unpriced} if atomic else {}))
    to_dai, from_dai, from_dai_v2 = graph.network.edges
    assert to_dai.head == from_dai.tail
    assert from_dai_v2.tail not in (SOURCE, SINK, to_dai.head)
    assert not graph.rests[to_dai.head]


def test_draw__of_pools_that_no_call_chains__leaves_out_what_leads_to_a_middle_token() -> None:
    view = view_of(CHEAP, TO_DAI, FROM_DAI)
    graph = draw(view, WETH, USDC, Means(lambda pools: len(pools) == 1, atomic=False), Fraction(0))
    assert ways(graph) == [(WETH, USDC)]


def test_draw__counts_the_gas_of_each_swap_and_of_each_call() -> None:
    graph = drawn(CHEAP, TO_DAI, FROM_DAI, atomic=False)
    direct, first, second = graph.network.edges
    # {USDC raw} = {gas} / 10: 66,000 for a swap, and 40,000 where it begins a call
    assert (direct.gas, first.gas, second.gas) == (10_600, 10_600, 6_600)


def test_draw__leaves_out_pools_that_are_taken_or_empty() -> None:
    empty = fake_pool(units(WETH, 0), units(USDC, 1), Fraction(1, 1_000), 0xB1)
    assert ways(drawn(CHEAP, empty)) == [(WETH, USDC)]
    assert ways(drawn(CHEAP, TO_DAI, FROM_DAI, but=(CHEAP.pool.address,))) == [(WETH, DAI), (DAI, USDC)]
