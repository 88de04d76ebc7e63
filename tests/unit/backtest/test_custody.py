from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.backtest.custody import Simulated, Whole
from keeper.core.calls import Call
from keeper.core.plan import Leg, Order, OrderLeg
from keeper.core.units import TokenAmount
from keeper.strategies.fitting import GAS_OF_LEG
from keeper.venues.uniswap_v2 import UniswapV2, UniswapV2State
from tests.builders import ACCOUNT, NOW, USDC, WETH, fake_pool, make_view, units

POOL = fake_pool(units(WETH, 1_000), units(USDC, 2_000_000)).pool
STATE = UniswapV2State(POOL, (units(WETH, 1_000).raw, units(USDC, 2_000_000).raw))
VIEW = make_view(pools=[STATE])


def call(floor: int) -> Call:
    sell = units(WETH, 1)
    quote = STATE.out_for(sell, USDC)
    assert isinstance(quote, TokenAmount)
    least = TokenAmount(USDC, quote.raw + floor)
    leg = OrderLeg(Leg((POOL,), sell, quote, Fraction(1)), least, least)
    return UniswapV2().encode(leg, ACCOUNT, Order((leg,), NOW, 0).deadline)


def test_simulated__swap__moves_what_the_pool_quotes() -> None:
    found = Simulated().simulate(Whole().wrap([call(0)], VIEW), VIEW)
    quote = STATE.out_for(units(WETH, 1), USDC)
    assert isinstance(quote, TokenAmount)
    assert found.failure == ""
    assert found.deltas == {WETH: -units(WETH, 1).raw, USDC: quote.raw}
    assert found.gas == (GAS_OF_LEG,)


def test_simulated__floor_above_the_quote__fails_as_the_router_would() -> None:
    found = Simulated().simulate(Whole().wrap([call(1)], VIEW), VIEW)
    assert found.failure.startswith("INSUFFICIENT_OUTPUT_AMOUNT")


def test_simulated__no_pool_or_no_swap__fails() -> None:
    none = Simulated().simulate(Whole().wrap([call(0)], VIEW), replace(VIEW, pools=()))
    assert none.failure == "no pool of this vault trades WETH for USDC"
    other = Simulated().simulate(Whole().wrap([replace(call(0), data=b"\x00" * 4)], VIEW), VIEW)
    assert other.failure.startswith("selector: expected")


def test_whole__everything_at_once__and_nothing_left_to_tidy() -> None:
    assert Whole().take((), VIEW) == ()
    assert Whole().tidy(VIEW) is None
    assert Simulated().settle() == {}
