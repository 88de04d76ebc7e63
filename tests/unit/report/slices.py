"""Situations of a trade that goes in slices."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.core.plan import Hold, Rebalance
from keeper.core.slices import Parent, Schedule, Slice
from tests.unit.report import situations as given
from tests.unit.report.situations import BLOCK, USDC, WETH, Situation, usd, weth

PARENT = Parent(BLOCK.timestamp - 2 * 3600, WETH.address, USDC.address, usd("188068.61"), Fraction(3125), 12, 1440)
TOLERANCE = "noise asks for 8.6 bps; too small to be sandwiched at a profit"


def slice_now() -> Situation:
    """The last one, at a tolerance of its own."""
    situation = given.trading()
    assert isinstance(situation.plan, Rebalance)
    assert situation.order is not None
    done, size = usd("141000.5"), situation.plan.trades[0].notional
    schedule = Schedule(Slice(PARENT, 9, 9, done), size, size, BLOCK.timestamp, BLOCK.timestamp + 3 * 3600)
    plan = replace(situation.plan, schedule=schedule)
    return replace(situation, plan=plan, order=replace(situation.order, tolerance=TOLERANCE))


def slice_waits() -> Situation:
    situation = given.trading()
    assets = situation.plan.assets
    schedule = Schedule(Slice(PARENT, 3, 12, usd("31344.77")), usd("15672.38"), usd("156723.84"), BLOCK.timestamp + 250)
    reason = "slice 3 of 12 of WETH for USDC, 17 % done, next in 4m 10s"
    return Situation(Hold("slices", reason, assets, schedule), given.view())


def first() -> Situation:
    situation = slice_now()
    assert isinstance(situation.plan, Rebalance)
    left = usd("188068.61")
    schedule = Schedule(
        Slice(PARENT, 1, 12, usd("0")), given.WETH_PRICE.mid.value(weth("15.0696")), left, BLOCK.timestamp
    )
    return replace(situation, plan=replace(situation.plan, schedule=schedule))
