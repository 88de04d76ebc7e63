"""Every cause of an alert through a daemon's loop, Apprise and HTTP, to a target that is quick, slow, or down."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

import pytest

from keeper.app.telling import LOOK, PATIENCE, Telling
from keeper.app.watching import Scene
from keeper.core.decision import Decision
from keeper.core.errors import KeeperError, Unreachable
from keeper.core.plan import Hold
from keeper.core.records import Request
from keeper.core.sending import State
from keeper.core.units import Address
from keeper.cycle import Turn
from keeper.daemon import ChainLoop
from keeper.journal.sql import SqlJournal
from keeper.schedule import Every
from keeper.telemetry.alerts import Alerts
from keeper.telemetry.apprise_alerts import AppriseOutlet
from keeper.telemetry.heartbeat import Heartbeat
from keeper.telemetry.logs import configure, logger
from tests.builders import ETH, NOW, make_view, units
from tests.chain.alert_target import AlertTarget, alert_target
from tests.forks import ROOT, commands
from tests.unit.config.deployments import GOOD, loaded, written
from tests.unit.journal.situations_journal import attempt, cycle, receipt, wish
from tests.unit.telemetry.streams import Stream

BASE = 8453
OPS = Address("0x1111111111111111111111111111111111111111")
REMIND = 4 * 3_600
LONGEST_TICK = 1.0
"""{s} Of a tick that has a few rows to write; a target's slowness is a multiple of it."""


@dataclass
class Time:
    at: int = NOW

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return float(self.at)


@dataclass
class Wheel:
    """A cycle that comes to what it is told, and journals it."""

    time: Time
    journal: SqlJournal
    kind: str = "hold"
    failure: KeeperError | None = None
    gas: str = "100"

    def settle(self) -> Mapping[str, str]:
        return {}

    def turn(self, due: Sequence[str]) -> Iterator[Turn]:
        if self.failure is not None:
            raise self.failure
        code = "in_band" if self.kind == "hold" else "max_impact"
        record = replace(cycle(kind=self.kind, code=code, at=self.time.at, armed=True), reason="impact 80 bps")
        view = replace(make_view(sender=OPS), gas_balance=units(ETH, self.gas))
        number = self.journal.record_cycle(record)
        yield Turn(number, record, Decision("treasury", view, Hold(code, "as it is")))


@dataclass
class Rig:
    target: AlertTarget
    time: Time
    journal: SqlJournal
    wheel: Wheel
    loop: ChainLoop
    outlet: AppriseOutlet
    longest: float = 0.0
    heard: list[str] = field(default_factory=list)

    def ticks(self, seconds: int, every: int = 15) -> None:
        """The loop, for that long on the clock of the chain."""
        for _ in range(0, seconds, every):
            self.time.at += every
            began = monotonic()
            self.loop.tick()
            self.longest = max(self.longest, monotonic() - began)

    def hear(self, count: int) -> list[str]:
        """What the target was told since it was asked last: `count` notices, and no more."""
        self.target.wait_for(took=len(self.heard) + count)
        new = [f"{title.removeprefix('keeper: ')}: {text}" for title, text in self.target.said[len(self.heard) :]]
        self.heard += new
        assert len(new) == count, new
        return new


@pytest.fixture
def target() -> Iterator[AlertTarget]:
    with alert_target() as found:
        yield found


@pytest.fixture
def rig(tmp_path: Path, target: AlertTarget) -> Iterator[Rig]:
    undo = configure(stream=Stream())
    time = Time()
    with SqlJournal(f"sqlite:///{tmp_path / 'keeper.db'}", now=time.now) as journal:
        outlet = AppriseOutlet([target.url])
        alerts = Alerts(logger("alert"), time, REMIND, [outlet])
        scene = Scene(loaded(tmp_path), "base", ("treasury",), journal)
        heart = Heartbeat(f"http://127.0.0.1:{target.port}/heart", clock=time.monotonic)
        telling = Telling("base", alerts, scene, clock=time, heartbeat=heart, timer=time.monotonic)
        wheel = Wheel(time, journal)
        loop = ChainLoop(
            chain="base",
            chain_id=BASE,
            cycle=wheel,  # type: ignore[arg-type]
            schedules={"treasury": Every(60)},
            clock=time,
            journal=journal,
            teller=telling,
            block_time=2.0,
            note=lambda turn: None,
            answer=_unasked,
            verify=lambda now: None,
        )
        yield Rig(target, time, journal, wheel, loop, outlet)
        outlet.close()
    undo()


