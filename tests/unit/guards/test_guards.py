"""What all guards have in common."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper import guards
from keeper.core.ports import Guard
from keeper.core.units import Wei
from keeper.core.verdicts import Allow, Deny
from tests.builders import ETH, USDC, V2_ROUTER, WETH, make_view, simulated, units, usd
from tests.unit.guards.orders import revoke, trade

SET: tuple[Guard, ...] = (
    guards.MaxSlippage(50),
    guards.MaxImpact(50),
    guards.MaxOracleDisagreement(100),
    guards.MaxPriceAge(None),
    guards.WholeTransfers(),
    guards.MaxDeviation(50),
    guards.MaxTrade(usd(100_000)),
    guards.MaxTurnover(2500),
    guards.CoolDown(300),
    guards.MaxTrades(24),
    guards.MaxBaseFee(Wei(100 * 10**9)),
    guards.MaxGasCost(25),
    guards.MaxGasPerDay(usd(50)),
    guards.GasReserve(units(ETH, "0.02")),
    guards.DriftFalls(WETH),
    guards.NoCrossing(WETH),
    guards.AllowList((V2_ROUTER,), (WETH, USDC), WETH),
    guards.Paused(),
)


def test_all_keys__in_order__are_the_eighteen() -> None:
    assert len(guards.ALL_KEYS) == len(set(guards.ALL_KEYS)) == 18
    assert tuple(type(guard) for guard in SET) == guards.ALL
    assert guards.ALL_KEYS[0] == "max_slippage"
    assert guards.ALL_KEYS[-1] == "paused"


def test_check__good_trade__everyone_allows_with_both_figures() -> None:
    for guard in SET:
        verdict = guard.check(trade(), make_view())
        assert isinstance(verdict, Allow), verdict
        assert verdict.measured
        assert verdict.limit


def test_check__no_trade__everyone_answers() -> None:
    verdicts = [guard.check(revoke(), make_view()) for guard in SET]
    assert all(isinstance(verdict, Allow) for verdict in verdicts)
    silent = [verdict.guard for verdict in verdicts if verdict.measured == "does not apply: no trade"]
    judged = {"max_base_fee", "max_gas_per_day", "gas_reserve", "allow_list", "paused"}
    assert set(guards.ALL_KEYS) - set(silent) == judged


def test_check__simulation_failed__everyone_answers_and_the_reason_is_named() -> None:
    draft = trade(simulation=simulated(failure="Too little received"))
    verdicts = {verdict.guard: verdict for verdict in (guard.check(draft, make_view()) for guard in SET)}
    denied = {key for key, verdict in verdicts.items() if isinstance(verdict, Deny)}
    assert denied == {"max_deviation", "drift_falls", "no_crossing"}
    first = verdicts["max_deviation"]
    assert isinstance(first, Deny)
    assert first.reason == "the simulation failed: Too little received"


def test_check__revoke_that_fails_in_simulation__is_refused_too() -> None:
    draft = replace(revoke(), simulation=simulated(failure="execution reverted"))
    assert isinstance(guards.MaxDeviation(50).check(draft, make_view()), Deny)


@pytest.mark.parametrize("guard", SET, ids=guards.ALL_KEYS)
def test_check__same_draft__gives_the_same_verdict(guard: Guard) -> None:
    assert guard.check(trade(), make_view()) == guard.check(trade(), make_view())
