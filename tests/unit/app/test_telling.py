"""When one chain's voice speaks: patience with troubles, beats after good ticks, and what stands in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from keeper.app.telling import LOOK, PATIENCE, SLOW_TICKS, Telling
from keeper.app.watching import Scene
from keeper.core.chain import Unusable
from keeper.core.decision import Decision
from keeper.core.errors import JournalError, KeeperError, TransientError, Unreachable
from keeper.core.plan import Hold
from keeper.cycle import Turn
from keeper.journal.sql import SqlJournal
from keeper.telemetry.alerts import Alerts, Notice
from keeper.telemetry.logs import configure, logger
from tests.builders import NOW
from tests.unit.config.deployments import GOOD, loaded
from tests.unit.journal.situations_journal import cycle
from tests.unit.telemetry.streams import Stream

CONFIG = GOOD + "alerts: {refused_after: 10m, stuck_after: 5m}\n"


@dataclass
class Time:
    """Both clocks, which run together."""

    at: int = NOW

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return float(self.at)


@dataclass
class Heart:
    said: list[str] = field(default_factory=list)

    def good(self, chain: str) -> None:
        self.said.append("good")

    def bad(self, chain: str) -> None:
        self.said.append("bad")


@dataclass
class Outlet:
    notices: list[Notice] = field(default_factory=list)

    def put(self, notice: Notice) -> None:
        self.notices.append(notice)

    @property
    def said(self) -> list[str]:
        return [f"{notice.kind} {notice.key}" for notice in self.notices]


@dataclass
class Rig:
    time: Time
    outlet: Outlet
    heart: Heart
    journal: SqlJournal
    scene: Scene
    telling: Telling

    def turn(self, kind: str, code: str = "max_impact") -> None:
        record = replace(cycle(kind=kind, code=code, at=self.time.at), reason="impact 80 bps, at most 50 bps")
        self.telling.began()
        number = self.journal.record_cycle(record)
        decision = Decision("treasury", Unusable("not looked at"), Hold(code, "as it is"))
        self.telling.ticked("base", [Turn(number, record, decision)])

    def wait(self, seconds: int) -> None:
        """A tick without anything due, after that long."""
        self.time.at += seconds
        self.telling.began()

    def fail(self, error: KeeperError) -> None:
        self.telling.began()
        self.telling.trouble("base", error)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    undo = configure(stream=Stream())
    time, outlet, heart = Time(), Outlet(), Heart()
    with SqlJournal(f"sqlite:///{tmp_path / 'keeper.db'}", now=time.now) as journal:
        scene = Scene(loaded(tmp_path, CONFIG), "base", ("treasury",), journal)
        alerts = Alerts(logger("alert"), time, 3_600, [outlet])
        telling = Telling("base", alerts, scene, clock=time, heartbeat=heart, timer=time.monotonic)  # type: ignore[arg-type]
        yield Rig(time, outlet, heart, journal, scene, telling)
    undo()


@pytest.mark.fault("R31")
def test_trouble__no_rpc_answers__told_once_after_patience_then_all_clear(rig: Rig) -> None:
    for _ in range(int(PATIENCE) * 2):
        rig.fail(Unreachable("base: no answer"))
        rig.time.at += 1
    assert rig.outlet.said == ["alert rpc:base"]
    rig.turn("hold", "in_band")
    assert rig.outlet.said == ["alert rpc:base", "all-clear rpc:base"]


@pytest.mark.fault("M10")
def test_wall__coin_beyond_it__told_at_once_and_when_it_is_back(rig: Rig) -> None:
    for _ in range(3):
        rig.turn("hold", "beyond_wall")
    assert rig.outlet.said == ["alert wall:treasury"]
    rig.turn("hold", "warming_up")
    assert rig.outlet.said == ["alert wall:treasury", "all-clear wall:treasury"]


def test_trouble__shorter_than_patience__wakes_nobody(rig: Rig) -> None:
    rig.fail(TransientError("blocks do not agree"))
    rig.time.at += int(PATIENCE) - 1
    rig.fail(TransientError("blocks do not agree"))
    rig.wait(1)
    rig.wait(1)
    rig.time.at += int(PATIENCE)
    rig.fail(TransientError("blocks do not agree"))
    assert rig.outlet.said == []


def test_trouble__journal__told_at_once(rig: Rig) -> None:
    rig.fail(JournalError("journal: cannot be written"))
    assert rig.outlet.said == ["alert chain:base"]
    rig.wait(1)
    rig.wait(1)
    assert rig.outlet.said == ["alert chain:base", "all-clear chain:base"]


def test_heartbeat__after_good_ticks_only(rig: Rig) -> None:
    rig.wait(1)
    assert rig.heart.said == [], "nothing is known of the first tick while it lasts"
    rig.wait(1)
    rig.fail(Unreachable("base: no answer"))
    rig.fail(Unreachable("base: no answer"))
    assert rig.heart.said == ["good", "good", "bad", "bad"]
    rig.wait(1)
    rig.wait(1)
    assert rig.heart.said[4:] == ["good"]


def test_refused__longer_than_allowed__told_reminded_cleared(rig: Rig) -> None:
    rig.turn("denied")
    rig.time.at += 300
    rig.turn("unusable", "no_price")
    rig.turn("wait", "live")
    assert rig.outlet.said == []
    rig.time.at += 300
    rig.turn("denied")
    assert rig.outlet.notices[0].text == "treasury has been refused for 10m: impact 80 bps, at most 50 bps"
    rig.wait(3_600)
    rig.turn("hold", "in_band")
    assert rig.outlet.said == ["alert refused:treasury", "reminder refused:treasury", "all-clear refused:treasury"]


def test_refused__since_an_earlier_run__is_remembered(rig: Rig) -> None:
    rig.turn("hold", "in_band")
    rig.time.at += 60
    rig.turn("denied")
    rig.time.at += 300
    rig.turn("denied", "max_trade")
    rig.scene._refused.clear()
    rig.scene.remember()
    assert rig.scene._refused["treasury"].since == NOW + 60
    assert rig.scene._refused["treasury"].code == "max_trade"


@pytest.mark.parametrize(("reason", "key"), [("pool changed", "halt"), ("breaker: 3 reverts in a row", "breaker")])
def test_halt__told_and_cleared_at_the_next_look(rig: Rig, reason: str, key: str) -> None:
    rig.journal.halt("treasury", reason, NOW)
    rig.wait(1)
    rig.wait(int(LOOK))
    assert rig.outlet.said == [f"alert {key}:treasury"]


@pytest.mark.fault("P27")
def test_kept_pace__slow_ticks_in_a_row__logged_each_time_and_told_once_until_they_end_in_time(rig: Rig) -> None:
    for _ in range(SLOW_TICKS - 1):
        rig.telling.kept_pace("base", 14.0, 1)
    rig.telling.kept_pace("base", 2.0, 0)
    assert rig.outlet.said == [], "a hiccup wakes nobody"
    for _ in range(SLOW_TICKS + 2):
        rig.telling.kept_pace("base", 14.0, 1)
    assert rig.outlet.said == ["alert slow:base"]
    rig.telling.kept_pace("base", 2.0, 0)
    rig.telling.kept_pace("base", 2.0, 0)
    assert rig.outlet.said == ["alert slow:base", "all-clear slow:base"]
