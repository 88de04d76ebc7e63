from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.telemetry.alerts import MOST_KEYS, REMIND_AFTER, Alerts, Notice
from keeper.telemetry.logs import configure, logger
from tests.unit.telemetry.streams import Stream


class Clock:
    def __init__(self) -> None:
        self.at = 1_000

    def now(self) -> int:
        return self.at


@pytest.fixture
def stream() -> Iterator[Stream]:
    out = Stream()
    undo = configure(stream=out)
    yield out
    undo()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alerts(stream: Stream, clock: Clock) -> Alerts:
    return Alerts(logger("alerts"), clock)


@pytest.mark.fault("S20")
def test_alert__same_key__is_said_once(stream: Stream, alerts: Alerts) -> None:
    for number in range(1_000):
        alerts.alert("treasury.max_trade", f"refused {number}")
    alerts.alert("reserve.max_trade", "refused")
    assert [record["text"] for record in stream.records] == ["refused 0", "refused"]
    assert stream.records[0]["level"] == "error"


def test_alert__after_the_interval__reminds_and_counts(stream: Stream, alerts: Alerts, clock: Clock) -> None:
    alerts.alert("a", "x")
    clock.at += REMIND_AFTER - 1
    alerts.alert("a", "x")
    clock.at += 1
    alerts.alert("a", "x")
    assert [record.get("unsaid") for record in stream.records] == [None, 1]


def test_alert__clock_that_went_back__does_not_silence(stream: Stream, alerts: Alerts, clock: Clock) -> None:
    alerts.alert("a", "x")
    clock.at -= 500
    alerts.alert("a", "x")
    assert len(stream.lines) == 2


def test_resolve__known_key__says_so_and_forgets(stream: Stream, alerts: Alerts) -> None:
    alerts.alert("a", "x")
    alerts.resolve("a", "prices agree again")
    alerts.resolve("a")
    alerts.alert("a", "x")
    assert [record["event"] for record in stream.records] == ["alert", "resolved", "alert"]


def test_alert__many_keys__does_not_grow_for_ever(stream: Stream, alerts: Alerts) -> None:
    for number in range(MOST_KEYS + 1):
        alerts.alert(str(number), "x")
    alerts.alert("1", "still known")
    alerts.alert("0", "forgotten, so said again")
    assert stream.records[-1]["text"] == "forgotten, so said again"
    assert len(stream.lines) == MOST_KEYS + 2


def test_alert__broken_stream__does_not_raise(clock: Clock) -> None:
    class Broken(Stream):
        def write(self, text: str) -> int:
            raise OSError("disk full")

    undo = configure(stream=Broken())
    alerts = Alerts(logger("alerts"), clock)
    alerts.alert("a", "x")
    alerts.resolve("a")
    undo()
    assert clock.at == 1_000


class Outlet:
    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def put(self, notice: Notice) -> None:
        self.notices.append(notice)


def test_outlet__hears_the_alert_its_reminder_and_the_all_clear(stream: Stream, clock: Clock) -> None:
    outlet = Outlet()
    alerts = Alerts(logger("alerts"), clock, 600, [outlet])
    for _ in range(3):
        alerts.alert("a", "treasury is halted")
    clock.at += 600
    alerts.alert("a", "treasury is halted still")
    alerts.resolve("a", "treasury trades again")
    alerts.resolve("never raised")
    assert [(notice.kind, notice.text) for notice in outlet.notices] == [
        ("alert", "treasury is halted"),
        ("reminder", "treasury is halted still"),
        ("all-clear", "treasury trades again"),
    ]


@pytest.mark.fault("P33")
def test_outlet__log_that_cannot_be_written__hears_all_the_same(clock: Clock) -> None:
    class Broken(Stream):
        def write(self, text: str) -> int:
            raise OSError("disk full")

    outlet = Outlet()
    undo = configure(stream=Broken())
    Alerts(logger("alerts"), clock, outlets=[outlet]).alert("a", "x")
    undo()
    assert [notice.text for notice in outlet.notices] == ["x"]
