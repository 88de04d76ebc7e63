"""Pools of a small market and ways to route through it, for the tests of this room."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from keeper.core.chain import VaultView
from keeper.core.plan import Trade
from keeper.core.pools import Pool, PoolState, Router
from keeper.core.units import Token, TokenAmount
from keeper.routing.floors import Floors
from keeper.routing.graph import Means
from keeper.routing.split import SplitRouting
from tests.builders import DAI, USDC, WBTC, WETH, address, fake_pool, make_view, market, units, usd

V3 = Router("swap_router02", address(0x3202))
FLOORS = Floors(slippage=30, max_deviation=50, deadline=600)
PRICES = {WETH: market(WETH, 3_120), USDC: market(USDC, 1), DAI: market(DAI, 1), WBTC: market(WBTC, 60_000)}

CHEAP = fake_pool(units(WETH, 3_000), units(USDC, 9_360_000), Fraction(5, 10_000), 0xA1, V3, "uniswap_v3")
DEAR = fake_pool(units(WETH, 1_000), units(USDC, 3_120_000), Fraction(3, 1_000), 0xA2)
TO_DAI = fake_pool(units(WETH, 2_000), units(DAI, 6_240_000), Fraction(5, 10_000), 0xA3, V3, "uniswap_v3")
FROM_DAI = fake_pool(units(DAI, 20_000_000), units(USDC, 20_000_000), Fraction(1, 10_000), 0xA4, V3, "uniswap_v3")
FROM_DAI_V2 = fake_pool(units(DAI, 20_000_000), units(USDC, 20_000_000), Fraction(1, 10_000), 0xA5)
TO_WBTC = fake_pool(units(WETH, 500), units(WBTC, 26), Fraction(3, 1_000), 0xA6)
FROM_WBTC = fake_pool(units(WBTC, 26), units(USDC, 1_560_000), Fraction(3, 1_000), 0xA7)
ALL = (CHEAP, DEAR, TO_DAI, FROM_DAI, TO_WBTC, FROM_WBTC)


def carries(pools: Sequence[Pool]) -> bool:
    return len({(pool.kind, pool.router) for pool in pools}) == 1


def routing(atomic: bool = True) -> SplitRouting:
    return SplitRouting(FLOORS, Means(carries, atomic))


def view_of(*pools: PoolState) -> VaultView:
    """A vault that holds WETH, USDC, DAI and WBTC, all of them priced."""
    held = [units(token, 400) for token in (WETH, USDC, DAI, WBTC)]
    return make_view(held, PRICES, pools)


def selling(whole: str | int, buy: Token = USDC) -> Trade:
    return Trade(units(WETH, whole), buy, usd(Fraction(whole) * 3_120))


def total(amounts: Sequence[TokenAmount]) -> int:
    return sum(amount.raw for amount in amounts)
