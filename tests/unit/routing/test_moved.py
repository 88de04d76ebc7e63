from dataclasses import replace

from keeper.core.pools import NoLiquidity
from keeper.routing.moved import Moved
from tests.builders import USDC, WETH, fake_pool, units


def test_moved__where_a_pool_no_longer_trades__is_closed_and_says_why() -> None:
    empty = fake_pool(units(WETH, 1), units(USDC, 3_000))
    side = Moved(replace(empty, reserves=empty.reserves | {USDC: 0}), (WETH, USDC)).side(WETH, USDC)([])
    assert (side.out(1), side.most, side.slope(0.0), side.sold_at(1e-9)) == (NoLiquidity("the pool is empty"), 0, 0, 0)
