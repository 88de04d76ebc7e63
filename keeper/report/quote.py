"""`keeper quote`: how a sale would be filled now, and how that compares with the best single pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keeper.core.chain import VaultView
from keeper.core.foreign import printable
from keeper.core.plan import NoRoute, Route
from keeper.core.units import TokenAmount
from keeper.report.cost import cost_of
from keeper.report.decision import cost_record
from keeper.report.figures import tokens, with_value
from keeper.report.nouns import Record, amount, block_record, pool_record, price_record
from keeper.report.page import BAD, DIM, STRONG, Page
from keeper.report.routes import show_cost, show_others, show_route, trade_record


def quote_record(
    vault: str, chain: str, view: VaultView, route: Route | NoRoute, first: TokenAmount | None
) -> dict[str, Any]:
    """`first` is what the custody's first transaction could carry of it, where that is not all."""
    return {
        "vault": vault,
        "chain": chain,
        "chain_id": view.block.chain_id,
        "block": block_record(view.block),
        "prices": [price_record(token, found) for token, found in view.prices.items()],
        "left_out": [{**pool_record(pool), "reason": printable(why)} for pool, why in view.left_out],
        "sell": amount(route.trade.sell),
        "buy": route.trade.buy.symbol,
        "notional": amount(route.trade.notional),
        "trade": trade_record(route) if isinstance(route, Route) else None,
        "cost": _cost(route, view) if isinstance(route, Route) else None,
        "no_route": printable(route.reason) if isinstance(route, NoRoute) else "",
        "first": amount(first) if first is not None else None,
    }


def _cost(route: Route, view: VaultView) -> Record | None:
    """Of its swaps: wrapping moves the same value once more, at no cost."""
    return cost_record(cost_of([leg for leg in route.legs if not leg.wraps] or route.legs, view))


def render_quote(quote: Mapping[str, Any]) -> Page:
    page = Page()
    where = f" · {quote['chain']} {quote['chain_id']} · block {quote['block']['number']:,}"
    page.add((quote["vault"], STRONG), where)
    page.add(f"sell {with_value(quote, quote)} for {quote['buy']}")
    if quote["trade"] is None:
        page.add(("NO ROUTE", BAD), f": {quote['no_route']}", hang=2)
    else:
        show_route(page, quote, quote["trade"])
        show_cost(page, quote["cost"])
        show_others(page, quote, quote["trade"])
    if quote["first"] is not None:
        first = tokens(quote, quote["first"])
        page.label(
            "", (f"custody makes one call at a time: the first sells {first}, the rest is planned anew", DIM), indent=2
        )
    return page
