from __future__ import annotations

import json

import pytest

from keeper.core.records import PauseState
from keeper.report.facts import VaultFacts
from keeper.report.status import render_status, state_of, status_record
from tests.unit.report import situations as given
from tests.unit.report.pages import dry, hold, no_price, refusal, sent, unreadable, waiting

PAUSE = PauseState("treasury", "audit", "ana", given.T0)


def vault(**facts: object) -> VaultFacts:
    return VaultFacts("treasury", "base", "dry", **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "not looked yet"),
        ({"cycle": hold()}, "in band"),
        ({"cycle": no_price()}, "held: no price"),
        ({"cycle": refusal()}, "denied by max_oracle_disagreement"),
        ({"cycle": waiting()}, "waiting"),
        ({"cycle": unreadable()}, "unusable"),
        ({"cycle": dry(given.trading())}, "out, would trade"),
        ({"cycle": sent(given.filled())}, "traded"),
        ({"cycle": refusal(), "paused": PAUSE}, "paused"),
        ({"cycle": hold(), "paused": PAUSE, "halted": "nonce 5"}, "halted"),
        ({"cycle": hold(), "halted": "breaker: loss: fills were worse; until cleared"}, "halted by loss"),
    ],
)
def test_state__of_a_vault__is_what_matters_most(facts: dict[str, object], state: str) -> None:
    assert state_of(vault(**facts)) == state


def test_record__for_machines__is_json_with_exact_figures() -> None:
    record = json.loads(json.dumps(status_record([vault(cycle=hold(), last_trade=given.T0)], now=given.T0)))
    (found,) = record["vaults"]
    assert (found["value"]["whole"], found["widest_drift_of"], found["trigger_bps"]) == ("1994320", "WETH", "400")
    assert (found["last_trade"], found["next_look"]) == ("2026-11-20T03:00:00Z", None)


def test_table__no_vaults__says_so() -> None:
    assert render_status([], now=given.T0).plain() == "No vaults.\n"


def test_table__many_vaults__has_a_line_each() -> None:
    text = render_status([vault(cycle=hold())] * 50, now=given.T0).plain()
    assert text.count("in band") == 50
