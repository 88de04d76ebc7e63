"""`dust: auto` and `clip: auto`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import Unusable
from keeper.core.plan import Hold, Rebalance
from keeper.core.units import TokenAmount
from keeper.strategies.bands import Band, Bands
from keeper.strategies.gas_limits import GasLimits
from keeper.strategies.weights import Weights
from tests.builders import USDC, WETH, fake_pool, units, usd
from tests.unit.strategies.four import FOUR, WORTH, four, pools

BANDS = Bands(Band(400), Band(100))
OUT = (700, -300, -300, -100)


@pytest.mark.fault("M21")
def test_dust__gas_may_be_25_bps__is_four_hundred_times_the_gas() -> None:
    dust = GasLimits(gas_share=25).dust(four(gas=Fraction(8)))
    assert isinstance(dust, TokenAmount)
    assert float(dust.whole) == pytest.approx(3_200)
    assert GasLimits().dust(four()) is None


@pytest.mark.fault("M21")
def test_plan__trade_below_what_its_gas_asks_for__holds_as_dust() -> None:
    """$250k at 7pp: $10,000 for DAI or WBTC. Gas of $8 lets $3,200 pass, gas of $80 asks for $32,000."""
    weights = Weights(FOUR, BANDS, by_gas=GasLimits(gas_share=25))
    assert isinstance(weights.plan(four(OUT, gas=Fraction(8))), Rebalance)
    plan = weights.plan(four(OUT, gas=Fraction(80)))
    assert isinstance(plan, Hold)
    assert plan.code == "dust"
    assert "below the dust limit of $32,000.00" in plan.reason


@pytest.mark.fault("M15")
def test_plan__gas_without_price__holds_rather_than_guess_what_dust_is() -> None:
    view = replace(four(OUT), native_price=Unusable("no price source"))
    plan = Weights(FOUR, BANDS, by_gas=GasLimits(gas_share=25)).plan(view)
    assert isinstance(plan, Hold)
    assert (plan.code, plan.reason) == ("no_price", "dust follows from gas, and gas has no price: no price source")


def test_most__constant_product__is_the_root_of_gas_times_depth() -> None:
    """√($8 · $5m) = $6,325."""
    most = GasLimits(clip=True).most(four(gas=Fraction(8)), WETH, USDC, usd(WORTH))
    assert most is not None
    assert float(most.whole) == pytest.approx((8 * 5_000_000) ** 0.5, rel=0.02)
    assert GasLimits().most(four(), WETH, USDC, usd(WORTH)) is None


def test_plan__clip_by_gas__slices_what_is_larger() -> None:
    """Impact beyond it would cost more than the gas of another trade: $10,000 wanted, $6,325 traded."""
    view = four((400, 0, 0, -400), gas=Fraction(8))
    weights = Weights(FOUR, Bands(Band(300), Band(0)), by_gas=GasLimits(clip=True))
    plan = weights.plan(view)
    assert isinstance(plan, Rebalance)
    assert float(plan.trades[0].notional.whole) == pytest.approx(6_325, rel=0.02)
    assert "slice 1 of about 2" in plan.reason
    smaller = replace(weights, clip=usd(5_000)).plan(view)
    assert isinstance(smaller, Rebalance)
    assert smaller.trades[0].notional <= usd(5_000), "the guard's limit is still a limit"


def test_most__pool_without_impact_or_without_quote__does_not_limit() -> None:
    deep = fake_pool(units(WETH, 10**30), units(USDC, 25 * 10**32), Fraction(6, 10_000))
    assert GasLimits(clip=True).most(four(states=[]), WETH, USDC, usd(WORTH)) is None
    most = GasLimits(clip=True).most(four(states=[deep]), WETH, USDC, usd(WORTH))
    assert most is None or most > usd(WORTH)
    assert len(pools()) == 6
