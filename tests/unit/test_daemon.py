"""The loop around the cycle, a second at a time, with a cycle that only says which vaults it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from keeper import daemon
from keeper.core.calls import Call, Purpose
from keeper.core.chain import Unusable
from keeper.core.decision import Decision
from keeper.core.errors import JournalError, KeeperError, Unreachable
from keeper.core.plan import Hold
from keeper.core.records import CycleRecord, Request
from keeper.core.sending import Intent, State
from keeper.cycle import Turn
from keeper.daemon import BEAT, VERIFY, ChainLoop, Schedule
from keeper.journal.memory import MemoryJournal
from keeper.schedule import Every, EveryBlocks
from tests.builders import ACCOUNT, CHAIN, NOW

BLOCK_TIME = 12


@dataclass
class Now:
    at: int = NOW

    def now(self) -> int:
        return self.at


@dataclass
class Wheel:
    """A cycle that trades nothing. `sends` are vaults whose turn leaves a live transaction, `busy` what is settled."""

    clock: Now
    sends: set[str] = field(default_factory=set)
    waits: set[str] = field(default_factory=set)
    busy: Mapping[str, str] = field(default_factory=dict)
    failure: Exception | None = None
    looked: list[tuple[int, list[str]]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    settled: int = 0

    def settle(self) -> Mapping[str, str]:
        self.settled += 1
        return self.busy

    def turn(self, due: Sequence[str]) -> Iterator[Turn]:
        if self.failure is not None:
            raise self.failure
        self.looked.append((self.clock.at - NOW, list(due)))
        for name in due:
            code = "live" if name in self.waits else "failed" if name in self.broken else "in_band"
            yield Turn(1, self._record(name, code), nothing(name), sent(name) if name in self.sends else None)

    def _record(self, name: str, code: str) -> CycleRecord:
        block = 1_000 + (self.clock.at - NOW) // BLOCK_TIME
        return CycleRecord(name, CHAIN, block, "0x01", self.clock.at, "hold", code, "as it is", "c0ffee", True)


def nothing(name: str) -> Decision:
    return Decision(name, Unusable("nobody looks here"), Hold("in_band", "as it is"))


def sent(vault: str) -> Intent:
    call = Call(ACCOUNT, b"", 0, Purpose.SWAP, "swap")
    return Intent(1, vault, 1, CHAIN, ACCOUNT, 0, call, 21_000, NOW + 600, (), State.SENT, NOW)


@dataclass
class Told:
    ticks: list[list[str]] = field(default_factory=list)
    paces: list[tuple[float, int]] = field(default_factory=list)
    troubles: list[KeeperError] = field(default_factory=list)

    def began(self) -> None:
        pass

    def ticked(self, chain: str, turns: Sequence[Turn]) -> None:
        self.ticks.append([turn.record.vault for turn in turns])

    def kept_pace(self, chain: str, took: float, skipped: int) -> None:
        self.paces.append((took, skipped))

    def trouble(self, chain: str, error: KeeperError) -> None:
        self.troubles.append(error)


class Beating(MemoryJournal):
    """Counts beats, and fails where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.beaten: list[tuple[int, int]] = []
        self.texts: list[str] = []
        self.failure: KeeperError | None = None

    def beat(self, chain_id: int, now: int, block: int, text: str) -> None:
        self.beaten.append((now - NOW, block))
        self.texts.append(text)

    def requests(self) -> Sequence[Request]:
        if self.failure is not None:
            raise self.failure
        return super().requests()


