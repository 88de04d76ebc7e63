"""A start that waits after deaths follows what is on its way, and does nothing that needs a key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keeper.app import following as subject
from keeper.app.following import following
from keeper.config import Loaded
from keeper.core.calls import Purpose
from keeper.core.errors import Unreachable
from keeper.core.plan import Fees
from keeper.core.records import CycleRecord
from keeper.core.sending import Attempt, Intent, State
from keeper.core.units import Wei
from keeper.journal.commands import RequestBox
from keeper.journal.sql import SqlJournal
from tests.builders import NOW
from tests.unit.app.app_configs import config
from tests.unit.chain.lives import GWEI, Ears, OneNode, new_intent

HASH = "0x" + "ab" * 32


class Node(OneNode):
    """May fail, and can be closed as an Rpc can."""

    failure: Exception | None = None

    def batch(self, requests: Any, *, nullable: bool = False) -> Any:
        if self.failure is not None:
            raise self.failure
        return super().batch(requests, nullable=nullable)

    def close(self) -> None:
        self.events.append("close")


class Room:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loaded: Loaded = config(folder, ("block_time: 1s", "block_time: 10ms"))
        self.journal = SqlJournal(f"sqlite:///{folder / 'keeper.db'}")
        self.node, self.ears, self.stop = Node([]), Ears(), threading.Event()
        monkeypatch.setattr(subject, "open_rpc", lambda loaded, name: self.node)
        monkeypatch.setattr(subject, "AFTER", 0.01)
        monkeypatch.setattr(subject, "LEAST", 0.01)

    def sent(self) -> Intent:
        """Maybe sent by the keeper that died, and not mined yet."""
        self.journal.adopt(new_intent().chain_id, new_intent().sender, 7, "ana", "before this test")
        new = new_intent()
        record = CycleRecord(new.vault, new.chain_id, 100, "0x01", NOW, "intended", "swap", "drift", "c0ffee", True)
        intent = self.journal.intend(replace(new, cycle=self.journal.record_cycle(record)), 7)
        fees = Fees(Wei(3 * GWEI), Wei(GWEI))
        self.journal.attempt(intent.id, Attempt(HASH, b"\x02\x01", fees, Purpose.SWAP, NOW))
        return self.journal.advance(intent.id, State.MAYBE_SENT)

    def following(self) -> Any:
        return following(self.loaded, self.journal, self.ears, self.stop)

    def state(self) -> State:
        (intent,) = self.journal.live(new_intent().chain_id)
        return intent.state


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    made = Room(tmp_path, monkeypatch)
    with made.journal:
        yield made


def wait_for(ready: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < ends
        time.sleep(0.005)


@pytest.mark.fault("P38")
def test_following__it_is_mined_while_nobody_may_sign__journaled(room: Room) -> None:
    room.sent()
    with room.following():
        wait_for(lambda: room.node.batches > 1)
        assert room.state() is State.MAYBE_SENT
        room.node.mine(HASH)
        wait_for(lambda: room.state() in (State.MINED, State.CONFIRMED))
    assert room.node.events == ["close"], "nothing was sent"


@pytest.mark.fault("P38")
def test_following__stuck_past_its_deadline_and_a_wish_is_open__signs_and_sends_nothing(
    room: Room, tmp_path: Path
) -> None:
    room.sent()
    room.node.now = NOW + 100_000
    with RequestBox(f"sqlite:///{tmp_path / 'keeper.db'}") as box:
        wish = box.ask("cancel", "1", "", "ana")
        with room.following():
            wait_for(lambda: room.node.batches > 3)
        assert box.result(wish) is None
    assert room.state() is State.MAYBE_SENT and room.node.events == ["close"]


def test_following__nothing_is_live__asks_nobody(room: Room) -> None:
    with room.following():
        time.sleep(0.05)
    assert room.node.batches == 0


@pytest.mark.fault("P38")
@pytest.mark.parametrize(
    ("failure", "told"), [(Unreachable("local: no node answers"), False), (ZeroDivisionError("by zero"), True)]
)
def test_following__it_fails__the_wait_outlives_it(room: Room, failure: Exception, told: bool) -> None:
    room.sent()
    room.node.failure = failure
    with room.following():
        time.sleep(0.1)
    assert bool(room.ears.heard.get("unfollowed:local")) == told
    assert room.node.events == ["close"]
