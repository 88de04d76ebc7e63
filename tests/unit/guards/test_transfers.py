"""Whether what is sold leaves, and what is quoted arrives, whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.plan import Simulation
from keeper.core.units import TokenAmount
from keeper.core.verdicts import Allow, Deny
from keeper.guards.transfers import WholeTransfers
from tests.builders import DAI, ETH, USDC, WETH, make_view, simulated, swap_call
from tests.unit.guards.orders import QUOTE, SELL, approval, filled, order, swap, trade

BPS = QUOTE.raw // 10_000
"""{raw} One bps of the quote, rounded down."""


def verdict(simulation: Simulation, **changes: object) -> Allow | Deny:
    return WholeTransfers().check(trade(simulation=simulation, **changes), make_view())


@pytest.mark.fault("K1")
@pytest.mark.parametrize(
    ("short", "allowed"),
    [(-5, True), (0, True), (2, True), (BPS, True), (BPS + 1, False), (QUOTE.raw // 100, False), (QUOTE.raw, False)],
)
def test_received__short_of_the_quote__refused_beyond_one_bps(short: int, allowed: bool) -> None:
    found = verdict(filled(TokenAmount(USDC, QUOTE.raw - short)))
    assert isinstance(found, Allow) == allowed, found


@pytest.mark.fault("K1")
def test_received__a_hundredth_less__is_named_a_fee_with_both_figures() -> None:
    found = verdict(filled(TokenAmount(USDC, QUOTE.raw * 99 // 100)))
    assert isinstance(found, Deny) and found.used is not None
    assert found.reason.startswith(
        "USDC takes a fee on transfer, or its balances do not follow its transfers: received"
    )
    assert "100 bps measured, 1 bps allowed" in found.reason and "docs/tokens.md" in found.remedy


@pytest.mark.fault("K5")
def test_received__nothing_at_all__is_named() -> None:
    found = verdict(simulated({WETH: -SELL.raw}))
    assert isinstance(found, Deny) and "the swap brings none" in found.reason


@pytest.mark.fault("K1")
@pytest.mark.parametrize(("more", "allowed"), [(0, True), (-5, True), (SELL.raw // 100, False)])
def test_sold__more_leaves_than_is_sold__is_refused(more: int, allowed: bool) -> None:
    found = verdict(simulated({WETH: -SELL.raw - more, USDC: QUOTE.raw}))
    assert isinstance(found, Allow) == allowed
    assert allowed or "left the account to sell" in found.reason  # type: ignore[union-attr]


def test_wrapped_on_the_way__counts_as_no_gain_and_no_loss() -> None:
    wrap = Call(WETH.address, calldata("deposit()"), SELL.raw, Purpose.WRAP, "wrap")
    made = trade(simulation=simulated({WETH: 0, ETH: -SELL.raw, USDC: QUOTE.raw}))
    draft = replace(made, calls=replace(made.calls, sequence=(wrap, approval(), swap())))
    assert isinstance(WholeTransfers().check(draft, make_view()), Allow)
    atomic = replace(swap_call(), inner=(wrap, approval(), swap()))
    assert isinstance(
        WholeTransfers().check(replace(draft, calls=replace(made.calls, sequence=(atomic,))), make_view()), Allow
    )


def test_middle_of_a_path__only_its_rest_must_arrive() -> None:
    legs = order().legs
    back = replace(legs[0], leg=replace(legs[0].leg, sell=QUOTE, quote=SELL))
    both = replace(order(), legs=(*legs, back))
    assert isinstance(verdict(simulated({WETH: 0, USDC: 0}), order=both), Allow)
    assert isinstance(verdict(simulated({WETH: -2, USDC: 0}), order=both), Allow), "shares"
    assert isinstance(verdict(simulated({WETH: -SELL.raw // 1_000, USDC: 0}), order=both), Deny)


def test_simulation_failed__left_to_max_deviation() -> None:
    assert verdict(simulated(failure="IIA")).measured == "does not apply: the simulation failed"


@pytest.mark.fault("K1")
def test_received__less_along_a_path__names_every_token_that_it_comes_through() -> None:
    (first,) = order().legs
    path = replace(order(), legs=(replace(first, leg=replace(first.leg, through=(DAI,))),))
    found = verdict(filled(TokenAmount(USDC, QUOTE.raw * 99 // 100)), order=path)
    assert isinstance(found, Deny)
    assert found.reason.startswith("USDC or DAI takes a fee on transfer, or its balances")
