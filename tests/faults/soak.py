"""Hours of a live keeper on a chain with weather: a fault a minute at least, and what it cost in memory and files."""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from keeper.daemon import ChainLoop
from keeper.journal.sql import SqlJournal
from tests.faults.fault_proxy import Fault, FaultProxy
from tests.faults.soak_chain import BLOCK, SPIKE, USUAL_BASE_FEE, SoakChain

MINUTE = 60 // BLOCK
"""{blocks}"""
DEEPEST = 6
"""{blocks} Of a reorg."""
SAMPLE = 10 * MINUTE
"""{blocks} From one look at memory and files to the next."""
MOST_STEPS = 200
"""{blocks} In which the last trade must be final and every weight in its band, once faults have stopped."""


@dataclass(frozen=True)
class Sample:
    block: int
    objects: int
    """{blocks of memory} That Python has given out: counting them costs nothing, unlike tracing each."""
    resident: int
    """{bytes} Of the whole process."""
    files: int


@dataclass
class Soak:
    """Makes blocks, ticks the keeper once in each, and does something to it every minute."""

    chain: SoakChain
    loop: ChainLoop
    journal: SqlJournal
    proxies: Sequence[FaultProxy]
    seed: int
    blocks: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    minutes: set[int] = field(default_factory=set)
    """In which there was a fault."""
    samples: list[Sample] = field(default_factory=list)
    turns: Counter[str] = field(default_factory=Counter)
    _ends: int = 0
    _base_fee: int = USUAL_BASE_FEE

    def run(self, hours: int) -> None:
        rng = Random(self.seed)
        deck: list[Callable[[Random], str]] = []
        for minute in range(hours * 60):
            deck = deck or rng.sample(WEATHER, len(WEATHER))
            at = rng.randrange(MINUTE)
            for block in range(MINUTE):
                if block == at:
                    self.happened[deck.pop()(self, rng)] += 1
                    self.minutes.add(minute)
                self.step()
            # Noise, and whatever a reorg has taken from the market.
            self.chain.move(ETH=rng.randint(-8, 8), BTC=rng.randint(-8, 8))

    def step(self) -> None:
        if self.blocks >= self._ends:
            self._clear()
        for turn in self.loop.tick():
            self.turns[turn.record.kind] += 1
        self.chain.mine(base_fee=self._base_fee)
        self.blocks += 1
        if self.blocks % SAMPLE == 0:
            self._look()

    def calm_down(self) -> int:
        """Blocks without faults, until nothing is on its way or unfinal and every vault is in its band."""
        self._clear()
        self.chain.move()
        for step in range(MOST_STEPS):
            self.step()
            if step > 2 * MINUTE and not self.journal.live(self.loop.chain_id) and not self.loop.is_awaiting:
                return step
        raise AssertionError(f"not calm within {MOST_STEPS} blocks: {self.journal.live(self.loop.chain_id)}")

    def _clear(self) -> None:
        self._base_fee = USUAL_BASE_FEE
        for proxy in self.proxies:
            proxy.clear()

    def _look(self) -> None:
        for proxy in self.proxies:
            proxy.forget()
        gc.collect()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        files = len(list(Path("/proc/self/fd").iterdir()))
        self.samples.append(Sample(self.blocks, sys.getallocatedblocks(), resident, files))

    # --- weather -----------------------------------------------------------------------------------------------------

    def lasting(self, blocks: int) -> None:
        self._ends = self.blocks + blocks

    def _reorg(self, rng: Random, *, rebuilt: bool) -> str:
        self.chain.undo(rng.randint(1, DEEPEST), rebuilt=rebuilt)
        return "reorg" if rebuilt else "rollback"

    def rebuild(self, rng: Random) -> str:
        return self._reorg(rng, rebuilt=True)

    def roll_back(self, rng: Random) -> str:
        return self._reorg(rng, rebuilt=False)

    def drop_pending(self, rng: Random) -> str:
        """Of a trade that a move of the market has just caused, so that there is something to drop."""
        self.jump(rng)
        self.chain.mine()
        for _ in range(MINUTE):
            self.loop.tick()
            self.chain.forget_pending()
            self.chain.mine()
        return "dropped transactions"

    def jump(self, rng: Random) -> str:
        self.chain.move(ETH=rng.choice((-1, 1)) * rng.randint(300, 900), BTC=rng.choice((-1, 1)) * rng.randint(0, 600))
        return "price move"

    def spike(self, rng: Random) -> str:
        self._base_fee = SPIKE
        self.lasting(rng.randint(1, 4))
        return "base-fee spike"

    def outage(self, rng: Random) -> str:
        for proxy in self.proxies:
            proxy.add(Fault("drop_request"))
        self.lasting(rng.randint(1, 4))
        return "all nodes down"

    def spoil(self, rng: Random, fault: Callable[[], Fault], name: str) -> str:
        """One node or both, for some blocks, while the market moves."""
        self.jump(rng)
        for proxy in rng.choice((self.proxies, self.proxies[:1], self.proxies[1:])):
            proxy.add(fault())
        self.lasting(MINUTE - 1)
        return name


def _spoiling(name: str, fault: Callable[[], Fault]) -> Callable[[Soak, Random], str]:
    return lambda soak, rng: soak.spoil(rng, fault, name)


def _error(call: Any, answer: Any) -> Any:
    return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "something went wrong"}}


SEND = ("eth_sendRawTransaction",)
WEATHER: tuple[Any, ...] = (
    Soak.jump,
    Soak.rebuild,
    Soak.roll_back,
    Soak.drop_pending,
    Soak.spike,
    Soak.outage,
    _spoiling("requests dropped", lambda: Fault("drop_request", share=0.5)),
    _spoiling("answers dropped", lambda: Fault("drop_response", share=0.5)),
    _spoiling("answers to sends dropped", lambda: Fault("drop_response", SEND)),
    _spoiling("connections reset", lambda: Fault("reset", share=0.5)),
    _spoiling("answers delayed", lambda: Fault("delay", share=0.5, seconds=0.1)),
    _spoiling("silence", lambda: Fault("hang", times=2, seconds=0.3)),
    _spoiling("answers truncated", lambda: Fault("truncate", share=0.5)),
    _spoiling("older answers again", lambda: Fault("replay", share=0.5)),
    _spoiling("pages of a proxy", lambda: Fault("body", share=0.5)),
    _spoiling("HTTP 429", lambda: Fault("status", share=0.5, status="429 Too Many", headers=("retry-after: 0",))),
    _spoiling("HTTP 500", lambda: Fault("status", share=0.5, status="500 Internal Server Error")),
    _spoiling("errors for results", lambda: Fault("mutate", share=0.3, change=_error)),
    _spoiling("errors for sends", lambda: Fault("mutate", SEND, change=_error)),
)


def slope(samples: Sequence[Sample], value: Callable[[Sample], int]) -> float:
    """{value / simulated hour} Of the straight line through the samples after the first half."""
    late = samples[len(samples) // 2 :]
    hours = [sample.block * BLOCK / 3600 for sample in late]
    values = [value(sample) for sample in late]
    mid, level = sum(hours) / len(late), sum(values) / len(late)
    spread = sum((hour - mid) ** 2 for hour in hours)
    return sum((hour - mid) * (found - level) for hour, found in zip(hours, values, strict=True)) / spread
