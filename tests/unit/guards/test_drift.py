from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.units import Rounding, TokenAmount
from keeper.core.verdicts import Allow, Deny
from keeper.guards import DriftFalls, NoCrossing
from tests.builders import ETH, USDC, WETH, make_view, simulated, units
from tests.unit.guards.orders import QUOTE, SELL, filled, order, trade

pytestmark = pytest.mark.fault("invariant 14")


def test_drift_falls__good_trade__says_before_and_after() -> None:
    verdict = DriftFalls(WETH).check(trade(), make_view())
    assert isinstance(verdict, Allow)
    assert (verdict.measured, verdict.limit) == ("4pp after", "below 8.7pp now")


def test_drift_falls__wrong_direction__denies() -> None:
    simulation = simulated({WETH: SELL.raw, USDC: -QUOTE.raw})
    verdict = DriftFalls(WETH).check(trade(simulation=simulation), make_view())
    assert isinstance(verdict, Deny)
    assert "13.4pp after, below 8.7pp now required" in verdict.reason


def test_drift_falls__nothing_changes__denies() -> None:
    assert isinstance(DriftFalls(WETH).check(trade(simulation=simulated({})), make_view()), Deny)


def test_drift_falls__native_coin_is_wrapped_first__counts_as_the_same() -> None:
    wrapped = 10**18
    simulation = simulated({WETH: wrapped - SELL.raw, ETH: -wrapped, USDC: QUOTE.raw})
    draft = trade(simulation=simulation)
    assert DriftFalls(WETH).check(draft, make_view()) == DriftFalls(WETH).check(trade(), make_view())
    assert NoCrossing(WETH).check(draft, make_view()) == NoCrossing(WETH).check(trade(), make_view())


def test_no_crossing__far_too_much__denies() -> None:
    half = Fraction(3, 2)
    sold, got = SELL.times(half, Rounding.DOWN), QUOTE.times(half, Rounding.DOWN)
    draft = trade(order=order(sell=sold, quote=got), simulation=simulated({WETH: -sold.raw, USDC: got.raw}))
    assert isinstance(NoCrossing(WETH).check(draft, make_view()), Allow)
    sold, got = SELL.times(2, Rounding.DOWN), QUOTE.times(2, Rounding.DOWN)
    draft = trade(order=order(sell=sold, quote=got), simulation=simulated({WETH: -sold.raw, USDC: got.raw}))
    verdict = NoCrossing(WETH).check(draft, make_view())
    assert isinstance(verdict, Deny)
    assert verdict.reason == "WETH would end 0.35pp on the other side of its target"


def _to_target(extra_weth: int, fill: int = 0) -> Allow | Deny:
    """Sell exactly to the target at mid (87,000 USD of WETH, without cost), and so many raw units more."""
    sold = TokenAmount(WETH, int(Fraction(87_000, 3120) * 10**18) + extra_weth)
    got = TokenAmount(USDC, 87_000 * 10**6)
    simulation = simulated({WETH: -sold.raw, USDC: got.raw + fill})
    draft = trade(order=order(sell=sold, quote=got), simulation=simulation)
    return NoCrossing(WETH).check(draft, make_view())


def test_no_crossing__one_raw_unit__is_tolerated_and_two_are_not() -> None:
    one_usdc_in_weth = 10**12 // 3120
    assert isinstance(_to_target(0), Allow)
    assert isinstance(_to_target(one_usdc_in_weth), Allow)
    assert isinstance(_to_target(4 * one_usdc_in_weth), Deny)


def test_no_crossing__better_fill_than_quoted__is_not_refused() -> None:
    assert isinstance(_to_target(0, fill=10 * 10**6), Allow)


def test_no_crossing__asset_on_its_target_is_traded__denies() -> None:
    even = {WETH: units(WETH, 384), USDC: units(USDC, 798_720)}  # 60 % and 40 % to the wei
    assets = tuple(replace(asset, balance=even[asset.token]) for asset in trade().plan.assets)
    draft = trade(plan=replace(trade().plan, assets=assets), simulation=filled())
    assert isinstance(NoCrossing(WETH).check(draft, make_view()), Deny)
