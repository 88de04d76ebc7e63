"""What a vault's pools give together: for a strategy that sizes a trade before it is routed."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from keeper.core.chain import Unusable, VaultView
from keeper.core.market import NO_POOLS, FirstCall, Quoted
from keeper.core.pools import LimitExceeded, NoLiquidity, NoQuote
from keeper.core.units import Address, Token, TokenAmount
from keeper.routing.gas import gas_price
from keeper.routing.graph import Graph, Means, draw
from keeper.routing.legs import carried, shares
from keeper.routing.search.filling import Filled
from keeper.routing.search.lean import leanest, single
from keeper.routing.search.optimum import Search
from keeper.routing.search.paths import Path, paths_of


class SplitMarket:
    """Implements Market: one view's pools as routing would use them. Remembers what it asked of them, so that a search
    for a size asks each little."""

    def __init__(self, view: VaultView, means: Means) -> None:
        self._view, self._means = view, means
        self._searches: dict[tuple[Token, Token, frozenset[Address]], Search | NoLiquidity] = {}

    def trades(self, sell: Token, buy: Token) -> bool:
        return isinstance(self._search(sell, buy, NO_POOLS), Search)

    def quote(self, sell: TokenAmount, buy: Token, but: Collection[Address] = NO_POOLS) -> Quoted | NoQuote:
        """In those pools that earn their gas."""
        found = self._filled(sell, buy, but)
        if not isinstance(found, Filled):
            return found
        return Quoted(TokenAmount(buy, found.out), frozenset(swap.edge.pool for swap in found.swaps))

    def first(self, sell: TokenAmount, buy: Token) -> FirstCall | NoQuote:
        """Only where every path stands alone: of custody that is not atomic."""
        found = self._filled(sell, buy, NO_POOLS)
        if not isinstance(found, Filled):
            return found
        states = {state.pool.address: state for state in self._view.pools}
        graph = self._graph(sell.token, buy, NO_POOLS)
        paths = paths_of(found, graph.rests, carried(states, self._means))
        calls: dict[object, list[Path]] = {}
        for path in paths:
            pool = states[path.edges[0].pool].pool
            key = pool.router if pool.router.kind in self._means.joins else path.edges
            calls.setdefault(key, []).append(path)
        parts = shares(sell.raw, [sum(path.planned for path in each) for each in calls.values()])
        raw, together = max(zip(parts, calls.values(), strict=True), key=lambda part: part[0])
        pools = frozenset(edge.pool for path in together for edge in path.edges)
        router = states[together[0].edges[0].pool].pool.router
        return FirstCall(router, TokenAmount(sell.token, raw), pools, len(calls))

    def _filled(self, sell: TokenAmount, buy: Token, but: Collection[Address]) -> Filled | NoQuote:
        search = self._search(sell.token, buy, but)
        if not isinstance(search, Search):
            return search
        if sell.raw <= 0:
            return LimitExceeded(f"amount: expected more than 0, was {sell.raw}")
        found = (leanest if self._splits(buy) else single)(search, sell.raw)
        pair = f"{sell.token.symbol} for {buy.symbol}"
        return found or NoLiquidity(f"the pools of this vault do not take {sell.raw} raw {pair}")

    def _splits(self, buy: Token) -> bool:
        return not isinstance(gas_price(self._view, buy), Unusable)

    def _search(self, sell: Token, buy: Token, but: Collection[Address]) -> Search | NoLiquidity:
        key = sell, buy, frozenset(but)
        if key not in self._searches:
            search = Search(self._graph(*key).network, self._means.hops)
            no = NoLiquidity(f"no pool of this vault trades {sell.symbol} for {buy.symbol}")
            self._searches[key] = search if search.rate > 0 else no
        return self._searches[key]

    def _graph(self, sell: Token, buy: Token, but: Collection[Address]) -> Graph:
        per_gas = gas_price(self._view, buy)
        known = Fraction(0) if isinstance(per_gas, Unusable) else per_gas
        return draw(self._view, sell, buy, self._means, known, but)