@dataclass
class Rig:
    """A loop of these schedules and everything it touches."""

    schedules: Mapping[str, Schedule]
    clock: Now = field(default_factory=Now)
    journal: Beating = field(default_factory=Beating)
    teller: Told = field(default_factory=Told)
    noted: list[str] = field(default_factory=list)
    verified: list[int] = field(default_factory=list)
    answer: Callable[[Request], str] | None = None
    monotonic: float = 0.0
    """{s} What the loop takes its own time by."""

    def __post_init__(self) -> None:
        self.wheel = Wheel(self.clock)
        self.loop = ChainLoop(
            chain="base",
            chain_id=CHAIN,
            cycle=self.wheel,  # type: ignore[arg-type]
            schedules=self.schedules,
            clock=self.clock,
            journal=self.journal,
            teller=self.teller,
            block_time=BLOCK_TIME,
            note=lambda turn: self.noted.append(turn.record.vault),
            answer=self.answer or self.journal.apply,
            verify=lambda now: self.verified.append(now - NOW),
            timer=lambda: self.monotonic,
        )

    def run(self, seconds: int) -> list[tuple[int, list[str]]]:
        """Ticks every second; returns who was looked at, and when."""
        for _ in range(seconds):
            self.loop.tick()
            self.clock.at += 1
            self.monotonic += 1.0
        return self.wheel.looked


def test_tick__by_schedule__looks_at_each_vault_when_it_is_due() -> None:
    rig = Rig({"quick": Every(20), "slow": Every(50)})
    assert rig.run(101) == [
        (0, ["quick", "slow"]), (20, ["quick"]), (40, ["quick"]), (50, ["slow"]), (60, ["quick"]), (80, ["quick"]),
        (100, ["quick", "slow"]),
    ]  # fmt: skip
    assert rig.noted == [name for tick in rig.teller.ticks for name in tick]
    assert rig.teller.troubles == []


def test_tick__by_blocks__reckons_the_head_from_the_last_one() -> None:
    rig = Rig({"peg": EveryBlocks(2)})
    assert [at for at, _ in rig.run(75)] == [0, 24, 48, 72]
    assert rig.wheel.settled == 0


def test_tick__after_a_transaction_settled__looks_at_once() -> None:
    rig = Rig({"treasury": Every(3_600), "other": Every(3_600)})
    rig.wheel.sends, rig.wheel.busy = {"treasury"}, {"treasury": "swap is live"}
    rig.run(30)
    assert rig.wheel.settled == 2, "once a block"
    rig.wheel.sends, rig.wheel.busy = set(), {}
    assert rig.loop.is_awaiting
    assert rig.run(30) == [(0, ["treasury", "other"]), (36, ["treasury"])]
    assert not rig.loop.is_awaiting


def test_tick__of_a_vault_that_waits_for_another__looks_once_that_is_through() -> None:
    rig = Rig({"late": Every(3_600)})
    rig.wheel.waits, rig.wheel.busy = {"late"}, {"0xpool": "swap of early is live"}
    rig.run(1)
    rig.wheel.waits = set()
    assert rig.run(20) == [(0, ["late"]), (12, ["late"])]


@pytest.mark.fault("P25")
@pytest.mark.fault("P26")
def test_tick__after_a_long_sleep__makes_up_for_it_once() -> None:
    rig = Rig({"treasury": Every(60)})
    rig.run(10)
    rig.clock.at += 7_200
    assert rig.run(100) == [(0, ["treasury"]), (7_210, ["treasury"]), (7_270, ["treasury"])]


def test_tick__with_a_clock_that_was_set_back__does_not_wait_for_it() -> None:
    rig = Rig({"treasury": Every(60)})
    rig.run(10)
    rig.clock.at -= 3_600
    assert len(rig.run(5)) == 2


def test_tick__beats__with_every_look_and_in_between() -> None:
    rig = Rig({"treasury": Every(3_600)})
    rig.run(2 * BEAT + 5)
    assert rig.journal.beaten == [(0, 0), (0, 1_000), (30, 1_000), (60, 1_000)]


def test_tick__once_an_hour__verifies_what_was_pinned() -> None:
    rig = Rig({"treasury": Every(86_400)})
    rig.run(2 * VERIFY + 10)
    assert rig.verified == [VERIFY, 2 * VERIFY]


# --- requests --------------------------------------------------------------------------------------------------------


def test_tick__with_a_request__honours_it_before_it_looks() -> None:
    order: list[str] = []
    rig = Rig({"treasury": Every(60)}, answer=lambda request: f"{request.action}: {len(order)} looks before")
    number = rig.journal.ask("pause", "treasury", "audit", "ana", NOW)
    rig.loop.note = lambda turn: order.append(turn.record.vault)
    rig.run(1)
    assert rig.journal.requests() == ()
    assert rig.journal.answers[number] == "pause: 0 looks before"
    assert order == ["treasury"]


