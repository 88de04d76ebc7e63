from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from keeper.core.records import CycleRecord
from keeper.core.sending import State
from keeper.telemetry.lines import CycleLog
from keeper.telemetry.logs import configure, logger
from tests.unit.report import situations as given
from tests.unit.telemetry.streams import Stream

HOLD = CycleRecord(
    vault="treasury",
    chain_id=8453,
    block_number=40_211_907,
    block_hash="0x" + "ab" * 32,
    at=given.T0,
    kind="hold",
    code="in_band",
    reason="widest drift WETH +0.39pp of ±4pp",
    config_hash="c0ffee",
    armed=True,
    max_drift_bps=39,
)
DENIED = replace(HOLD, kind="denied", code="max_trade", reason="too large", guards=("max_trade",))


@pytest.fixture
def stream() -> Iterator[Stream]:
    out = Stream()
    undo = configure(stream=out)
    yield out
    undo()


@pytest.fixture
def cycles(stream: Stream) -> CycleLog:
    return CycleLog(logger("cycle"), "base")


def test_cycle__hold_that_goes_on__is_only_counted(stream: Stream, cycles: CycleLog) -> None:
    said = [cycles.cycle(number, HOLD) for number in (1, 2, 3)]
    cycles.tick(40_211_907, 12)
    assert said == [True, False, False]
    assert [record["event"] for record in stream.records] == ["hold", "tick"]
    assert (stream.records[1]["looked"], stream.records[1]["unchanged"]) == (3, 2)


def test_tick__after_a_tick__counts_anew(stream: Stream, cycles: CycleLog) -> None:
    cycles.cycle(1, HOLD)
    cycles.tick(1, 1)
    cycles.tick(2, 1)
    assert (stream.records[-1]["looked"], stream.records[-1]["unchanged"]) == (0, 0)


def test_cycle__that_changed__has_a_line_again(stream: Stream, cycles: CycleLog) -> None:
    said = [cycles.cycle(n, record) for n, record in enumerate((HOLD, DENIED, DENIED, HOLD))]
    assert said == [True, True, False, True]
    denied = stream.records[1]
    assert (denied["level"], denied["guards"], denied["drift_bps"]) == ("warning", ["max_trade"], 39)


def test_cycle__other_vault__does_not_hide_the_first(cycles: CycleLog) -> None:
    assert [cycles.cycle(1, HOLD), cycles.cycle(2, replace(HOLD, vault="reserve"))] == [True, True]


def test_cycle__sent__names_trade_and_transaction(stream: Stream, cycles: CycleLog) -> None:
    record = replace(HOLD, kind="intended", code="swap", decision=given.trading().decision)
    intent = given.transaction(State.SENT).intent
    said = [cycles.cycle(n, record, intent) for n in (7, 8)]
    found = stream.records[0]
    assert said == [True, True], "each transaction has its line"
    assert (found["sells"], found["nonce"], found["tx"]) == (["15.0696 WETH for USDC"], 12, given.HASH)
    assert (found["cycle"], found["block"], found["state"]) == (7, 40_211_907, "SENT")
