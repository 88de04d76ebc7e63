"""Reorgs from one block to 64: whatever the chain takes back or brings again, the final journal equals the chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from keeper.core.sending import FINAL, State
from keeper.journal.memory import MemoryJournal
from tests.faults.figures import count
from tests.faults.sim.keeper_in_sim import SimKeeper, World
from tests.faults.sim.network import Fate
from tests.faults.sim.treasury import VAULTS
from tests.faults.sim.truth import Truth

RUNS = count("KEEPER_REORGS", 500, 10_000)
DEEPEST = 64
FINALITY = DEEPEST + 2


def run(seed: int) -> tuple[list[int], Counter[State]]:
    """Some trades with reorgs between their blocks. Returns the depths, and how the intents ended."""
    random = Random(seed)
    world, journal = World.open(finality=FINALITY), MemoryJournal()
    vaults = random.sample(tuple(VAULTS), 2)
    keeper = SimKeeper(world, journal, vaults=vaults, confirmations=random.choice((1, 2, 5, 12)))
    truth = Truth(world, journal)
    depths: list[int] = []
    for _ in range(random.randint(1, 3)):
        price = random.choice((2_400, 2_700, 3_300, 3_600))
        world.mine(acts=[lambda ledger, price=price: ledger.move_price(price * 10**8)])
        for _ in range(random.randint(2, 5)):
            keeper.tick()
            world.mine()
        world.mine(random.choice((0, 1, 5, 20, 60)))
        keeper.settle()
        truth.check()
        wanted = random.choice((random.randint(1, 6), random.randint(1, DEEPEST)))
        if taken := world.network.reorg(wanted, random.choice(tuple(Fate)), extra=random.randint(1, 3)):
            depths.append(taken)
        world.clock = world.network.head.timestamp
        keeper.settle()
        truth.check()
    for _ in range(60):
        world.mine(6)
        keeper.settle()
        truth.check()
        if all(intent.state in FINAL for intent in journal.intents) and journal.intents:
            break
    truth.check_settled()
    return depths, Counter(intent.state for intent in journal.intents)


@pytest.mark.fault("T18")
@pytest.mark.fault("T19")
@pytest.mark.fault("T20")
@pytest.mark.fault("T21")
def test_reorg__any_depth_and_fate__final_journal_equals_the_chain(tell: Callable[[str], None]) -> None:
    depths: list[int] = []
    ends: Counter[State] = Counter()
    for seed in range(RUNS):
        try:
            found, ended = run(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        depths += found
        ends += ended
    assert min(depths) == 1 and max(depths) >= DEEPEST - 4
    told = ", ".join(f"{state} {n}" for state, n in ends.most_common())
    tell(f"reorgs: {RUNS} runs, {len(depths)} reorgs, depth 1 to {max(depths)}; {told}; journal equals chain in each")
