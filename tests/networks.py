"""Random networks of pools of all shapes, and what no way through one of them can exceed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp, sqrt
from random import Random

from keeper.core.pools import Side
from keeper.routing.search.network import SINK, SOURCE, Edge, Network, reaches
from tests.builders import address
from tests.sides import Basket, Flat, Product, Ranges, Stable, Weighted, ranges

Sides = tuple[Side, Side]
"""There and back."""

PLACES = 4
LINKS: dict[int, Sequence[tuple[int, int]]] = {
    1: [(0, 1)],
    2: [(0, 1), (0, 2), (2, 1), (0, 3), (3, 1)],
    3: [(0, 1), (0, 2), (2, 1), (0, 3), (3, 1), (2, 3)],
}
"""By hops: from where to where pools lead. With two middle tokens no way is longer than three hops."""
_HALF = 0.5
"""Of its fee: how far a pool's price is from the others', so that no circle of pools makes a profit."""


def random_network(seed: int, fewest: int = 2, most: int = 50) -> tuple[Network, int]:
    """A network and an amount to sell. Reserves and amounts are spread over four orders of magnitude."""
    draw = Random(seed)
    links = LINKS[1 + seed % 3]
    prices = [1.0, *(draw.choice([1.0, 1.0, 10 ** draw.uniform(-1, 1)]) for _ in range(PLACES - 1))]
    edges = []
    for number in range(draw.randint(fewest, most)):
        tail, head = links[number] if number < len(links) else draw.choice(links)
        there, back = _pool(draw, prices[tail] / prices[head])
        edges.append(Edge(address(number + 1), tail, head, there))
        if (tail, head) == (2, 3):
            edges.append(Edge(address(number + 1), head, tail, back))
    return Network(PLACES, tuple(edges)), int(10 ** draw.uniform(21, 25))


def with_gas(network: Network, gas: Callable[[Edge], int]) -> Network:
    return Network(network.places, tuple(replace(edge, gas=gas(edge)) for edge in network.edges))


def upper_bound(network: Network, heights: Sequence[float], sold: int) -> float:
    """{sink raw} What no way through the network can exceed, whatever these prices are: the trade's value at them and
    the most that each pool could earn at them (weak duality; Angeris, Evans, Chitra, Boyd 2022)."""
    prices = [exp(-2 * height) for height in heights]
    arrives = reaches(network, [edge.side.slope(0.0) for edge in network.edges], sold, hops=3)
    bound = prices[0] * sold
    for edge in network.edges:
        slope, capacity = prices[edge.tail] / prices[edge.head], min(arrives[edge.tail], edge.side.most * (1 - 1e-12))
        most = min(edge.side.sold_at(slope), capacity) if edge.side.slope(0.0) > slope else 0.0
        brings = edge.side.out(int(most)) if most >= 1 else 0
        assert isinstance(brings, int)
        bound += max(0.0, prices[edge.head] * brings - prices[edge.tail] * most)
    return bound


def _pool(draw: Random, price: float) -> Sides:
    """A pool that gives about `price` for a unit, and the way back through it."""
    kind = draw.choice(["product", "product", "weighted", "stable", "ranges", "ranges", "flat"])
    if kind == "stable" and price == 1:
        return _stable(draw)
    fee = draw.choice([0.0005, 0.001, 0.0025, 0.003, 0.01])
    near, held = price * (1 + draw.uniform(-fee, fee) * _HALF), 10 ** draw.uniform(22, 25)
    if kind == "product":
        return _product(held, near, fee)
    if kind == "weighted":
        weights = draw.choice([0.25, 0.5, 1.5, 2.0, 4.0])
        other = near * held / weights
        return Weighted(held, other, weights, 1 - fee), Weighted(other, held, 1 / weights, 1 - fee)
    if kind == "flat":
        return Flat(near * (1 - fee), int(held / 10)), Flat((1 - fee) / near, int(held * near / 10))
    liquidity = held * sqrt(near)
    return _ranges(draw, near, liquidity, 1 - fee), _ranges(draw, 1 / near, liquidity, 1 - fee)


def _product(held: float, price: float, fee: float) -> Sides:
    kept = round((1 - fee) * 1_000_000)
    return Product(int(held), int(held * price), kept), Product(int(held * price), int(held), kept)


def _stable(draw: Random) -> Sides:
    held, amplification = 10 ** draw.uniform(22, 25), draw.choice([20, 100, 500, 2_000])
    leaning = Stable.of(held, held * draw.uniform(0.5, 1.5), amplification)
    even = Stable.of(held, held, amplification)
    pool = leaning if abs(leaning.slope(0.0) / leaning.kept - 1) < _HALF * (1 - leaning.kept) else even
    return pool, pool.reverse


def _ranges(draw: Random, price: float, liquidity: float, kept: float) -> Ranges:
    count = draw.randint(1, 6)
    widths = [1 + 10 ** draw.uniform(-4, -1.5) for _ in range(count)]
    depths = [liquidity * 10 ** draw.uniform(-0.5, 1.5) for _ in range(count)]
    return ranges(price, [*widths, 100.0], [*depths, liquidity * 0.3], kept)


# --- a published instance --------------------------------------------------------------------------------------------

UNIT = 10**18
_PLACE_OF = (0, 2, 1)
"""Of its tokens: the first is sold for the third."""


def published(circles: bool = False) -> Network:
    """The five pools over three tokens on which Angeris, Evans, Chitra and Boyd trade the first token for the third
    ("Optimal routing for constant function market makers", 2022, figures 2 and 3). Two of its pools can be played
    against each other; `circles` adds the sides that this takes."""
    basket = Basket((3.0 * UNIT, 0.2 * UNIT, 1.0 * UNIT), (3.0, 2.0, 1.0), 0.98)
    edges = [
        Edge(address(1), _PLACE_OF[sell], _PLACE_OF[buy], basket.side(sell, buy), after=_after(basket, sell, buy))
        for sell in range(3)
        for buy in range(3)
        if sell != buy
    ]
    pairs = ((2, 0, 1, 10, 1, 990_000), (3, 1, 2, 1, 10, 960_000), (4, 0, 2, 20, 50, 970_000))
    for number, one, other, x, y, kept in pairs:
        for sell, buy, held, wanted in ((one, other, x, y), (other, one, y, x)):
            side = Product(held * UNIT, wanted * UNIT, kept)
            edges.append(Edge(address(number), _PLACE_OF[sell], _PLACE_OF[buy], side))
    for sell, buy in ((0, 2), (2, 0)):
        edges.append(Edge(address(5), _PLACE_OF[sell], _PLACE_OF[buy], Flat(0.99, int(10 / 0.99 * UNIT))))
    forward = [edge for edge in edges if edge.tail != SINK and edge.head != SOURCE]
    return Network(3, tuple(edges if circles else forward))


def _after(basket: Basket, sell: int, buy: int) -> Callable[[Sequence[tuple[Edge, int]]], Side]:
    def after(uses: Sequence[tuple[Edge, int]]) -> Side:
        moved = basket
        for edge, sold in uses:
            moved = moved.after(_PLACE_OF.index(edge.tail), _PLACE_OF.index(edge.head), sold)
        return moved.side(sell, buy)

    return after
