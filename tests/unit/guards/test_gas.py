from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.core.calls import Call, Purpose
from keeper.core.chain import History, Unusable
from keeper.core.units import Wei
from keeper.core.verdicts import Allow, Deny
from keeper.guards import GasReserve, MaxBaseFee, MaxGasCost, MaxGasPerDay
from tests.builders import ETH, NOW, WETH, make_block, make_draft, make_view, simulated, units, usd
from tests.unit.guards.orders import revoke, trade

GWEI = 10**9


@pytest.mark.fault("M15")
@pytest.mark.parametrize(("base_fee", "allowed"), [(100 * GWEI, True), (100 * GWEI + 1, False)])
def test_max_base_fee__gas_spike__denies_every_transaction(base_fee: int, allowed: bool) -> None:
    view = make_view(block=make_block(base_fee=base_fee))
    for draft in (trade(), revoke()):
        assert isinstance(MaxBaseFee(Wei(100 * GWEI)).check(draft, view), Allow) == allowed


def test_max_base_fee__chain_without_one__looks_at_the_gas_price() -> None:
    view = make_view(block=make_block(base_fee=None))
    verdict = MaxBaseFee(Wei(GWEI)).check(trade(simulation=simulated(cap=3 * GWEI)), view)
    assert isinstance(verdict, Deny)
    assert verdict.reason == "the gas price is too high: 3 gwei measured, 1 gwei allowed"


@pytest.mark.fault("M21")
def test_max_gas_cost__more_than_it_is_worth__denies() -> None:
    verdict = MaxGasCost(25).check(trade(gas_value=usd(470)), make_view())
    assert isinstance(verdict, Deny)
    assert verdict.reason == "gas of $470.00 for a trade of $47,018.96: 100 bps measured, 25 bps allowed"


@pytest.mark.fault("M15", "M21")
@pytest.mark.parametrize("guard", [MaxGasCost(25), MaxGasPerDay(usd(50))])
def test_gas_value__native_price_unusable__denies(guard: MaxGasCost | MaxGasPerDay) -> None:
    view = make_view()
    view = replace(view, native_price=Unusable("chainlink is 2h old"))
    verdict = guard.check(trade(gas_value=None), view)
    assert isinstance(verdict, Deny)
    assert verdict.reason == "gas cannot be valued: chainlink is 2h old"


@pytest.mark.fault("M15")
def test_max_gas_per_day__failures_and_approvals__count_while_in_the_window() -> None:
    history = History(gas=((NOW - 60, usd(40)), (NOW - 86_400, usd(40))))
    assert isinstance(MaxGasPerDay(usd(50)).check(trade(), make_view(history=history)), Allow)
    verdict = MaxGasPerDay(usd(50)).check(trade(gas_value=usd("10.01")), make_view(history=history))
    assert isinstance(verdict, Deny)
    assert verdict.reason == "too much gas: $50.01 with this one measured, $50.00 per 1d allowed"


@pytest.mark.parametrize(("native", "allowed"), [("0.022", True), ("0.021999999999999999", False), ("0.001", False)])
def test_gas_reserve__worst_case__must_leave_it(native: str, allowed: bool) -> None:
    assert isinstance(GasReserve(units(ETH, "0.02")).check(trade(), make_view(native=native)), Allow) == allowed


def test_gas_reserve__too_little__says_what_to_send() -> None:
    verdict = GasReserve(units(ETH, "0.02")).check(trade(), make_view(native="0.012"))
    assert isinstance(verdict, Deny)
    assert verdict.reason == "the sender would keep 0.0100000 ETH, at least 0.0200000 ETH required"
    assert verdict.remedy.startswith("Send 0.0100000 ETH to 0x")


def test_gas_reserve__wrapping__counts_what_is_wrapped() -> None:
    wrap = Call(WETH.address, b"\xd0\xe3\x0d\xb0", units(ETH, "0.98").raw, Purpose.WRAP, "wrap")
    draft = make_draft(calls=(wrap,))
    assert isinstance(GasReserve(units(ETH, "0.02")).check(draft, make_view()), Deny)


def test_gas_reserve__unwrap_below_the_reserve__is_what_fills_it() -> None:
    unwrap = Call(WETH.address, b"", 0, Purpose.UNWRAP, "unwrap")
    guard, draft = GasReserve(units(ETH, "0.02")), make_draft(calls=(unwrap,))
    assert isinstance(guard.check(draft, make_view(native="0.01")), Allow)
    assert isinstance(guard.check(draft, make_view(native="0.001")), Deny)
