from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from keeper.core.abi import calldata, selector
from keeper.core.calls import Call, Purpose
from keeper.core.chain import History, PastCall, Unusable, VaultView
from keeper.core.plan import Draft, Perform, Simulation
from keeper.core.ports import Guard
from keeper.core.units import TokenAmount
from keeper.core.verdicts import Allow, Deny
from keeper.guards import upkeeps as guards
from tests.builders import ETH, NOW, USDC, address, make_draft, make_view, simulated, units, usd

TARGET = address(0xC0FFEE)
CALL = Call(TARGET, calldata("performUpkeep(bytes)", b""), 0, Purpose.UPKEEP, "call it")
DAY = 86_400


def draft(*calls: Call, simulation: Simulation | None = None, gas_value: TokenAmount | None = usd(2)) -> Draft:  # noqa: B008
    made = calls or (CALL,)
    return make_draft(Perform("due", made), calls=made, simulation=simulation, gas_cost="0.001", gas_value=gas_value)


def view(*past: PastCall, gas: Sequence[tuple[int, TokenAmount]] = (), priced: bool = True) -> VaultView:
    history = History(calls=past, gas=tuple(gas))
    price = None if priced else Unusable("no source")
    return make_view((), {}, (), history=history, native_price=price)


def allows(guard: Guard, made: Draft | None = None, seen: VaultView | None = None) -> bool:
    verdict = guard.check(made or draft(), seen or view())
    assert verdict.guard == guard.key  # type: ignore[attr-defined]
    return isinstance(verdict, Allow)


def refusal(guard: Guard, made: Draft | None = None, seen: VaultView | None = None) -> Deny:
    verdict = guard.check(made or draft(), seen or view())
    assert isinstance(verdict, Deny)
    return verdict


# --- it succeeds, within its gas ------------------------------------------------------------------------------------


def test_succeeds__a_simulation_that_failed__is_denied_with_whom_to_let_call() -> None:
    assert allows(guards.Succeeds())
    denied = refusal(guards.Succeeds(), draft(simulation=simulated(failure="call it: OnlyForwarder()")))
    assert denied.reason == "the simulation failed: call it: OnlyForwarder()"
    assert view().sender in denied.remedy  # type: ignore[operator]


@pytest.mark.parametrize(("limit", "fits"), [(149_999, False), (150_000, True)])
def test_gas_limit__against_what_would_be_signed(limit: int, fits: bool) -> None:
    assert allows(guards.GasLimit(limit)) == fits


@pytest.mark.parametrize(
    ("limit", "fits"),
    [(usd("1.99"), False), (usd(2), True), (units(ETH, "0.00099"), False), (units(ETH, "0.001"), True)],
)
def test_max_gas__in_its_own_token(limit: TokenAmount, fits: bool) -> None:
    assert allows(guards.MaxGas(limit)) == fits


def test_max_gas__no_price__only_a_limit_in_coin_can_be_judged() -> None:
    unpriced, seen = draft(gas_value=None), view(priced=False)
    assert allows(guards.MaxGas(units(ETH, 1)), unpriced, seen)
    assert allows(guards.MaxGasPerDay(units(ETH, 1)), unpriced, seen)
    for guard in (guards.MaxGas(usd(100)), guards.MaxGasPerDay(usd(100))):
        assert refusal(guard, unpriced, seen).reason == "gas cannot be valued: no source"


@pytest.mark.parametrize(("age", "fits"), [(DAY, True), (DAY - 1, False)])
def test_max_gas_per_day__in_coin__counts_the_window_and_this_one(age: int, fits: bool) -> None:
    past = PastCall(NOW - age, 2 * 10**15)
    assert allows(guards.MaxGasPerDay(units(ETH, "0.0029")), seen=view(past)) == fits


@pytest.mark.parametrize(("limit", "fits"), [(6, False), (7, True)])
def test_max_gas_per_day__in_usd__counts_the_journals_values(limit: int, fits: bool) -> None:
    seen = view(gas=[(NOW - DAY, usd(50)), (NOW - 5, usd(5))])
    assert allows(guards.MaxGasPerDay(usd(limit)), seen=seen) == fits


# --- how often -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ago", "fits"), [(599, False), (600, True)])
def test_cool_down__from_the_last_call(ago: int, fits: bool) -> None:
    assert allows(guards.CoolDown(600), seen=view(PastCall(NOW - 5_000, 1), PastCall(NOW - ago, 1))) == fits


def test_cool_down__no_call_yet__allows() -> None:
    assert allows(guards.CoolDown(600))


@pytest.mark.parametrize(("limit", "fits"), [(2, False), (3, True)])
def test_max_calls__in_the_window_with_this_one(limit: int, fits: bool) -> None:
    past = (PastCall(NOW - 3_600, 1), PastCall(NOW - 3_599, 1), PastCall(NOW - 5, 1))
    assert allows(guards.MaxCalls(limit, 3_600), seen=view(*past)) == fits


# --- what it brings, and where it goes -------------------------------------------------------------------------------


@pytest.mark.parametrize(("gain", "fits"), [(4_999_999, False), (5_000_000, True)])
def test_min_profit__of_a_token__is_its_balance_delta(gain: int, fits: bool) -> None:
    guard = guards.MinProfit((units(USDC, 5),))
    assert allows(guard, draft(simulation=simulated({USDC: gain}))) == fits


@pytest.mark.parametrize(("gain", "fits"), [(2 * 10**15 - 1, False), (2 * 10**15, True)])
def test_min_profit__of_native_coin__is_less_its_gas(gain: int, fits: bool) -> None:
    guard = guards.MinProfit((units(ETH, "0.001"),))
    assert allows(guard, draft(simulation=simulated({ETH: gain}))) == fits


def test_min_profit__nothing_moved__is_denied_with_both_figures() -> None:
    denied = refusal(guards.MinProfit((units(USDC, 5),)))
    assert denied.reason == "the call brings 0.00 USDC, at least 5.00000 USDC required"


ALLOWED = guards.AllowList(frozenset({(TARGET, selector("performUpkeep(bytes)"))}))


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (replace(CALL, to=address(0xBAD)), "call: expected 0x4585e33b of"),
        (replace(CALL, data=calldata("approve(address,uint256)", TARGET, 1)), "was 0x095ea7b3 of"),
        (replace(CALL, data=b""), "was 0x of"),
        (replace(CALL, value=1), "value: expected 0, was 1 wei"),
        (replace(CALL, purpose=Purpose.SWAP), "purpose: swap is not for an upkeep to plan"),
    ],
)
def test_allow_list__another_call__is_denied(call: Call, fault: str) -> None:
    assert allows(ALLOWED)
    assert fault in refusal(ALLOWED, draft(call)).reason
    assert fault in refusal(ALLOWED, draft(CALL, call)).reason


def test_allow_list__calls_inside_an_outer_one__are_judged() -> None:
    outer = replace(CALL, to=address(0x5AFE), inner=(CALL,))
    assert allows(ALLOWED, draft(outer))
    assert not allows(ALLOWED, draft(replace(outer, inner=(CALL, replace(CALL, to=address(0xBAD))))))
