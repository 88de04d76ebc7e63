"""Vaults that merely hold on: when a screen answers, when it must not, and that nothing comes out otherwise."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest

from keeper.breakers.prices import PriceJump
from keeper.core.chain import Glance, Observed, Snapshot, VaultView
from keeper.core.decision import Decision
from keeper.core.latches import Trip
from keeper.core.records import Request
from keeper.core.screens import make_quotes
from keeper.cycle import Cycle, Turn
from keeper.deciding import Vault
from keeper.journal.memory import MemoryJournal
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights
from tests.builders import NOW, USDC, WETH, address, make_block, make_view, market, units
from tests.unit.test_cycle import Parts, Sender

NAMES = tuple("abcdefgh")


@dataclass
class World:
    """Eight vaults of WETH and USDC that look at one price; each has its own balances."""

    journal: MemoryJournal
    price: Fraction = Fraction(1_000)
    now: int = NOW
    number: int = 1_000
    held: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 6_000))
    viewed: list[str] = field(default_factory=list)
    described: list[str] = field(default_factory=list)
    glances: bool = True

    def observe(self, due: Sequence[str]) -> Snapshot:
        self.now, self.number = self.now + 12, self.number + 1
        marks, quotes = self.journal.marks(due), make_quotes(self.prices)
        glances = {name: Glance((self.held[name].to_bytes(32, "big"),), marks[name], quotes) for name in due}
        block = make_block(self.now, self.number)
        nonces = {address(index): 0 for index in range(1, 9)}
        return Snapshot(block, Views(self), nonces, glances if self.glances else {})

    @property
    def prices(self) -> Any:
        return {WETH: market(WETH, self.price), USDC: market(USDC, 1)}

    def view(self, name: str) -> VaultView:
        self.viewed.append(name)
        held = [units(WETH, self.held[name]), units(USDC, 4_000_000)]
        view = make_view(held, self.prices, history=self.journal.history(name, self.now), block=make_block(self.now))
        return replace(view, vault=name, sender=address(NAMES.index(name) + 1))

    def describe(self, decision: Decision) -> Mapping[str, object]:
        self.described.append(decision.vault)
        return {}


class Views(dict[str, Observed]):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def __missing__(self, name: str) -> Observed:
        self[name] = Observed(self._world.view(name), {})
        return self[name]


def cycle(world: World, sender: Sender, told: int = 0, strategy: Any = None, **more: Any) -> Cycle:
    parts = Parts()
    real = strategy or Weights({WETH: 6_000, USDC: 4_000}, Bands(Band(200), Band(50)))
    vaults = {
        name: Vault(name, real, parts, parts, {"uniswap_v2": parts}, (), sender, "hash", True, **more)  # type: ignore[arg-type]
        for name in NAMES
    }
    pack = lambda _snapshot, _observed: b"inputs"  # noqa: E731
    return Cycle(
        world, sender, world.journal, vaults, describe=world.describe, pack=pack, may_act=lambda *_: "", told=told
    )


def looks(made: Cycle, world: World, count: int = 1) -> list[Turn]:
    """The last of so many; what was viewed and described before is forgotten."""
    turns: list[Turn] = []
    for _ in range(count):
        world.viewed.clear()
        world.described.clear()
        turns = list(made.turn(NAMES))
    return turns


def test_turn__nothing_changed_but_a_price__the_streak_goes_on_and_no_view_is_made() -> None:
    world = World(MemoryJournal())
    made = cycle(world, Sender())
    looks(made, world)
    world.price = Fraction(1_010)
    turns = looks(made, world)
    assert (world.viewed, world.described) == ([], [])
    assert [turn.block_number for turn in turns] == [1_002] * 8
    assert [(turn.number, turn.record.kind, turn.record.code) for turn in turns[:2]] == [
        (1, "hold", "in_band"),
        (2, "hold", "in_band"),
    ]
    assert [(streak.count, streak.latest.max_drift_bps) for streak in world.journal.cycles] == [(2, 23)] * 8


def test_turn__some_are_told_each_time__each_of_them_in_its_turn() -> None:
    world = World(MemoryJournal())
    made = cycle(world, Sender(), told=3)
    looks(made, world)
    told = []
    for _ in range(8):
        looks(made, world)
        told += world.described
    assert {name for name, count in Counter(told).items() if count >= 2} == set(NAMES)


def test_turn__many_looks__each_vault_is_told_once_in_untold_however_often_it_is_looked_at() -> None:
    world = World(MemoryJournal())
    made = cycle(world, Sender())
    looks(made, world)
    told = []
    for _ in range(249):  # 2,988 s
        looks(made, world)
        assert len(world.described) <= 1, "not many at once"
        told += world.described
    assert Counter(told) == dict.fromkeys(NAMES[:7], 1), "and the last of them is next"


def busy(world: World, sender: Sender) -> None:
    sender.busy = {"c": "swap (nonce 6) is live"}


def moved(world: World, sender: Sender) -> None:
    world.held["c"] += 1


def paused(world: World, sender: Sender) -> None:
    world.journal.apply(Request(1, "pause", "c", "", "me", NOW))


def latched(world: World, sender: Sender) -> None:
    world.journal.latch("c", [Trip("loss", "lost")], NOW)


@pytest.mark.parametrize("change", [busy, moved, latched])
def test_turn__something_of_a_vault_changed__it_goes_the_full_way_and_the_others_hold_on(
    change: Callable[[World, Sender], None],
) -> None:
    world, sender = World(MemoryJournal()), Sender()
    made = cycle(world, sender)
    looks(made, world)
    change(world, sender)
    looks(made, world)
    assert world.described == ["c"]


def waited(world: World) -> None:
    world.now += 3_000


def blind(world: World) -> None:
    world.glances = False


def far(world: World) -> None:
    world.price = Fraction(1_200)


@pytest.mark.parametrize("change", [waited, blind, far])
def test_turn__what_all_share_changed_too_much__all_go_the_full_way(change: Callable[[World], None]) -> None:
    world = World(MemoryJournal())
    made = cycle(world, Sender())
    looks(made, world)
    change(world)
    looks(made, world)
    assert sorted(world.described) == sorted(NAMES)


def test_turn__somebody_paused_or_halted_anything__all_are_looked_at_again() -> None:
    world, sender = World(MemoryJournal()), Sender()
    made = cycle(world, sender)
    looks(made, world)
    paused(world, sender)
    looks(made, world)
    assert sorted(world.described) == sorted(NAMES)
    world.journal.halt("c", "look", NOW)
    turns = looks(made, world)
    assert {turn.record.vault: turn.record.kind for turn in turns}["c"] == "wait"
    looks(made, world)
    assert world.described == ["c"], "what is halted is told each time"


@pytest.mark.parametrize("seed", range(3))
def test_turn__a_random_walk__comes_to_the_same_with_screens_and_without(seed: int) -> None:
    """Same kinds, streaks, widest drifts and transactions, block by block."""
    chance = random.Random(seed)
    worlds = [World(MemoryJournal()), World(MemoryJournal(), glances=False)]
    senders = [Sender(), Sender()]
    jump = (PriceJump(300, 3_600),)
    made = [cycle(world, sender, breakers=jump) for world, sender in zip(worlds, senders, strict=True)]
    for _ in range(60):
        step, name, more = chance.randint(-40, 40), chance.choice(NAMES), chance.choice((0, 0, 0, 1, 400))
        for world in worlds:
            world.price = world.price * (10_000 + step) / 10_000
            world.held[name] += more
        seen = [
            {turn.record.vault: (turn.number, turn.record.kind, turn.record.code) for turn in each.turn(NAMES)}
            for each in made
        ]
        assert seen[0] == seen[1]
    screened, full = (world.journal for world in worlds)
    assert len(worlds[0].described) < len(worlds[1].described) / 2, "the screens answered"
    told = [[(s.count, s.latest.max_drift_bps, s.latest.at) for s in journal.cycles] for journal in (screened, full)]
    assert told[0] == told[1]
    sent = [[(new.vault, new.at) for new in sender.submitted] for sender in senders]
    assert sent[0] == sent[1] != []
