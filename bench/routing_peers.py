"""The same routing problem as a convex programme for cvxpy, solved by Clarabel: the peer, and what ours is held to.

Every family is a constraint of its own: constant products and weighted pools are geometric means, a StableSwap of two
coins is `4a(x + y) − D³/(4xy) ≥ (4a − 1)D`, and each range of concentrated liquidity is a constant product that ends.
"""

from __future__ import annotations

import warnings
from typing import Any

import cvxpy as cp

from keeper.core.pools import Side
from keeper.routing.search.network import SINK, SOURCE, Network, reaches
from tests.sides import Flat, Product, Ranges, Stable, Weighted

_EXACT = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}


def optimum(network: Network, sold: int, exact: bool = True) -> float | None:
    """{sink raw} None where the solver says itself that it is not sure."""
    firsts = [edge.side.slope(0.0) for edge in network.edges]
    units = reaches(network, firsts, float(sold), hops=3)
    places: list[Any] = [0.0] * network.places
    places[SOURCE] = 1.0
    rules: list[Any] = []
    for edge in network.edges:
        if not units[edge.tail]:
            continue
        gives, gets = cp.Variable(nonneg=True), cp.Variable(nonneg=True)
        rules += _rules(edge.side, gives, gets, units[edge.tail], units[edge.head])
        places[edge.tail] = places[edge.tail] - gives
        places[edge.head] = places[edge.head] + gets
    rules += [left >= 0 for place, left in enumerate(places) if place != SINK and not isinstance(left, float)]
    problem = cp.Problem(cp.Maximize(places[SINK]), rules)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            problem.solve(solver=cp.CLARABEL, **(_EXACT if exact else {}))
        except cp.error.SolverError:
            return None
    return float(problem.value) * units[SINK] if problem.status == cp.OPTIMAL or not exact else None


def _rules(side: Side, gives: Any, gets: Any, sell_unit: float, buy_unit: float) -> list[Any]:
    """Scaled so that all numbers are near one: `gives` in units of `sell_unit` raw, `gets` of `buy_unit`."""
    if isinstance(side, Product):
        x, y, kept = side.curve
        return [_mean(kept * gives * (sell_unit / x), gets * (buy_unit / y), [1, 1])]
    if isinstance(side, Weighted):
        return [_mean(side.kept * gives * (sell_unit / side.x), gets * (buy_unit / side.y), [side.r, 1])]
    if isinstance(side, Flat):
        return [gets <= side.rate * gives * (sell_unit / buy_unit), gives <= side.most / sell_unit]
    if isinstance(side, Stable):
        x = side.x / side.d + gives * (sell_unit / side.d)
        y = side.y / side.d - gets * (buy_unit / side.kept / side.d)
        return [4 * side.a * (x + y) - 0.25 * cp.inv_prod(cp.hstack([x, y])) >= 4 * side.a - 1]
    assert isinstance(side, Ranges), side
    return _ranges(side, gives, gets, sell_unit, buy_unit)


def _ranges(side: Ranges, gives: Any, gets: Any, sell_unit: float, buy_unit: float) -> list[Any]:
    price, rules, all_gives, all_gets = side.start, [], [], []
    for low, liquidity in side.steps:
        give, get = cp.Variable(nonneg=True), cp.Variable(nonneg=True)
        x, y = liquidity / price / sell_unit, liquidity * price / buy_unit
        rules += [_mean(side.kept * give / x, get / y, [1, 1]), get <= liquidity * (price - low) / buy_unit]
        all_gives.append(give)
        all_gets.append(get)
        price = low
    return [*rules, gives == sum(all_gives), gets == sum(all_gets)]


def _mean(more: Any, less: Any, weights: list[float]) -> Any:
    return cp.geo_mean(cp.hstack([1 + more, 1 - less]), p=weights) >= 1


def published_optimum(amount: float) -> float:
    """{third token} What `tests.networks.published` brings for so much of its first token: its pool of three tokens
    trades all of them at once, so that it is no sum of sides."""
    weighted, kept = (3.0, 0.2, 1.0), 0.98
    gives, gets = cp.Variable(3, nonneg=True), cp.Variable(3, nonneg=True)
    rules = [
        cp.geo_mean(cp.hstack([1 + (kept * gives[i] - gets[i]) / held for i, held in enumerate(weighted)]), p=[3, 2, 1])
        >= 1,
        gives[2] == 0,
        gets[0] == 0,
    ]
    places: list[Any] = [amount - gives[0], gets[1] - gives[1], gets[2]]
    for one, other, x, y, fee in ((0, 1, 10, 1, 0.01), (1, 2, 1, 10, 0.04), (0, 2, 20, 50, 0.03)):
        give, get = cp.Variable(nonneg=True), cp.Variable(nonneg=True)
        rules.append(_mean((1 - fee) * give / x, get / y, [1, 1]))
        places[one], places[other] = places[one] - give, places[other] + get
    flat = cp.Variable(nonneg=True)
    rules += [0.99 * flat <= 10, places[0] - flat >= 0, places[1] >= 0]
    problem = cp.Problem(cp.Maximize(places[2] + 0.99 * flat), rules)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.solve(solver=cp.CLARABEL, **_EXACT)
    return float(problem.value)
