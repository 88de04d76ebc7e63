"""The drill once more, with nothing simulated: a whole keeper in its own process, Anvil, the real Uniswap, SIGKILL.

A vault that is out of its band wants an approval and one swap. Whenever its process dies, the chain must hold exactly
that in the end, and the journal must explain every nonce.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from keeper.app.deployment import Deployment
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.reading.observer import ChainObserver
from keeper.chain.sending.signers import LocalSigner
from keeper.config import Loaded
from keeper.core.calls import Purpose
from keeper.core.errors import KeeperError
from keeper.core.sending import FINAL, State
from keeper.core.units import Address
from tests.chain.node import Node
from tests.faults.sim.drill import Plan, Run, open_journal
from tests.faults.sim.keeper_in_sim import Killed, Points, TappedJournal
from tests.faults.sim.truth import every_intent, require

VAULT = "treasury"
MAX_BLOCKS = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """What all drills have in common. `start` is a snapshot with the vault out of its band and no automatic blocks."""

    node: Node
    loaded: Loaded
    sender: Address
    start: list[str]

    def reset(self) -> None:
        assert self.node.rpc("evm_revert", self.start.pop())
        self.start.append(self.node.rpc("evm_snapshot"))


class AnvilDrill:
    """One seed of one point."""

    def __init__(self, stage: Stage, point: str, seed: int, template: Path, folder: Path) -> None:
        """`folder` is where the configuration has its journal."""
        random = Random(f"anvil {point} {seed}")
        self.path = folder / "keeper.db"
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        shutil.copy(template, self.path)
        self.stage, self.random = stage, random
        self.plan = Plan(point, later=[random.randint(1, 25) for _ in range(random.choice((0, 1, 1, 2)))])

    def run(self) -> Run:
        self.stage.reset()
        first = int(self.stage.node.rpc("eth_blockNumber"), 16)
        recoveries: list[float] = []
        life, died, blocks = _Life(self), 0.0, 0
        try:
            while not (blocks > 2 and life.is_over):
                require(blocks < MAX_BLOCKS, f"6: not over after {blocks} blocks: {life.states} {life.trouble}")
                try:
                    life.tick()
                    if died and not life.trouble:
                        recoveries.append(time.perf_counter() - died)
                        died = 0.0
                except Killed:
                    died = time.perf_counter()
                    self.plan.reborn()
                    life = _Life(self)
                    if self.random.random() < 0.5:
                        continue
                self.stage.node.rpc("evm_mine")
                blocks += 1
        finally:
            life.bury()
        self._judge(first)
        return Run(self.plan.kills, blocks, recoveries)

    def _judge(self, first: int) -> None:
        node, sender = self.stage.node, self.stage.sender
        head = int(node.rpc("eth_blockNumber"), 16)
        blocks = [node.rpc("eth_getBlockByNumber", hex(number), True) for number in range(first + 1, head + 1)]
        mined = [tx["hash"] for block in blocks for tx in block["transactions"] if tx["from"] == sender.lower()]
        journal = open_journal(self.path, lambda: 0)
        try:
            intents = every_intent(journal)
        finally:
            journal.close()
        owners = {attempt.hash: intent for intent in intents for attempt in intent.attempts}
        require(set(mined) <= owners.keys(), "2: a transaction on chain is not in the journal")
        require(len({owners[tx].id for tx in mined}) == len(mined), "3: an intent was executed twice")
        done = [intent for intent in intents if intent.state is State.FINAL_OK]
        require(len(done) == len(mined), f"8: {len(mined)} transactions on chain, the journal knows {len(done)}")
        swaps = [intent for intent in done if intent.call.purpose is Purpose.SWAP]
        require(len(swaps) == 1, f"3: traded {len(swaps)} times, expected once")


class _Life:
    """One process. `tick` raises Killed where SIGKILL struck."""

    def __init__(self, drill: AnvilDrill) -> None:
        self._drill, self.trouble, self.states, self.is_over = drill, "", [""], False
        self._pipe, child = Pipe()
        self._pid = os.fork()
        if not self._pid:
            self._pipe.close()
            _live(drill, child)
        child.close()

    def tick(self) -> None:
        try:
            self._pipe.send("tick")
            while True:
                kind, *rest = self._pipe.recv()
                if kind == "plan":
                    self._drill.plan = rest[0]
                    continue
                require(kind == "done", str(rest[0]))
                self.trouble, self.states, self.is_over, self._drill.plan = rest
                return
        except (EOFError, ConnectionError):
            _, status = os.waitpid(self._pid, 0)
            self._pid = 0
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"ended by itself: {status}"
            raise Killed from None

    def bury(self) -> None:
        self._pipe.close()
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def _live(drill: AnvilDrill, pipe: Connection) -> NoReturn:
    """The child: never returns into the test that was forked with it."""
    try:
        plan = drill.plan

        def kill() -> None:
            pipe.send(("plan", plan.without_kill()))
            os.kill(os.getpid(), signal.SIGKILL)

        plan.kill = kill
        journal: Any = TappedJournal(open_journal(drill.path, lambda: int(time.time())), plan.hit)
        _tap(plan, journal)
        deployment = Deployment.open(drill.stage.loaded, journal, live=True)
        cycle = deployment.loops[0].cycle
        while True:
            pipe.recv()
            trouble = ""
            try:
                list(cycle.turn([VAULT]))
            except KeeperError as error:
                trouble = f"{type(error).__name__}: {error}"
            found = every_intent(journal)
            states = [f"{intent.call.purpose} {intent.state}" for intent in found]
            ended = all(intent.state in FINAL for intent in found)
            traded = any(i.call.purpose is Purpose.SWAP and i.state is State.FINAL_OK for i in found)
            pipe.send(("done", trouble, states, ended and traded, plan.without_kill()))
    except (EOFError, ConnectionError):
        pass
    except BaseException:  # noqa: BLE001  told to the parent, which fails
        pipe.send(("broken", traceback.format_exc()))
    finally:
        os._exit(0)


def _tap(plan: Plan, journal: TappedJournal) -> None:
    """In the child only: names the moments that a journal does not see."""
    points, sign, send, observe = Points(journal, plan.hit), LocalSigner.sign, Rpc.send_raw, ChainObserver.observe

    def signing(self: LocalSigner, transaction: Mapping[str, object]) -> bytes:
        points.sign("before", transaction)
        raw = sign(self, transaction)
        points.sign("after", transaction)
        return raw

    def sending(self: Rpc, raw: bytes) -> Any:
        plan.hit("P6.first.send.before")
        answers = send(self, raw)
        plan.hit("P6.first.send.taken")
        return answers

    def observing(self: ChainObserver, due: Any) -> Any:
        plan.hit("P1.observe.before")
        found = observe(self, due)
        plan.hit("P1.observe.after")
        return found

    for owner, name, tapped in (
        (LocalSigner, "sign", signing),
        (Rpc, "send_raw", sending),
        (ChainObserver, "observe", observing),
    ):
        setattr(owner, name, tapped)