def _unasked(request: Request) -> str:
    raise AssertionError(request)


def begin_halt(rig: Rig) -> None:
    rig.journal.halt("treasury", "the pool's code is another one", rig.time.at)


def begin_breaker(rig: Rig) -> None:
    rig.journal.halt("treasury", "breaker: 3 reverts in a row", rig.time.at)


def end_halt(rig: Rig) -> None:
    rig.journal.clear("treasury", "ana", "looked at it")


def begin_refused(rig: Rig) -> None:
    rig.wheel.kind = "denied"
    rig.ticks(3_600)


def end_refused(rig: Rig) -> None:
    rig.wheel.kind = "hold"


def begin_stuck(rig: Rig) -> None:
    intent = rig.journal.intend(replace(wish(at=rig.time.at, sender=OPS), chain_id=BASE), 7)
    rig.journal.attempt(intent.id, attempt(1))
    rig.journal.advance(intent.id, State.MAYBE_SENT)
    rig.ticks(600)


def end_stuck(rig: Rig) -> None:
    intent = rig.journal.live(BASE)[-1]
    rig.journal.advance(intent.id, State.EXTERNAL, note="found elsewhere")


def begin_gas(rig: Rig) -> None:
    """0.001 ETH a day, so seven days want 0.007."""
    intent = rig.journal.intend(replace(wish(at=rig.time.at, sender=OPS), chain_id=BASE), 7)
    rig.journal.attempt(intent.id, attempt(1))
    for step in (State.MAYBE_SENT, State.SENT):
        rig.journal.advance(intent.id, step)
    rig.journal.advance(intent.id, State.MINED, receipt(1, rig.time.at + 1))
    rig.wheel.gas = "0.0065"
    rig.ticks(3_600)  # the week's gas is read once an hour


def end_gas(rig: Rig) -> None:
    rig.wheel.gas = "1"


def begin_rpc(rig: Rig) -> None:
    rig.wheel.failure = Unreachable("base: https://a.example/v3/SECRETTOKENSECRET: no answer in time")
    rig.ticks(int(PATIENCE) + 60)


def end_rpc(rig: Rig) -> None:
    rig.wheel.failure = None


CAUSES = {
    "halt": (begin_halt, end_halt, "treasury is halted: the pool's code is another one", "is not halted any more"),
    "breaker": (begin_breaker, end_halt, "treasury is stopped by its breaker: 3 reverts", "is armed again"),
    "refused": (begin_refused, end_refused, "treasury has been refused for 1h", "is not refused any more"),
    "stuck": (begin_stuck, end_stuck, "swap of treasury, nonce 7, is MAYBE_SENT for 10m", "is stuck no more"),
    "gas": (begin_gas, end_gas, f"{OPS} on base has gas for 6 days, expected 7", "has enough gas again"),
    "rpc": (begin_rpc, end_rpc, "base: no RPC answers: base: https://a.example/•••", "RPCs answer again"),
}


@pytest.mark.fault("R31")
@pytest.mark.fault("T11")
@pytest.mark.fault("T26")
@pytest.mark.parametrize("cause", CAUSES)
def test_cause__raised_once_reminded_and_cleared(rig: Rig, cause: str) -> None:
    begin, end, said, over = CAUSES[cause]
    begin(rig)
    rig.ticks(120)
    (alert,) = rig.hear(1)
    assert alert.startswith(f"alert: {said}"), alert
    rig.ticks(REMIND, every=60)
    (reminder,) = rig.hear(1)
    assert reminder.startswith("reminder: ")
    end(rig)
    rig.ticks(300)
    (clear,) = rig.hear(1)
    assert clear.startswith("all-clear: ")
    assert over in clear
    assert "SECRETTOKEN" not in str(rig.target.took)
    assert rig.longest < LONGEST_TICK


