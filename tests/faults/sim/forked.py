"""A keeper in a process of its own, ended by a real SIGKILL; the chain outlives it in the process that started it.

A fork server without a server: the parent, which has everything imported already, forks each life in milliseconds,
answers its JSON-RPC over a pipe, and learns of its death by the pipe's end.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from keeper.chain.nodes.transport import TransportFault
from keeper.core.sending import FINAL
from tests.faults.sim.drill import Drill, open_journal
from tests.faults.sim.endpoint import SEND
from tests.faults.sim.keeper_in_sim import Killed, SimKeeper
from tests.faults.sim.truth import every_intent


class ForkedDrill(Drill):
    def begin(self) -> Any:
        return ForkedLife(self)


class PipedEndpoint:
    """In the child: what it asks goes through the pipe to the parent's node `at`."""

    def __init__(self, at: int, pipe: Connection, lock: threading.Lock) -> None:
        self._at, self._pipe, self._lock, self.label = at, pipe, lock, f"http://sim{at}"
        self.hit: Any = lambda moment, raw: None

    def hide(self, text: str) -> str:
        return text

    def close(self) -> None:
        pass

    def exchange(self, body: Any) -> Any:
        items = body if isinstance(body, list) else [body]
        sent = [bytes.fromhex(item["params"][0][2:]) for item in items if item["method"] == SEND]
        for raw in sent:
            self.hit("before", raw)
        with self._lock:
            self._pipe.send(("ask", self._at, body))
            kind, answer = self._pipe.recv()
        for raw in sent:
            self.hit("taken", raw)
        if kind == "fault":
            raise TransportFault(answer)
        return answer


class ForkedLife:
    """One process. `tick` raises Killed where SIGKILL struck; any other end is an AssertionError with its trace."""

    def __init__(self, drill: ForkedDrill) -> None:
        self._drill, self.trouble = drill, ""
        self._pipe, child = Pipe()
        self.pid = os.fork()
        if not self.pid:
            self._pipe.close()
            _live(drill, child)
        child.close()
        self._over, self._states = False, [""]

    def tick(self) -> None:
        try:
            self._pipe.send((self._drill.world.clock, self._drill.world.elapsed))
            while True:
                kind, *rest = self._pipe.recv()
                if kind == "done":
                    self.trouble, self._states, self._over, self._drill.plan = rest
                    return
                if kind == "plan":
                    self._drill.plan = rest[0]
                    continue
                if kind == "broken":
                    raise AssertionError(rest[0])
                self._answer(*rest)
        except (EOFError, ConnectionError, BrokenPipeError):
            _, status = os.waitpid(self.pid, 0)
            self.pid = 0
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"ended by itself: {status}"
            raise Killed from None

    def _answer(self, at: int, body: Any) -> None:
        try:
            answer = self._drill.world.endpoints[at].exchange(body)
        except TransportFault as fault:
            self._pipe.send(("fault", fault.text))
        else:
            self._pipe.send(("answer", answer))

    def states(self) -> list[str]:
        return self._states

    def is_over(self) -> bool:
        return self._over

    def bury(self) -> None:
        self._pipe.close()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _live(drill: ForkedDrill, pipe: Connection) -> NoReturn:
    """The child: never returns into the test that was forked with it."""
    try:
        plan = drill.plan

        def kill() -> None:
            pipe.send(("plan", plan.without_kill()))
            os.kill(os.getpid(), signal.SIGKILL)

        plan.kill = kill
        journal = open_journal(drill.path, drill.world.now)
        lock = threading.Lock()
        piped = [PipedEndpoint(at, pipe, lock) for at in range(len(drill.world.endpoints))]
        keeper = SimKeeper(drill.world, journal, endpoints=piped, hit=plan.hit, **drill.settings)
        while True:
            drill.world.clock, drill.world.elapsed = pipe.recv()
            keeper.tick()
            found = every_intent(journal)
            over = len({i.vault for i in found}) == len(drill.vaults) and all(i.state in FINAL for i in found)
            pipe.send(("done", keeper.trouble, [str(i.state) for i in found], over, plan.without_kill()))
    except (EOFError, ConnectionError):
        pass
    except BaseException:  # noqa: BLE001  told to the parent, which fails
        pipe.send(("broken", traceback.format_exc()))
    finally:
        os._exit(0)
