"""What a sale costs in pools of a realistic depth: the best single one, an even split, and ours."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.core.pools import Side
from keeper.routing.gas import Gas
from keeper.routing.search.filling import Filled, fill
from keeper.routing.search.lean import leanest, single
from keeper.routing.search.network import SINK, SOURCE, Edge, Network
from keeper.routing.search.optimum import Search
from tests.builders import address
from tests.sides import Product, Stable, Weighted, ranges

PRICE = 3_120
"""{USD / WETH}"""
GAS_PRICE = 2 * 10**9
"""{wei / gas}"""
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
"""{USD}"""
_ETHER, _DOLLAR = 10**18, 10**6
_BPS = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """{bps} Of the value at the common mid."""

    way: str
    value: int
    gross: float
    net: float
    pools: int


def costs() -> list[Cost]:
    network = realistic()
    found = []
    for value in SIZES:
        sold = value * _ETHER // PRICE
        search = Search(network)
        ways = {
            "best single pool": single(search, sold),
            "even split": _even(search, sold),
            "ours": leanest(search, sold),
        }
        found += [_cost(way, value, filled) for way, filled in ways.items() if filled is not None]
    return found


def realistic() -> Network:
    """Eleven pools between WETH and USDC and by way of USDT and WBTC: depths of the order that a busy chain's main
    pools of these families have, {USD} of one side. All stand at one mid, so that nothing but fee, depth and gas tells
    them apart."""
    usdt, wbtc = 2, 3
    weth_usdc, usd = PRICE * _DOLLAR / _ETHER, 1.0
    btc = 100_000 * _DOLLAR / 10**8
    eth_btc = weth_usdc / btc
    pools: list[tuple[str, int, int, Side]] = [
        ("uniswap_v3", SOURCE, SINK, _concentrated(weth_usdc, 40e6 * _DOLLAR, 0.9995)),
        ("uniswap_v3", SOURCE, SINK, _concentrated(weth_usdc, 25e6 * _DOLLAR, 0.997)),
        ("uniswap_v3", SOURCE, SINK, _concentrated(weth_usdc, 1e6 * _DOLLAR, 0.9999)),
        ("uniswap_v2", SOURCE, SINK, _product(weth_usdc, 15e6 * _DOLLAR)),
        ("uniswap_v2", SOURCE, SINK, _product(weth_usdc, 3e6 * _DOLLAR)),
        ("balancer_weighted", SOURCE, SINK, Weighted(4e6 * _DOLLAR * 4 / weth_usdc, 4e6 * _DOLLAR, 4.0, 0.997)),
        ("uniswap_v3", SOURCE, usdt, _concentrated(weth_usdc, 20e6 * _DOLLAR, 0.9995)),
        ("curve", usdt, SINK, Stable.of(60e6 * _DOLLAR, 60e6 * _DOLLAR, 2_000, 0.9999)),
        ("uniswap_v3", usdt, SINK, _concentrated(usd, 30e6 * _DOLLAR, 0.9999)),
        ("uniswap_v3", SOURCE, wbtc, _concentrated(eth_btc, 30e6 * _DOLLAR / btc, 0.9995)),
        ("uniswap_v3", wbtc, SINK, _concentrated(btc, 15e6 * _DOLLAR, 0.997)),
    ]
    gas, per_gas = Gas(), GAS_PRICE * weth_usdc
    return Network(
        4,
        tuple(
            Edge(address(number), tail, head, side, int(gas.of(kind, True) * per_gas))
            for number, (kind, tail, head, side) in enumerate(pools, 1)
        ),
    )


def _concentrated(price: float, held: float, kept: float) -> Side:
    """As much as a constant product with `held` {buy raw} times thirty has within 1 %, times five to 5 %, then once."""
    root = held / price**0.5
    return ranges(price, [1.005, 1.02, 2.0], [30 * root, 5 * root, root], kept)


def _product(price: float, held: float) -> Side:
    return Product(int(held / price), int(held), 997_000)


def _even(search: Search, sold: int) -> Filled | None:
    direct = [float((edge.tail, edge.head) == (SOURCE, SINK)) for edge in search.network.edges]
    return fill(search.network, direct, sold)


def _cost(way: str, value: int, filled: Filled) -> Cost:
    worth = value * _DOLLAR
    return Cost(way, value, (1 - filled.out / worth) * _BPS, (1 - filled.net / worth) * _BPS, len(filled.swaps))
