"""Fills each trade where the next unit brings most: over several pools and paths, as far as they earn their gas."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.core.chain import Unusable, VaultView
from keeper.core.plan import Leg, NoRoute, Order, Route, Splitting, Trade
from keeper.core.units import TokenAmount
from keeper.routing.floors import Floors
from keeper.routing.gas import gas_price
from keeper.routing.graph import Means, draw
from keeper.routing.legs import carried, legs_of
from keeper.routing.search.filling import Filled
from keeper.routing.search.lean import leanest, single
from keeper.routing.search.optimum import Search
from keeper.routing.search.paths import paths_of
from keeper.routing.single import best_of, considered, each_alone, why_not


class SplitRouting:
    """Implements Routing. Guarantees: the whole amount is sold; what the snapshot's pools give, less gas, is no less
    than in the best single pool; no two legs wait for each other unless the custody is atomic.

    Where gas cannot be valued nothing is split. Does not take part in trades of others: a pool pair that could be
    bought in one pool and sold in another is left alone.
    """

    def __init__(self, floors: Floors, means: Means) -> None:
        self._floors, self._means = floors, means

    def allocate(self, trade: Trade, view: VaultView) -> Route | NoRoute:
        """Raises KeyError where a token that legs meet in has no usable price."""
        alone = each_alone(trade, view)
        told, best = considered(view, alone), best_of(alone)
        split = self._split(trade, view)
        if split is not None:
            legs, splitting = split
            return Route(trade, legs, told, splitting)
        return Route(trade, (best,), told) if best else NoRoute(trade, why_not(trade, view, alone))

    def limit(self, routes: Sequence[Route], view: VaultView) -> Order:
        """Raises KeyError where a token has no usable price; a strategy holds before it comes to that."""
        return self._floors.order(routes, view)

    def _split(self, trade: Trade, view: VaultView) -> tuple[tuple[Leg, ...], Splitting] | None:
        per_gas = gas_price(view, trade.buy)
        if isinstance(per_gas, Unusable) or trade.sell.raw <= 0:
            return None
        but = {state.pool.address for state in view.pools} - trade.via if trade.via else ()
        graph = draw(view, trade.sell.token, trade.buy, self._means, per_gas, but)
        search = Search(graph.network, self._means.hops)
        found = leanest(search, trade.sell.raw)
        if found is None:
            return None
        states = {state.pool.address: state for state in view.pools}

        paths = paths_of(found, graph.rests, carried(states, self._means))
        legs = legs_of(paths, graph, states, trade.sell.raw, lambda leg: self._floors.under(leg, view).min_out)
        return None if legs is None else (legs, _compare(trade, found, single(search, trade.sell.raw), view))


def _compare(trade: Trade, found: Filled, alone: Filled | None, view: VaultView) -> Splitting:
    buy = trade.buy
    if alone is None:
        return Splitting(None, TokenAmount(buy, found.out), TokenAmount(buy, found.gas), None)
    pool = next(state.pool for state in view.pools if state.pool.address == alone.swaps[0].edge.pool)
    return Splitting(
        alone=(pool, TokenAmount(buy, alone.out)),
        brings=TokenAmount(buy, found.out),
        gas=TokenAmount(buy, found.gas),
        saved=TokenAmount(buy, found.net - alone.net),
    )
