"""Two chains in one keeper, the node of one far too slow: the other one does not notice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest

from keeper import daemon
from keeper.chain.nodes.clock import SystemClock
from keeper.chain.nodes.rpc import Rpc
from keeper.core.chain import Unusable
from keeper.core.decision import Decision
from keeper.core.plan import Hold
from keeper.core.records import CycleRecord
from keeper.cycle import Turn
from keeper.daemon import ChainLoop
from keeper.journal.memory import MemoryJournal
from keeper.schedule import Every
from tests.chain.fault_server import FaultServer, says
from tests.unit.test_daemon import Told

DELAY = 1.6
"""{s} Of each answer; the vault is due every second."""


class Asking:
    """A cycle that asks its node for one thing."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc, self.looks = rpc, 0

    def settle(self) -> Mapping[str, str]:
        return {}

    def turn(self, due: Sequence[str]) -> Iterator[Turn]:
        number = int(self.rpc.call("eth_blockNumber", []), 16)
        self.looks += 1
        for name in due:
            record = CycleRecord(name, 1, number, "0x01", int(time.time()), "hold", "in_band", "as it is", "", False)
            yield Turn(1, record, Decision(name, Unusable("nobody looks"), Hold("in_band", "as it is")))


def answers(seconds: float) -> Any:
    answer = says(lambda body: {"jsonrpc": "2.0", "id": body["id"], "result": "0x10"})

    def reply(connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
        time.sleep(seconds)
        return answer(connection, headers, body)

    return reply


@pytest.mark.fault("P27")
def test_run__the_node_of_one_chain_is_slow__its_looks_are_skipped_and_the_other_chains_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(daemon, "POLL", 0.05)
    slow, quick = FaultServer(answers(DELAY)), FaultServer(answers(0))
    with closing(Rpc("slow", [slow.url])) as far, closing(Rpc("quick", [quick.url])) as near:
        loops = [_loop("slow", Asking(far)), _loop("quick", Asking(near))]
        stop = threading.Event()
        threading.Timer(DELAY * 1.3, stop.set).start()
        daemon.run(loops, stop, list)
    slow.stop()
    quick.stop()
    held_up, other = loops
    assert [skipped for _, skipped in held_up.teller.paces] == [1, 1], "both looks lasted beyond the next"
    assert held_up.skipped == 2 and other.skipped == 0
    assert other.cycle.looks >= 2 and held_up.cycle.looks == 2, "the second was let finish"
    assert max(took for took, _ in other.teller.paces) < 1.0


def _loop(chain: str, cycle: Any) -> Any:
    return ChainLoop(
        chain=chain,
        chain_id=1,
        cycle=cycle,
        schedules={"treasury": Every(1)},
        clock=SystemClock(),
        journal=MemoryJournal(),
        teller=Told(),
        block_time=12,
        note=lambda turn: None,
        answer=lambda request: None,
        verify=lambda now: None,
    )
