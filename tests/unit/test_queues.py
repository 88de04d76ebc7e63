"""Vaults that share a sender: one transaction at a time, the next as soon as the sender is free, nobody forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeper.core.chain import VaultView
from keeper.core.plan import Hold, Simulation
from keeper.core.ports import Send
from keeper.core.records import NewIntent
from keeper.daemon import ChainLoop
from keeper.journal.memory import MemoryJournal
from keeper.schedule import Every
from tests.builders import NOW, make_block
from tests.unit.test_cycle import Book, Eye, Parts, Sender, rebalance, vault, view, wheel
from tests.unit.test_daemon import Now, Told

MINED_AFTER = 3
"""{s} From a transaction to its confirmation."""


@dataclass
class Line(Sender):
    """Sends for real, as far as the others can tell: for some seconds sender and vault are busy."""

    clock: Now = field(default_factory=Now)
    parts: Mapping[str, Parts] = field(default_factory=dict)
    insatiable: str = ""
    """A vault that is out of its band again at once."""
    went: list[tuple[int, str]] = field(default_factory=list)
    """{s} When each was sent."""
    _live: tuple[int, NewIntent] | None = None

    def submit(self, new: NewIntent, seen: VaultView, simulation: Simulation, chain_nonce: int) -> Send:
        assert self._live is None, "one at a time"
        self._live = (self.clock.at, new)
        self.went.append((self.clock.at - NOW, new.vault))
        return super().submit(new, seen, simulation, chain_nonce)

    def settle(self) -> Mapping[str, str]:
        if self._live is not None and self.clock.at - self._live[0] >= MINED_AFTER:
            name = self._live[1].vault
            if name != self.insatiable:
                self.parts[name].result = Hold("in_band", "as it should be")
            self._live = None
        if self._live is None:
            return {}
        new = self._live[1]
        return dict.fromkeys((new.vault, new.sender), f"swap of {new.vault} is live")


def rig(drifts: Mapping[str, int], every: Mapping[str, int], insatiable: str = "") -> tuple[ChainLoop, Now, Line]:
    clock = Now()
    parts = {name: Parts(rebalance(drift)) for name, drift in drifts.items()}
    line = Line(clock=clock, parts=parts, insatiable=insatiable)
    views = {name: view(name) for name in drifts}
    cycle = wheel([vault(name, parts[name], line) for name in drifts], views, line, Book())
    assert isinstance(cycle._observer, Eye)
    cycle._observer.block = make_block()
    loop = ChainLoop(
        chain="base",
        chain_id=1,
        cycle=cycle,
        schedules={name: Every(every.get(name, 86_400)) for name in drifts},
        clock=clock,
        journal=MemoryJournal(),
        teller=Told(),
        block_time=1,
        note=lambda turn: None,
        answer=lambda request: None,
        verify=lambda now: None,
    )
    return loop, clock, line


def run(loop: ChainLoop, clock: Now, seconds: int) -> None:
    for _ in range(seconds):
        loop.tick()
        clock.at += 1


def test_queue__several_vaults_of_one_sender__one_after_another_without_a_pause_the_largest_drift_first() -> None:
    loop, clock, line = rig({"calm": 450, "wild": 900, "middling": 600}, {})
    run(loop, clock, 12)
    assert line.went == [(0, "wild"), (MINED_AFTER, "middling"), (2 * MINED_AFTER, "calm")]
    assert not loop.is_awaiting and loop.teller.troubles == []  # type: ignore[attr-defined]


def test_queue__another_vault_is_looked_at_every_second__those_that_wait_are_not_forgotten() -> None:
    loop, clock, line = rig({"wild": 900, "calm": 450}, {"wild": 1})
    run(loop, clock, 8)
    assert line.went == [(0, "wild"), (MINED_AFTER, "calm")]


def test_queue__one_vault_always_wants_more__the_others_age_until_they_overtake_it() -> None:
    loop, clock, line = rig({"greedy": 500, "patient": 460, "humble": 420}, {"greedy": 1}, insatiable="greedy")
    run(loop, clock, 40)
    order = [name for _, name in line.went]
    assert order[0] == "greedy" and {"patient", "humble"} <= set(order)
    # 40 bps are made up for by waiting through more than four cycles, 80 by more than eight.
    assert order.index("patient") < order.index("humble") <= 6
