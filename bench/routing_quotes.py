"""What a strategy's search for a size asks again and again: what a vault's one or two pools give for an amount."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from bench.frame import Contestant
from keeper.core.units import TokenAmount
from keeper.routing.graph import Means
from keeper.routing.market import SplitMarket
from tests.builders import USDC, WETH, address, make_view, units
from tests.unit.venues.test_uniswap_v3_state import look
from tests.unit.venues.v3_pools import Chain, v3_pool

_AT = -195_840
"""The tick at which a WETH is worth about 3,120 USDC, in raw units."""
_FEES = (500, 3_000)
_POSITIONS = ((_AT - 200, _AT + 200, 10**19), (_AT - 2_000, _AT + 2_000, 10**18), (_AT - 20_000, _AT + 20_000, 10**17))


def quotes(pools: int) -> list[Contestant]:
    states = [
        look(Chain(replace(v3_pool(fee, 10, (WETH, USDC)), address=address(number)), _AT, _POSITIONS))
        for number, fee in enumerate(_FEES[:pools], 1)
    ]
    view, means = make_view(pools=states), Means(lambda path: len(path) == 1, atomic=False)
    known, sizes = SplitMarket(view, means), count(10**18, 10**15)
    side = states[0].side(WETH, USDC)
    return [
        Contestant("ours", "the first one", lambda: SplitMarket(view, means).quote(units(WETH, 10), USDC)),
        Contestant("ours", "each further one", lambda: known.quote(TokenAmount(WETH, next(sizes)), USDC)),
        Contestant("floor", "one quote of each pool", lambda: [side.out(10**19) for _ in states]),  # type: ignore[union-attr]
    ]
