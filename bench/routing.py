"""Routing: how long a split takes beside cvxpy, how far it is from the optimum, and what it saves. Times are this
thread's own processor time.

python -m bench routing
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import nan
from statistics import median, quantiles
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from bench.frame import Contestant, Pace, Row, as_json, measure, table
from bench.routing_depth import SIZES, Cost, costs
from bench.routing_peers import optimum, published_optimum
from bench.routing_quotes import quotes
from keeper.core.pools import Curve
from keeper.routing.search.filling import Filled, fill, hand_out
from keeper.routing.search.lean import EXACT_UP_TO, leanest
from keeper.routing.search.network import SINK, SOURCE, Edge, Network
from keeper.routing.search.optimum import Search
from keeper.routing.search.parallel import parallel
from tests.builders import address
from tests.networks import UNIT, published, random_network, upper_bound, with_gas
from tests.sides import Product

TITLE, UNIT_OF_WORK = "Routing: processor time of one trade over so many pools, up to three hops", "splits"
GAPS = "Routing: below the optimum, bps"
COSTS = "Routing: what a sale of WETH for USDC costs, bps of its value"
NETWORKS, FEW = 200, 3
AMOUNTS = (1, 5, 10, 20, 25, 30, 40, 50)
"""{first token} Sold in the published instance."""
_SEED = 2
"""Of a network with three hops."""
_GAS = 2e-6
"""Of the output: what one swap is taken to cost where gas counts, $2 on a million."""
_SLOWEST = 50
"""Pools: cvxpy takes minutes for more."""


def report(pace: Pace) -> tuple[Group, dict[str, Any]]:
    rows = times(pace)
    gaps = distances(NETWORKS if pace.largest >= NETWORKS else FEW)
    lines = costs()
    shown = Group(table(TITLE, UNIT_OF_WORK, rows), _gaps_table(gaps), _costs_table(lines))
    told = as_json(TITLE, UNIT_OF_WORK, rows)
    return shown, told | {"gaps": [asdict(gap) for gap in gaps], "costs": [asdict(line) for line in lines]}


# --- time ------------------------------------------------------------------------------------------------------------


def times(pace: Pace) -> list[Row]:
    rows = [row for pools in (1, 2) for row in _measured(f"quote over {pools} of v3", quotes(pools), pace)]
    rows += _measured("10 constant products", _parallel(10), pace)
    for pools in pace.sizes(5, 20, 50, 1_000):
        rows += _measured(f"{pools:,} pools of all families", _mixed(pools), pace)
    return rows


def _measured(what: str, contestants: list[Contestant], pace: Pace) -> list[Row]:
    return measure(what, contestants, pace, clock=time.thread_time)


def _mixed(pools: int) -> list[Contestant]:
    network, sold = random_network(_SEED, pools, pools)
    whole = _split(network, sold)
    dear = with_gas(network, lambda _: int(whole.out * _GAS))
    known = Search(dear)
    quoted = [(swap.edge.side, swap.sold) for swap in whole.swaps]
    found = [
        Contestant("ours", "before gas", lambda: _split(network, sold), f"uses {len(whole.swaps)}"),
        Contestant("ours", "with gas", lambda: leanest(Search(dear), sold)),
        Contestant("ours", "with gas, pools looked at before", lambda: leanest(known, sold)),
        Contestant("floor", "one quote of each pool it uses", lambda: [side.out(part) for side, part in quoted]),
    ]
    if pools <= _SLOWEST:
        found.append(Contestant("peer", "cvxpy with Clarabel, before gas", lambda: optimum(network, sold, exact=False)))
    return found


def _parallel(pools: int) -> list[Contestant]:
    sides = [Product((50 + n) * 10**21, (50 + n) * (10_000 + n) * 10**17) for n in range(pools)]
    network = Network(2, tuple(Edge(address(n + 1), SOURCE, SINK, side) for n, side in enumerate(sides)))
    sold = 10**22
    curves = [side.curve for side in sides]
    return [
        Contestant("ours", "closed form", lambda: parallel(curves, float(sold))),
        Contestant("ours", "closed form, whole units, exact quotes", lambda: _whole_units(network, curves, sold)),
        Contestant("floor", "one quote of each", lambda: [side.out(sold // pools) for side in sides]),
        Contestant("peer", "cvxpy with Clarabel", lambda: optimum(network, sold, exact=False)),
    ]


def _whole_units(network: Network, curves: Sequence[Curve], sold: int) -> object:
    loads, _ = parallel(curves, float(sold))
    return hand_out(list(zip(network.edges, loads, strict=True)), sold)


def _split(network: Network, sold: int) -> Filled:
    found = leanest(Search(network), sold)
    assert found is not None
    return found


# --- distance from the optimum ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gap:
    """How far results are below what they are held to, in bps, and how many of them are below the best single pool."""

    what: str
    held_to: str
    bps: list[float]
    unsure: int
    """Where the peer's solver says that it is not sure."""
    below_single: int