# --- troubles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Unreachable("base: no node answers"), JournalError("journal: disk is full")])
def test_tick__that_fails__is_told_and_tried_again(error: KeeperError) -> None:
    rig = Rig({"treasury": Every(60)})
    rig.wheel.failure = error
    rig.run(3)
    assert rig.teller.troubles == [error] * 3
    assert rig.teller.ticks == []
    rig.wheel.failure = None
    assert rig.run(3) == [(3, ["treasury"])]


def test_tick__with_a_journal_that_cannot_be_read__tells_and_looks_at_nothing() -> None:
    rig = Rig({"treasury": Every(60)})
    rig.journal.failure = JournalError("journal: cannot be read")
    assert rig.run(2) == []
    assert [str(error) for error in rig.teller.troubles] == ["journal: cannot be read"] * 2


def test_tick__with_a_fault_of_our_own__is_told_and_goes_on() -> None:
    rig = Rig({"treasury": Every(60)})
    rig.wheel.failure = ZeroDivisionError("by zero")
    rig.run(1)
    assert [str(error) for error in rig.teller.troubles] == ["a fault of keeper's own: ZeroDivisionError: by zero"]


# --- pace ------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("P27")
@pytest.mark.parametrize(
    ("schedule", "took", "skipped"),
    [(Every(20), 19.9, 0), (Every(20), 20.0, 1), (Every(20), 65.0, 3), (EveryBlocks(1), 30.0, 2), (Every(1), 0.5, 0)],
)
def test_tick__that_takes_too_long__skips_looks_counts_them_and_says_so(
    schedule: Schedule, took: float, skipped: int
) -> None:
    rig = Rig({"treasury": schedule, "slow": Every(86_400)})

    def last(turn: Turn) -> None:
        rig.monotonic += took / 2  # two vaults

    rig.loop.note = last
    rig.run(1)
    assert rig.teller.paces == [(took, skipped)] and rig.loop.skipped == skipped
    rig.loop.note = lambda turn: None
    rig.clock.at += 100
    assert len(rig.run(1)) == 2, "made up for once, whatever was missed"
    rig.clock.at += BEAT
    rig.run(1)
    assert (f"{skipped} looks skipped" in rig.journal.texts[-1]) == bool(skipped)


def test_tick__vaults_that_raise__counted_and_told_with_the_beat() -> None:
    rig = Rig({"good": Every(10), "broken": Every(10)})
    rig.wheel.broken = {"broken"}
    rig.run(25)
    assert rig.loop.failed == 3 and rig.wheel.looked[-1] == (20, ["good", "broken"])
    assert rig.journal.texts[-1] == "2 vaults, 3 cycles failed"


def test_tick__one_vault__its_beat_says_so() -> None:
    rig = Rig({"treasury": Every(10)})
    rig.run(1)
    assert set(rig.journal.texts) == {"1 vault"}


# --- heads -----------------------------------------------------------------------------------------------------------


def test_hear__a_new_head__is_looked_at_once_and_at_once() -> None:
    rig = Rig({"peg": EveryBlocks(1), "calm": Every(3_600)})
    rig.run(5)
    rig.loop.hear(1_001)
    assert rig.run(7) == [(0, ["peg", "calm"]), (5, ["peg"])]


@pytest.mark.parametrize("number", [0, 999, 1_000])
def test_hear__a_head_that_is_none__changes_nothing(number: int) -> None:
    rig = Rig({"peg": EveryBlocks(1)})
    rig.run(5)
    rig.loop.hear(number)
    assert rig.run(10) == [(0, ["peg"]), (12, ["peg"])]


