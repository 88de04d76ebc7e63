"""A keeper that dies again and again, as a supervisor sees it: real processes, killed, on a real chain."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.core.runs import FIRST, FORGIVEN
from keeper.journal.reader import JournalReader
from keeper.local.anvil import run_anvil
from tests.chain.breaker_scene import Ambush, write
from tests.chain.keeper_process import KeeperProcess, keeper
from tests.chain.node import Node
from tests.chain.treasury import Treasury, build_treasury


@pytest.fixture
def treasury(tmp_path: Path) -> Iterator[Treasury]:
    with run_anvil() as running:
        yield build_treasury(Node(running.url), tmp_path)


@pytest.fixture
def processes() -> Iterator[list[KeeperProcess]]:
    started: list[KeeperProcess] = []
    yield started
    for process in started:
        process.end()


@pytest.mark.fault("P38")
def test_run__killed_three_times_soon_after_its_start__waits_before_the_next_and_signs_nothing_meanwhile(
    treasury: Treasury, processes: list[KeeperProcess]
) -> None:
    config = write(treasury, "{}")
    ambush = Ambush(treasury, steps=False)

    def start() -> KeeperProcess:
        processes.append(KeeperProcess(config, {}))
        return processes[-1]

    for _ in range(FORGIVEN + 1):
        process = start()
        process.wait_for(lambda now=process: bool(now.ticks()), "a first tick")  # type: ignore[misc]
        os.kill(process.pid, signal.SIGKILL)
        process.end()
    (sent,) = ambush.pending()
    # The first transaction is on its way: a keeper that acts would follow it, and replace it in time.
    waits = start()
    waits.wait_for(lambda: bool(_told(waits)), "an alert")
    assert _told(waits) == [
        f"the keeper died 3 times in a row soon after its start: it waits {FIRST}s before it decides again, "
        "and signs nothing meanwhile"
    ]
    paused = keeper("pause", "treasury", "--reason", "it keeps dying", "--config", config, env={})
    assert paused.out == "paused treasury\n"
    assert waits.ticks() == []
    code, seconds = waits.stop()
    assert (code, waits.ticks()) == (0, [])
    assert seconds < 5
    # Stopping it while it waits proves nothing: the next one waits as long, and then goes on where the first one was.
    again = start()
    again.wait_for(lambda: bool(_told(again)), "the alert again")
    assert [each["hash"] for each in ambush.pending()] == [sent["hash"]]
    again.wait_for(lambda: bool(again.ticks()), "a tick once it has waited", FIRST + 20)
    ambush.block()
    again.wait_for(lambda: bool(again.events("denied")), "what the pause refuses")
    assert ambush.pending() == []
    assert again.stop()[0] == 0
    healthy = start()
    healthy.wait_for(lambda: bool(healthy.ticks()), "a tick at once", FIRST - 2)
    assert _told(healthy) == []
    assert healthy.stop()[0] == 0
    with JournalReader(f"sqlite:///{config.parent / 'keeper.db'}") as journal:
        assert len(journal.transactions("treasury")) == 1


def _told(process: KeeperProcess) -> list[str]:
    return [event["text"] for event in process.events("alert") if event["key"] == "crash-loop"]