def distances(networks: int) -> list[Gap]:
    bounds, solved, unsure, below = list[float](), list[float](), 0, 0
    for seed in range(networks):
        network, sold = _solvable(seed)
        search = Search(network)
        balance = search.best(sold)
        assert balance is not None
        filled = _split(network, sold)
        bounds.append(_bps(filled.out, upper_bound(search.network, balance.heights, sold)))
        peer = optimum(network, sold)
        if peer is None:
            unsure += 1
        else:
            solved.append(_bps(filled.out, peer))
        below += filled.out < _best_single(network, sold)
    return [
        Gap(f"{networks} networks of 2 to 50 pools", "no flow brings more (dual)", bounds, 0, below),
        Gap("the same", "cvxpy's optimum", solved, unsure, below),
        _published(networks),
        _with_gas(networks),
    ]


def _solvable(seed: int) -> tuple[Network, int]:
    """The amount is halved until the pools take it."""
    network, sold = random_network(seed)
    while Search(network).best(sold) is None:
        sold //= 2
    return network, sold


def _published(networks: int) -> Gap:
    """The five published pools, where nothing is sold back on the way."""
    gaps = []
    for amount in AMOUNTS[-networks:]:
        filled = _split(published(), amount * UNIT)
        gaps.append(_bps(filled.out, published_optimum(amount) * UNIT))
    return Gap(f"the published 5 pools, {len(gaps)} amounts", "cvxpy's optimum", gaps, 0, 0)


def _with_gas(networks: int) -> Gap:
    gaps = []
    for seed in range(networks):
        network, sold = random_network(seed, 2, EXACT_UP_TO)
        balance = Search(network).best(sold)
        if balance is None:
            continue
        gas = int(balance.out * 10 ** -(2 + seed % 4))
        dear = with_gas(network, lambda edge, gas=gas: gas * (2 + int(edge.pool, 16) % 3) // 2)  # type: ignore[misc]
        ours = leanest(Search(dear), sold)
        assert ours is not None
        gaps.append(_bps(ours.net, _brute_force(dear, sold)))
    return Gap(f"{len(gaps)} networks of up to {EXACT_UP_TO} pools, with gas", "best of all sets", gaps, 0, 0)


def _brute_force(network: Network, sold: int) -> int:
    pools = sorted({edge.pool for edge in network.edges})
    nets = []
    for chosen in (each for count in range(len(pools)) for each in combinations(pools, count + 1)):
        part = Network(network.places, tuple(edge for edge in network.edges if edge.pool in chosen))
        search = Search(part)
        balance = search.best(sold)
        if balance and (filled := fill(search.network, balance.loads, sold)):
            nets.append(filled.net)
    return max(nets)


def _best_single(network: Network, sold: int) -> int:
    direct = [edge.side.out(sold) for edge in network.edges if (edge.tail, edge.head) == (SOURCE, SINK)]
    return max((brings for brings in direct if isinstance(brings, int)), default=0)


def _bps(ours: float, best: float) -> float:
    return (1 - ours / best) * 10_000


# --- showing ---------------------------------------------------------------------------------------------------------


def _gaps_table(gaps: list[Gap]) -> Table:
    shown = _empty(GAPS, ("", "held to"), ("median", "3rd quartile", "most", "least", "unsure", "below best single"))
    for gap in gaps:
        found = gap.bps or [nan]
        high = quantiles(found, n=4, method="inclusive")[2] if len(found) > 1 else found[0]
        figures = [f"{bps:.5f}" for bps in (median(found), high, max(found), min(found))]
        shown.add_row(gap.what, gap.held_to, *figures, str(gap.unsure), str(gap.below_single))
    return shown


def _costs_table(lines: list[Cost]) -> Table:
    headings = [f"{value:,} USD" for value in SIZES]
    shown = _empty(COSTS, ("", ""), headings)
    for way in dict.fromkeys(line.way for line in lines):
        mine, style = [line for line in lines if line.way == way], "bold" if way == "ours" else ""
        shown.add_row(way, "gross", *[f"{line.gross:.2f}" for line in mine], style=style)
        shown.add_row("", "net of gas", *[f"{line.net:.2f}" for line in mine], style=style)
    shown.add_row("ours uses", "pools", *[str(line.pools) for line in lines if line.way == "ours"])
    return shown


def _empty(title: str, words: tuple[str, ...], figures: Sequence[str]) -> Table:
    shown = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for word in words:
        shown.add_column(word, no_wrap=True)
    for figure in figures:
        shown.add_column(figure, justify="right")
    return shown