def test_hear__lies_without_end__cost_a_look_in_a_quarter_of_a_block() -> None:
    rig = Rig({"peg": EveryBlocks(1)})
    rig.run(1)
    for lie in range(60):
        rig.loop.hear(10**18 + lie)
        rig.loop.hear(10**19 + lie)
        rig.run(1)
    assert len(rig.wheel.looked) == 1 + 60 // (BLOCK_TIME // 4)
    assert rig.run(BLOCK_TIME)[-1] == (60 + BLOCK_TIME // 4 * 4 - 2, ["peg"]), "then as before"


def test_hear__while_a_transaction_is_on_its_way__follows_it_at_once() -> None:
    rig = Rig({"treasury": Every(3_600)})
    rig.wheel.sends, rig.wheel.busy = {"treasury"}, {"treasury": "swap is live"}
    rig.run(3)
    rig.wheel.sends, rig.wheel.busy = set(), {}
    rig.loop.hear(1_001)
    assert rig.run(1) == [(0, ["treasury"]), (3, ["treasury"])]


def test_tick__a_vault_waits_and_another_is_always_due__looks_as_soon_as_it_is_free() -> None:
    rig = Rig({"busy": Every(5), "late": Every(3_600)})
    rig.wheel.waits, rig.wheel.busy = {"late"}, {"0xpool": "swap of early is live"}
    rig.run(1)
    rig.wheel.waits = set()
    looks = rig.run(20)
    assert (12, ["late"]) in looks and [at for at, who in looks if "busy" in who] == [0, 5, 10, 15, 20]


# --- run -------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("P26")
def test_run__until_stopped__ticks_and_takes_in_what_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "POLL", 0.02)
    monkeypatch.setattr(daemon, "RETRY", 0.02)
    up, back = Rig({"treasury": Every(60)}), Rig({"peg": Every(60)})
    back.loop.chain = "mainnet"
    stop, waiting = threading.Event(), [back.loop]

    def seen(turn: Turn) -> None:
        if back.wheel.looked and up.wheel.looked:
            stop.set()

    up.loop.note = back.loop.note = seen
    up.loop.schedules = back.loop.schedules = {"treasury": Always()}
    ended = threading.Timer(10, stop.set)
    ended.start()
    daemon.run([up.loop], stop, lambda: [waiting.pop()] if waiting else [])
    ended.cancel()
    assert up.wheel.looked
    assert back.wheel.looked


@pytest.mark.fault("P27")
def test_run__one_chain_hangs__the_other_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "POLL", 0.005)
    slow, quick = Rig({"peg": Every(60)}), Rig({"treasury": Every(60)})
    quick.loop.schedules = {"treasury": Always()}
    stop, release = threading.Event(), threading.Event()
    slow.loop.note = lambda turn: release.wait(10)  # type: ignore[assignment]
    looks: list[int] = []

    def seen(turn: Turn) -> None:
        looks.append(len(looks))
        if len(looks) == 20:
            release.set()
            stop.set()

    quick.loop.note = seen
    daemon.run([slow.loop, quick.loop], stop, list)
    assert len(looks) >= 20 and len(slow.wheel.looked) == 1


def test_run__somebody_tells_of_heads__wakes_the_loop_and_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "POLL", 30.0)
    rig, stop, heads = Rig({"peg": EveryBlocks(1)}), threading.Event(), Hinting()
    rig.loop.heads, rig.loop.block_time = heads, 0.001

    def seen(turn: Turn) -> None:
        if len(rig.wheel.looked) == 3:
            stop.set()
            rig.loop.wake()
        else:
            rig.monotonic += 1
            threading.Timer(0.01, lambda: heads.tell(2_000)).start()

    rig.loop.note = seen
    ended = threading.Timer(10, stop.set)
    ended.start()
    daemon.run([rig.loop], stop, list)
    ended.cancel()
    assert len(rig.wheel.looked) == 3, "long before the clock would have said so"
    assert heads.closed


@dataclass
class Hinting:
    tell: Callable[[int], None] = lambda number: None
    closed: bool = False

    def start(self, heard: Callable[[int], None]) -> None:
        self.tell = heard

    def close(self) -> None:
        self.closed = True


class Always:
    def is_due(self, last_at: int | None, last_block: int | None, now: int, block: int) -> bool:
        return True

    def next_at(self, now: int) -> int:
        return now + 1