@pytest.mark.fault("P31")
def test_target__slow__no_tick_waits_and_every_notice_arrives(rig: Rig) -> None:
    rig.target.slow = 3 * LONGEST_TICK
    begin_halt(rig)
    rig.ticks(60)
    end_halt(rig)
    rig.ticks(60)
    begin_rpc(rig)
    assert rig.longest < LONGEST_TICK
    assert [text.split(":")[0] for text in rig.hear(3)] == ["alert", "all-clear", "alert"]


@pytest.mark.fault("P31")
def test_target__down_then_up__no_tick_waits_and_what_waited_arrives(rig: Rig) -> None:
    for waiting in rig.outlet.targets:
        waiting._waits = (0.05,)
    rig.target.down = True
    begin_halt(rig)
    rig.ticks(60)
    rig.target.wait_for(asked=4)
    end_halt(rig)
    rig.ticks(600)
    assert rig.longest < LONGEST_TICK
    assert rig.target.took == []
    rig.target.down = False
    assert [text.split(":")[0] for text in rig.hear(2)] == ["alert", "all-clear"]


@pytest.mark.fault("P31")
def test_target__gone_altogether__ticks_go_on(rig: Rig) -> None:
    rig.target.stop()
    begin_halt(rig)
    rig.ticks(600)
    assert rig.longest < LONGEST_TICK
    assert rig.outlet.targets[0].waiting == 1


@pytest.mark.fault("P28")
def test_heartbeat__after_good_ticks__silent_while_nothing_answers(rig: Rig) -> None:
    rig.ticks(300)
    rig.target.wait_for(gets=1)
    assert set(rig.target.gets) == {"/heart"}
    rig.wheel.failure = Unreachable("base: no answer")
    rig.ticks(90)  # until the look that finds out
    before = arrived(rig)
    rig.ticks(600)
    assert arrived(rig) == before
    rig.wheel.failure = None
    rig.ticks(300)
    rig.target.wait_for(gets=before + 1)
    assert rig.longest < LONGEST_TICK
    assert LOOK < 60


def arrived(rig: Rig) -> int:
    """Signs of life so far, once none is under way any more: they are sent beside the ticks."""
    while True:
        seen = len(rig.target.gets)
        time.sleep(0.3)
        if len(rig.target.gets) == seen:
            return seen


# --- the command -----------------------------------------------------------------------------------------------------


def keeper(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    return commands().run("keeper", [*map(str, args)], {**os.environ, **env}, ROOT)


def test_alert_test__says_which_target_took_it(target: AlertTarget, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + 'alerts: {to: ["${ONE}", "${TWO}"]}\n')
    urls = {"RPC_A": "https://a.example", "RPC_B": "https://b.example"}
    done = keeper("alert", path, "--test", ONE=target.url, TWO="json://127.0.0.1:1/x", **urls)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "alerts.to[0] (json): took it\nalerts.to[1] (json): did not take it\n"
    assert target.said == [("keeper: test", "keeper: this is a test of keeper.yaml; nothing is wrong")]
    target.down = True
    failed = keeper("alert", path, "--test", ONE=target.url, TWO="nosuch://token/x", **urls)
    assert failed.returncode == 1
    assert failed.stdout.splitlines() == [
        "alerts.to[0] (json): did not take it",
        "alerts.to[1] (nosuch): is not a URL that Apprise understands",
    ]


def test_alert__without_targets__says_so(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    urls = {"RPC_A": "https://a.example", "RPC_B": "https://b.example"}
    assert keeper("alert", path, **urls).stdout == "nobody is told: alerts.to is empty\n"
    assert keeper("alert", path, "--test", **urls).returncode == 1
