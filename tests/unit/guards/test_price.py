from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import MarketPrice, Reading, VaultView
from keeper.core.units import Rounding
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.guards import MaxDeviation, MaxImpact, MaxOracleDisagreement, MaxPriceAge, MaxSlippage
from tests.builders import USDC, WETH, make_view, market
from tests.unit.guards.orders import QUOTE, SELL, filled, order, trade


def view_with(weth: MarketPrice) -> VaultView:
    return make_view(prices={WETH: weth, USDC: market(USDC, 1)})


def denied(verdict: Verdict) -> Deny:
    assert isinstance(verdict, Deny), verdict
    return verdict


def test_max_slippage__min_out_far_below_the_quote__denies_with_both_figures() -> None:
    verdict = denied(MaxSlippage(20).check(trade(), make_view()))
    assert (verdict.measured, verdict.limit) == ("30 bps", "20 bps")
    assert verdict.reason == "min_out is that far below the quote: 30 bps measured, 20 bps allowed"
    assert verdict.used is not None
    assert verdict.used > Fraction(149, 100)


def test_max_slippage__exactly_at_the_limit__allows() -> None:
    assert isinstance(MaxSlippage(30).check(trade(), make_view()), Allow)


@pytest.mark.fault("M12")
def test_max_impact__shallow_pool__denies() -> None:
    half = QUOTE.times(Fraction(99, 100), Rounding.DOWN)
    verdict = denied(MaxImpact(50).check(trade(order=order(quote=half)), make_view()))
    assert verdict.measured == "101.4 bps"
    assert "moves uniswap_v2 0.05 % WETH/USDC" in verdict.reason


def test_max_impact__deep_pool__leaves_the_fee_out() -> None:
    assert MaxImpact(50).check(trade(), make_view()).measured == "1.5 bps"


@pytest.mark.fault("M6")
def test_max_oracle_disagreement__sources_apart__denies_and_lists_them() -> None:
    chainlink = market(WETH, 3300)
    twap = Reading("twap30m", market(WETH, "3246.1").mid)
    weth = replace(chainlink, readings=(*chainlink.readings, twap), apart_bps=Fraction(163))
    verdict = denied(MaxOracleDisagreement(100).check(trade(), view_with(weth)))
    assert verdict.reason == "chainlink and twap30m disagree on WETH: 163 bps measured, 100 bps allowed"
    assert verdict.detail == ("chainlink WETH/USD $3,300.00, 1m old", "twap30m WETH/USD $3,246.10")
    assert verdict.remedy == "It clears itself once they agree within 100 bps."


@pytest.mark.fault("M1")
@pytest.mark.parametrize(
    ("limit", "age", "max_age", "allowed"),
    [(None, 3600, 3600, True), (None, 3601, 3600, False), (1800, 1801, 3600, False), (7200, 3601, 3600, False)],
)
def test_max_price_age__the_shorter_allowance_counts(limit: int | None, age: int, max_age: int, allowed: bool) -> None:
    verdict = MaxPriceAge(limit).check(trade(), view_with(market(WETH, 3120, age=age, max_age=max_age)))
    assert isinstance(verdict, Allow) == allowed


def test_max_price_age__sources_without_age__allows_and_says_so() -> None:
    bare = {t: replace(market(t, 1), readings=(Reading("fixed", market(t, 1).mid),)) for t in (WETH, USDC)}
    assert MaxPriceAge(None).check(trade(), make_view(prices=bare)).measured == "no source has an age"


@pytest.mark.fault("M6", "M7")
def test_max_deviation__pool_left_the_oracle__denies() -> None:
    # The pool's own mid fell by 1 % with its quote, so neither fee nor impact explains the difference.
    low = QUOTE.times(Fraction(99, 100), Rounding.DOWN)
    mid = order().legs[0].leg.mid * Fraction(99, 100)
    verdict = denied(
        MaxDeviation(50).check(trade(order=order(quote=low, mid=mid), simulation=filled(low)), make_view())
    )
    assert verdict.measured == "100 bps"
    assert verdict.reason.endswith("too little against the oracle's prices: 100 bps measured, 50 bps allowed")


def test_max_deviation__fee_and_impact_alone__are_no_deviation() -> None:
    assert MaxDeviation(50).check(trade(), make_view()).measured == "0 bps"


def test_max_deviation__sources_apart__takes_the_worse_one_for_us() -> None:
    verdict = denied(MaxDeviation(50).check(trade(), view_with(market(WETH, 3120, apart=120))))
    assert verdict.measured == "59.6 bps"


@pytest.mark.fault("M23")
def test_max_deviation__quote_is_stale_at_the_head__judges_the_simulation() -> None:
    simulation = filled(QUOTE.times(Fraction(99, 100), Rounding.DOWN))
    verdict = denied(MaxDeviation(50).check(trade(simulation=simulation), make_view()))
    assert verdict.measured == "100 bps"
    assert verdict.reason.startswith("the simulation brings 46,")


@pytest.mark.fault("M22")
def test_max_deviation__simulation_takes_more_than_ordered__denies() -> None:
    simulation = replace(filled(), deltas={WETH: -2 * SELL.raw, USDC: QUOTE.raw})
    assert denied(MaxDeviation(50).check(trade(simulation=simulation), make_view())).measured == "5,000 bps"


def test_max_deviation__nothing_received__denies() -> None:
    simulation = replace(filled(), deltas={WETH: -SELL.raw})
    assert denied(MaxDeviation(50).check(trade(simulation=simulation), make_view())).measured == "10,000 bps"
