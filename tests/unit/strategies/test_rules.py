"""Locked, cash-like and reserved tokens, and priorities, in plans with fixed bands and with bands of pairs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.core.plan import Hold, Rebalance
from keeper.strategies.auto_bands import AutoBands
from keeper.strategies.bands import Band, Bands
from keeper.strategies.rules import Rules
from keeper.strategies.weights import Weights
from tests.builders import DAI, USDC, WBTC, WETH, make_view, units
from tests.unit.strategies.four import FOUR, WORTH, four

FIXED = Bands(Band(400), Band(100))
BOTH = pytest.mark.parametrize("bands", [FIXED, AutoBands()], ids=["fixed", "auto"])


def rebalance(weights: Weights, drifts: tuple[int, ...]) -> Rebalance:
    plan = weights.plan(four(drifts))
    assert isinstance(plan, Rebalance), plan
    return plan


@BOTH
def test_locked__over_its_band__is_not_sold_and_says_so(bands: Bands | AutoBands) -> None:
    plan = Weights(FOUR, bands, rules=Rules(locked=frozenset([WETH]))).plan(four((700, -300, -300, -100)))
    assert isinstance(plan, Hold)
    assert plan.code == "locked"
    assert "WETH is locked, so it is never sold" in plan.reason


@BOTH
def test_locked__under_its_band__is_bought(bands: Bands | AutoBands) -> None:
    plan = rebalance(Weights(FOUR, bands, rules=Rules(locked=frozenset([WETH]))), (-900, 700, 100, 100))
    assert plan.trades[0].sell.token == WBTC
    assert plan.trades[0].buy == WETH


@given(
    st.lists(st.integers(-900, 900), min_size=3, max_size=3).filter(lambda d: -1_000 <= -sum(d) <= 5_000),
    st.sampled_from([FIXED, AutoBands()]),
    st.sets(st.sampled_from(list(FOUR)), min_size=1, max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_locked__any_drift__is_never_sold(drifts: list[int], bands: Bands | AutoBands, locked: set[object]) -> None:
    rules = Rules(locked=frozenset(token for token in FOUR if token in locked))
    plan = Weights(FOUR, bands, rules=rules).plan(four((*drifts, -sum(drifts))))
    if isinstance(plan, Rebalance):
        assert not {trade.sell.token for trade in plan.trades} & rules.locked


@BOTH
def test_cash__takes_the_other_side_first(bands: Bands | AutoBands) -> None:
    """DAI has drifted further, but USDC is cash."""
    drifts = (900, 0, -650, -250)
    assert rebalance(Weights(FOUR, bands), drifts).trades[0].buy == DAI
    assert rebalance(Weights(FOUR, bands, rules=Rules(cash=frozenset([USDC]))), drifts).trades[0].buy == USDC


@BOTH
def test_priorities__decide_who_trades_first(bands: Bands | AutoBands) -> None:
    drifts = (900, 600, -700, -800)
    assert rebalance(Weights(FOUR, bands), drifts).trades[0].sell.token == WETH
    first = rebalance(Weights(FOUR, bands, rules=Rules(priorities={WBTC: 3})), drifts).trades[0]
    assert first.sell.token == WBTC


def test_priorities__below_one__refused() -> None:
    with pytest.raises(ValueError, match="priority of WETH: expected 1 or more, was 0"):
        Rules(priorities={WETH: 0})


def test_reserve__is_kept_out_of_the_weights() -> None:
    """100,000 USDC aside: the rest is exactly on target, where with them WETH would be 2.5 points below."""
    rules = Rules(reserve={USDC: units(USDC, 100_000)})
    view = make_view([units(WETH, 375), units(USDC, 880_000)])
    plan = Weights({WETH: 6000, USDC: 4000}, Bands(Band(200), Band(0)), rules=rules).plan(view)
    assert isinstance(plan, Hold)
    assert [(line.balance, line.drift) for line in plan.assets] == [(units(WETH, 375), 0), (units(USDC, 780_000), 0)]
    assert isinstance(Weights({WETH: 6000, USDC: 4000}, Bands(Band(200), Band(0))).plan(view), Rebalance)


def test_reserve__is_never_sold() -> None:
    """All USDC but the reserve may go, and no more."""
    rules = Rules(reserve={USDC: units(USDC, 100_000)})
    view = make_view([units(WETH, 1), units(USDC, 101_000)])
    plan = Weights({WETH: 10_000, USDC: 0}, Bands(Band(200), Band(0)), rules=rules).plan(view)
    assert isinstance(plan, Rebalance)
    assert plan.trades[0].sell <= units(USDC, 1_000)


def test_reserve__more_than_is_there__counts_as_nothing() -> None:
    rules = Rules(reserve={USDC: units(USDC, 5_000)})
    assert rules.counted(units(USDC, 4_999)) == 0
    assert rules.counted(units(USDC, 5_001)) == units(USDC, 1).raw
    assert rules.counted(units(WETH, 3)) == units(WETH, 3).raw


def test_builder__worth__is_what_it_says() -> None:
    plan = Weights(FOUR, FIXED).plan(four())
    assert round(sum(line.value.whole for line in plan.assets)) == WORTH
