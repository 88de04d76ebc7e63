"""The same pages tell of an upkeep, which has calls and neither assets nor trades."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from keeper.core.calls import Call, Calls, Purpose
from keeper.core.plan import Draft, Fees, Hold, Perform, Simulation
from keeper.core.sending import Expectation, State
from keeper.core.units import Address, TokenAmount, Wei
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.report.explain import render_explain
from keeper.report.facts import CycleFacts, VaultFacts
from keeper.report.plan import render_plan
from keeper.report.status import render_status, state_of
from tests.unit.report import situations as given

META = replace(given.META, name="counter", strategy="chainlink", mode="live", armed=True)
TARGET = Address("0x5FbDB2315678afecb367f032d93F642f64180aa3")
CALL = Call(TARGET, bytes.fromhex("4585e33b"), 0, Purpose.UPKEEP, "call performUpkeep(bytes) of 0x5FbD…0aa3")
REASON = "checkUpkeep(bytes) of 0x5FbD…0aa3 says that it is due"
FINE: tuple[Verdict, ...] = (Allow("succeeds", "simulated ok", "must succeed"), Allow("paused", "not paused", ""))
REFUSED: tuple[Verdict, ...] = (Deny("succeeds", "the simulation failed: OnlyForwarder()", "failed", "must succeed"),)


def due(verdicts: tuple[Verdict, ...] = FINE, failure: str = "") -> given.Situation:
    seen = given.view((), ())
    simulation = Simulation(given.BLOCK.number, failure, (92_878,), {}, 141_529, Fees(Wei(4 * 10**7), Wei(10**7)))
    cost = TokenAmount(given.ETH, 92_878 * 22_000_000)
    plan = Perform(REASON, (CALL,))
    draft = Draft(plan, (), None, Calls((CALL,)), simulation, cost, None, cost)
    return given.Situation(plan, seen, draft=draft, verdicts=verdicts, meta=META)


def idle() -> given.Situation:
    return given.Situation(Hold("not_due", "checkUpkeep(bytes) of 0x5FbD…0aa3: not due"), given.view((), ()), meta=META)


def cycle(situation: given.Situation, kind: str, code: str, reason: str, **more: object) -> CycleFacts:
    return replace(given.cycle(situation, kind, code, reason), vault="counter", **more)  # type: ignore[arg-type]


def test_plan__due__says_who_says_so_and_what_would_be_called() -> None:
    text = render_plan(due().decision, now=given.T0).plain()
    assert f"DUE: {REASON}" in text
    assert "call     call performUpkeep(bytes) of 0x5FbD…0aa3" in text
    assert "It would call now." in text
    assert "REBALANCE" not in text


def test_plan__refused__says_so() -> None:
    text = render_plan(due(REFUSED, "OnlyForwarder()").decision, now=given.T0).plain()
    assert "DENIED · DUE" in text
    assert "It would not call now: succeeds refuses." in text


def test_plan__not_due__holds() -> None:
    text = render_plan(idle().decision, now=given.T0).plain()
    assert "HOLD: checkUpkeep(bytes) of 0x5FbD…0aa3: not due" in text


def test_decision__of_an_upkeep__is_json() -> None:
    record = json.loads(json.dumps(due().decision))
    assert (record["plan"]["kind"], record["strategy"], record["assets"]) == ("perform", "chainlink", [])


def made(state: State = State.FINAL_OK) -> CycleFacts:
    done = given.transaction(state, mined=given.mined())
    intent = replace(done.intent, vault="counter", call=CALL)
    entry = replace(done, intent=intent, expect=Expectation())
    return cycle(due(), "intended", "upkeep", REASON, transactions=(entry,))


def test_explain__a_call_that_was_made() -> None:
    text = render_explain(made()).plain()
    assert "CALLED" in text
    assert f"{REASON}.\nThe keeper decided to call performUpkeep(bytes) of 0x5FbD…0aa3." in text
    assert "Done: call performUpkeep(bytes) of 0x5FbD…0aa3." in text


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (cycle(idle(), "hold", "not_due", "not due"), "held: not due"),
        (cycle(due(), "dry", "upkeep", REASON), "due, would call"),
        (cycle(due(), "intended", "upkeep", REASON), "calling"),
        (made(), "called"),
        (cycle(due(REFUSED), "denied", "succeeds", "no", guards=("succeeds",)), "denied by succeeds"),
    ],
)
def test_status__of_an_upkeep(facts: CycleFacts, state: str) -> None:
    found = VaultFacts("counter", "base", "live", armed=True, cycle=facts)
    assert state_of(found) == state
    assert "counter" in render_status([found], now=given.T0).plain()


def test_explain__dry__would_call() -> None:
    assert "WOULD CALL" in render_explain(cycle(due(), "dry", "upkeep", REASON)).plain()
