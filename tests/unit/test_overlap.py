"""A tick that takes longer than the time between two."""

from __future__ import annotations

import threading
import time

import pytest

from keeper import daemon
from keeper.daemon import ChainLoop


class Slow:
    """A chain's loop that keeps no vaults: counts how many of its ticks run at once."""

    turn_until, wake = ChainLoop.turn_until, ChainLoop.wake

    def __init__(self, chain: str, takes: float) -> None:
        self.chain, self._takes = chain, takes
        self.heads, self.timer, self._wake = None, time.monotonic, threading.Event()
        self.ticks = self.running = self.most = 0
        self._lock = threading.Lock()

    def tick(self) -> None:
        with self._lock:
            self.running += 1
            self.ticks += 1
            self.most = max(self.most, self.running)
        time.sleep(self._takes)
        with self._lock:
            self.running -= 1


@pytest.mark.fault("P26")
@pytest.mark.fault("P27")
def test_run__tick_slower_than_its_interval__never_twice_at_once_nor_in_a_burst(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(daemon, "POLL", 0.01)
    slow, quick = Slow("mainnet", 0.2), Slow("base", 0.0)
    loops: list[ChainLoop] = [slow, quick]  # type: ignore[list-item]
    stop = threading.Event()
    ended = threading.Timer(1.0, stop.set)
    ended.start()
    daemon.run(loops, stop, list)
    ended.join()
    assert (slow.most, quick.most) == (1, 1)
    assert 2 <= slow.ticks <= 7
    assert quick.ticks > slow.ticks, "a slow chain must not delay another"
