"""Which facts are a cause of an alert, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from keeper.core.calls import Call, Purpose
from keeper.core.sending import Intent, State
from keeper.core.units import Address
from keeper.telemetry.watch import DAY, Facts, GasUse, Limits, Refusal, watch
from tests.builders import ACCOUNT, CHAIN, ETH, NOW, units, usd

LIMITS = Limits(refused_after=3_600, stuck_after=600, gas_days=7)


def intent(state: State, age: int) -> Intent:
    call = Call(ACCOUNT, b"", 0, Purpose.SWAP, "swap")
    return Intent(5, "treasury", 1, CHAIN, ACCOUNT, 12, call, 21_000, NOW, (), state, NOW - age)


def gas(balance: str, spent: str, days: int = 7) -> Mapping[Address, GasUse]:
    return {ACCOUNT: GasUse(units(ETH, balance), units(ETH, spent).raw, days * DAY)}


def facts(**more: object) -> Facts:
    return Facts("base", NOW, **more)  # type: ignore[arg-type]


def refused(age: int) -> Mapping[str, Refusal]:
    return {"treasury": Refusal(NOW - age, "max_impact", "impact 80 bps, at most 50 bps")}


@pytest.mark.parametrize(
    ("said", "key", "text"),
    [
        (facts(halts={"treasury": "gone"}), "halt:treasury", "treasury is halted: gone"),
        (
            facts(halts={"treasury": "breaker: 3 reverts in a row"}),
            "breaker:treasury",
            "treasury is stopped by its breaker: 3 reverts in a row",
        ),
        (
            facts(walls={"peg": "DUSD is at 0.9800 USD"}),
            "wall:peg",
            "peg has stopped: DUSD is at 0.9800 USD",
        ),
        (
            facts(refused=refused(3_600)),
            "refused:treasury",
            "treasury has been refused for 1h: impact 80 bps, at most 50 bps",
        ),
        (
            facts(live=[intent(State.SENT, 840)]),
            "stuck:5",
            "swap of treasury, nonce 12, is SENT for 14m and not mined",
        ),
        (facts(live=[intent(State.RESERVED, 600)]), "stuck:5", "swap of treasury, nonce 12, is RESERVED for 10m"),
        (
            facts(gas=gas("0.69", "0.7")),
            f"gas:base:{ACCOUNT}",
            f"{ACCOUNT} on base has gas for 6 days, expected 7: 0.690000 ETH left",
        ),
    ],
)
def test_watch__cause__raised_then_over(said: Facts, key: str, text: str) -> None:
    found = watch(said, LIMITS, ())
    assert [raised for raised, _ in found.raised] == [key]
    assert found.raised[0][1].startswith(text)
    assert not found.cleared
    again = watch(said, LIMITS, {key})
    assert (again.raised, again.cleared) == (found.raised, ())
    over = watch(facts(), LIMITS, {key})
    assert not over.raised
    assert [cleared for cleared, _ in over.cleared] == [key]
    assert over.cleared[0][1]


def test_watch__a_breaker_has_rested__says_what_decides_and_then_nothing_more() -> None:
    trial = facts(trials={"treasury": usd(500)})
    (over,) = watch(trial, LIMITS, {"breaker:treasury"}).cleared
    assert over == ("breaker:treasury", "the breaker of treasury has rested: one trade of at most $500.00 decides")
    assert watch(trial, LIMITS, ()) == watch(facts(), LIMITS, ())
    (again,) = watch(facts(), LIMITS, {"breaker:treasury"}).cleared
    assert again[1] == "the breaker of treasury is armed again"


@pytest.mark.parametrize(
    "said",
    [
        facts(),
        facts(refused=refused(3_599)),
        facts(live=[intent(State.SENT, 599)]),
        facts(live=[intent(State.MINED, 6_000)]),
        facts(live=[intent(State.CONFIRMED, 6_000)]),
        facts(gas=gas("0.7", "0.7")),
        facts(gas=gas("0", "0")),
    ],
)
def test_watch__not_yet_or_never__says_nothing(said: Facts) -> None:
    found = watch(said, LIMITS, ())
    assert (found.raised, found.cleared) == ((), ())


@pytest.mark.parametrize(
    ("balance", "spent", "days", "lasts"), [("1", "1", 1, 1), ("0.5", "1", 7, 3), ("2", "0", 7, None)]
)
def test_gas_use__days__rounded_down(balance: str, spent: str, days: int, lasts: int | None) -> None:
    assert gas(balance, spent, days)[ACCOUNT].days == lasts


def test_watch__halt_becomes_breaker__one_is_over_and_the_other_raised() -> None:
    found = watch(facts(halts={"peg": "breaker: strikes"}), LIMITS, {"halt:peg"})
    assert [key for key, _ in found.raised] == ["breaker:peg"]
    assert [key for key, _ in found.cleared] == ["halt:peg"]
