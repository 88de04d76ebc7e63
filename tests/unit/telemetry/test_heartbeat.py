"""When a beat is due, and what becomes of a failing one. Asking itself is tested on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from keeper.core.errors import ConfigError
from keeper.telemetry import heartbeat
from keeper.telemetry.heartbeat import GAP, Heartbeat
from keeper.telemetry.logs import configure
from tests.unit.telemetry.streams import Stream

URL = "https://hc.example/ping/SECRETSECRET"


class Beats:
    """Counts what would be asked; `wrong` is what comes of it."""

    def __init__(self) -> None:
        self.at, self.count, self.wrong = 1_000.0, 0, ""
        self.changed = threading.Condition()

    def ask(self, *_: object) -> str:
        with self.changed:
            self.count += 1
            self.changed.notify_all()
        return self.wrong

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, 5)


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> Beats:
    found = Beats()
    monkeypatch.setattr(Heartbeat, "_ask", lambda self, pool: found.ask())
    return found


@pytest.fixture
def stream() -> Iterator[Stream]:
    out = Stream()
    undo = configure(stream=out)
    yield out
    undo()


@pytest.mark.fault("R33")
@pytest.mark.parametrize("url", ["http://hc.example/x", "ftp://hc.example/x", "https:///x", "http://127.0.0.1.evil/x"])
def test_url__neither_https_nor_of_this_machine__is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected an https URL"):
        Heartbeat(url)


def test_good__beats_at_most_once_in_a_gap(beats: Beats, stream: Stream) -> None:
    heart = Heartbeat(URL, clock=lambda: beats.at)
    for _ in range(10):
        heart.good("base")
    beats.wait_for(1)
    beats.at += GAP - 1
    heart.good("base")
    beats.at += 1
    heart.good("base")
    beats.wait_for(2)
    assert beats.count == 2


@pytest.mark.fault("P28")
def test_bad__one_chain_in_trouble__silence_until_it_ticks_again(beats: Beats, stream: Stream) -> None:
    heart = Heartbeat(URL, gap=0, clock=lambda: beats.at)
    heart.bad("base")
    heart.good("mainnet")
    assert beats.count == 0
    heart.good("base")
    beats.wait_for(1)


@pytest.mark.fault("P31")
def test_good__nobody_answers__says_so_once_and_never_the_url(beats: Beats, stream: Stream) -> None:
    heart = Heartbeat(URL, gap=0, clock=lambda: beats.at)
    beats.wrong = "MaxRetryError"
    for count in (1, 2, 3):
        heart.good("base")
        beats.wait_for(count)
    beats.wrong = ""
    heart.good("base")
    beats.wait_for(4)
    heart.good("base")  # the fourth has been told of when the fifth is asked
    beats.wait_for(5)
    assert [record["event"] for record in stream.records] == ["heartbeat failed", "heartbeat answers again"]
    assert "SECRET" not in stream.getvalue()
    assert heartbeat.TIMEOUT <= GAP


def test_close__beat_that_is_due__is_asked_first(beats: Beats, stream: Stream) -> None:
    heart = Heartbeat(URL, clock=lambda: beats.at)
    heart.close()
    heart.good("base")
    heart.close()
    assert beats.count == 1
