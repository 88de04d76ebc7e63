"""A target's queue and thread, with a target that takes its time, or takes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

import pytest

from keeper.telemetry.alerts import Notice
from keeper.telemetry.apprise_alerts import AppriseOutlet, Send, Target, apprise_send, target_name
from keeper.telemetry.logs import configure
from keeper.telemetry.mask import MASK, register_secret
from tests.unit.telemetry.streams import Stream

SOON = 5.0
"""{s} Within which everything here happens, unless it never does."""


@dataclass
class Service:
    """What stands at the other end. While `holds` it does not answer; while `down` it takes nothing."""

    down: bool = False
    took: list[tuple[str, str, str]] = field(default_factory=list)
    asked: int = 0
    _free: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._free.set()

    def hold(self) -> None:
        self._free.clear()

    def let_go(self) -> None:
        self._free.set()

    def open(self) -> Send:
        return self.send

    def send(self, title: str, text: str, kind: str) -> bool:
        with self._changed:
            self.asked += 1
            self._changed.notify_all()
        assert self._free.wait(SOON)
        with self._changed:
            if not self.down:
                self.took.append((title, text, kind))
            self._changed.notify_all()
        return not self.down

    def wait_for(self, *, took: int = 0, asked: int = 0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.took) >= took and self.asked >= asked, SOON)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def stream() -> Iterator[Stream]:
    out = Stream()
    undo = configure(stream=out)
    yield out
    undo()


def notice(number: int = 0, kind: str = "alert") -> Notice:
    return Notice(kind, f"key{number}", f"text {number}")  # type: ignore[arg-type]


def test_put__takes_all_in_order_with_their_kinds(service: Service, stream: Stream) -> None:
    target = Target("alerts.to[0] (json)", service.open)
    for number, kind in enumerate(("alert", "reminder", "all-clear")):
        target.put(notice(number, kind))
    service.wait_for(took=3)
    assert service.took == [
        ("keeper: alert", "text 0", "failure"),
        ("keeper: reminder", "text 1", "warning"),
        ("keeper: all-clear", "text 2", "success"),
    ]
    target.close(monotonic() + SOON)
    assert target.waiting == 0


@pytest.mark.fault("P31")
def test_put__while_the_target_hangs__does_not_wait(service: Service, stream: Stream) -> None:
    service.hold()
    target = Target("slow", service.open)
    target.put(notice())
    service.wait_for(asked=1)
    began = monotonic()
    for number in range(1, 50):
        target.put(notice(number))
    assert monotonic() - began < 0.5
    service.let_go()
    service.wait_for(took=50)
    assert [text for _, text, _ in service.took] == [f"text {number}" for number in range(50)]


@pytest.mark.fault("P31")
def test_put__into_a_full_queue__loses_the_oldest_and_says_how_many(service: Service, stream: Stream) -> None:
    service.hold()
    target = Target("slow", service.open, most=3)
    target.put(notice(0))
    service.wait_for(asked=1)
    for number in range(1, 8):
        target.put(notice(number))
    assert target.waiting == 3
    service.let_go()
    service.wait_for(took=4)
    texts = [text for _, text, _ in service.took]
    assert texts == ["text 0", "text 5 (5 older notices were lost)", "text 6", "text 7"]


@pytest.mark.fault("P31")
def test_put__target_that_is_down__is_tried_again_until_it_takes_it(service: Service, stream: Stream) -> None:
    service.down = True
    target = Target("alerts.to[0] (json)", service.open, waits=(0.01,))
    target.put(notice())
    service.wait_for(asked=3)
    service.down = False
    service.wait_for(took=1)
    target.close(monotonic() + SOON)
    assert [text for _, text, _ in service.took] == ["text 0"]
    events = [record["event"] for record in stream.records]
    assert events == ["alert not delivered, will be tried again", "alert target takes alerts again"]


def test_close__target_that_is_down__does_not_keep_us(service: Service, stream: Stream) -> None:
    service.down = True
    target = Target("dead", service.open, waits=(600.0,))
    target.put(notice())
    service.wait_for(asked=1)
    began = monotonic()
    target.close(began + SOON)
    assert monotonic() - began < SOON / 2


@pytest.mark.fault("S3")
def test_put__text_with_a_secret__is_masked(service: Service, stream: Stream) -> None:
    register_secret("hunter2-hunter2")
    target = Target("json", service.open)
    target.put(Notice("alert", "a", "no RPC answers: https://rpc.example/v3/KEYKEYKEYKEY with hunter2-hunter2"))
    service.wait_for(took=1)
    assert service.took[0][1] == f"no RPC answers: https://rpc.example/{MASK} with {MASK}"


def test_outlet__one_target_hangs__the_other_hears(service: Service, stream: Stream) -> None:
    other, outlet = Service(), AppriseOutlet([])
    outlet.targets = [Target("slow", service.open), Target("quick", other.open)]
    service.hold()
    for number in range(3):
        outlet.put(notice(number))
    other.wait_for(took=3)
    assert not service.took
    service.let_go()
    outlet.close(SOON)
    assert len(service.took) == 3


def test_url__that_apprise_does_not_know__is_said_once_and_not_shown(stream: Stream) -> None:
    outlet = AppriseOutlet(["nosuchservice://token-of-somebody/else"])
    outlet.put(notice())
    outlet.close(SOON)
    assert apprise_send("nosuchservice://token-of-somebody/else") is None
    assert [record["event"] for record in stream.records] == ["alerts have a target that Apprise does not understand"]
    assert "token-of-somebody" not in stream.getvalue()


def test_target_name__is_the_place_and_the_service_alone() -> None:
    assert target_name(1, "slack://TokenA/TokenB/TokenC") == "alerts.to[1] (slack)"
