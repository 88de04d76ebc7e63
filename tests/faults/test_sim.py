"""The simulated nodes themselves: if they were kinder than real ones, the tests above them would prove little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from keeper.chain.sending.send_errors import SendClass, classify
from keeper.chain.sending.simulate import Simulator
from keeper.chain.sending.submitter import DrySubmitter
from keeper.core.sending import FINAL, Intent
from keeper.cycle import Cycle
from keeper.journal.memory import MemoryJournal
from tests.builders import CHAIN
from tests.faults.sim.endpoint import SEND, sim_rpc
from tests.faults.sim.keeper_in_sim import SimKeeper, World
from tests.faults.sim.ledger import encode_tx
from tests.faults.sim.network import GWEI, Fate
from tests.faults.sim.node import NodeError
from tests.faults.sim.texts import TEXTS, Refusal
from tests.faults.sim.treasury import POLICY, VAULTS

ACCOUNT = VAULTS["one"][0]
PLAIN: Mapping[str, object] = {
    "chainId": CHAIN, "nonce": 0, "to": ACCOUNT, "value": 0, "data": b"", "gas": 21_000,
    "maxFeePerGas": 20 * GWEI, "maxPriorityFeePerGas": 10 * GWEI,
}  # fmt: skip


def offer(world: World, **changes: object) -> str:
    """Empty where the first node takes it, else its words."""
    raw = "0x" + encode_tx(ACCOUNT, {**PLAIN, **changes}).hex()
    try:
        world.endpoints[0].node.handle(SEND, [raw])
    except NodeError as refused:
        return refused.message
    return ""


@pytest.mark.parametrize("client", sorted(TEXTS))
@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, SendClass.KNOWN),
        ({"maxFeePerGas": 22 * GWEI}, SendClass.REPL),
        ({"maxPriorityFeePerGas": 11 * GWEI}, SendClass.REPL),
        ({"maxFeePerGas": 22 * GWEI, "maxPriorityFeePerGas": 11 * GWEI - 1}, SendClass.REPL),
        ({"chainId": 1, "nonce": 1}, SendClass.FATAL),
        ({"gas": 20_000, "nonce": 1}, SendClass.FATAL),
        ({"gas": 31_000_000, "nonce": 1}, SendClass.FATAL),
        ({"maxPriorityFeePerGas": 21 * GWEI, "nonce": 1}, SendClass.FATAL),
        ({"maxPriorityFeePerGas": 0, "nonce": 1}, SendClass.UNDERPRICED),
        ({"maxFeePerGas": 10**19, "nonce": 1}, SendClass.FUNDS),
    ],
)
def test_pool__what_it_refuses__in_the_words_of_each_client(
    client: str, changes: dict[str, object], kind: SendClass
) -> None:
    world = World.open((client,))
    assert offer(world) == ""
    assert classify(offer(world, **changes)) is kind


def test_pool__both_fees_a_tenth_up__replaced() -> None:
    world = World.open()
    offer(world)
    assert offer(world, maxFeePerGas=22 * GWEI, maxPriorityFeePerGas=11 * GWEI) == ""
    (tx,) = world.endpoints[0].node.view.pool.hashes.values()
    assert tx.tip == 11 * GWEI


def test_pool__nonce_gap__queued_and_mined_only_behind_its_predecessor() -> None:
    world = World.open()
    assert offer(world, nonce=1) == ""
    world.mine()
    assert world.network.ledger.nonces.get(ACCOUNT.lower(), 0) == 0
    offer(world, nonce=0)
    world.mine()
    assert world.network.ledger.nonces[ACCOUNT.lower()] == 2
    assert classify(offer(world, nonce=0, gas=22_000)) is SendClass.NONCE_LOW


def test_pool__besu_far_ahead__nonce_too_distant() -> None:
    assert classify(offer(World.open(("besu",)), nonce=300)) is SendClass.NONCE_HIGH
    assert Refusal.NONCE_HIGH in TEXTS["besu"]


@pytest.mark.parametrize(("fate", "nonce"), [(Fate.AGAIN, 1), (Fate.ELSEWHERE, 1), (Fate.POOL, 0), (Fate.NEVER, 0)])
def test_reorg__each_fate__what_it_says(fate: Fate, nonce: int) -> None:
    world = World.open()
    offer(world)
    world.mine()
    before = world.network.head.hash
    assert world.network.reorg(1, fate) == 1
    assert before not in {block.hash for block in world.network.chain}
    assert world.network.ledger.nonces.get(ACCOUNT.lower(), 0) == nonce
    assert bool(world.endpoints[0].node.view.pool.hashes) is (fate is Fate.POOL)


# --- whole runs ------------------------------------------------------------------------------------------------------


def ride(world: World, keeper: SimKeeper, blocks: int = 20) -> None:
    for block in range(blocks):
        price = {0: 3_400, 6: 2_700}.get(block)
        world.mine(acts=[lambda ledger, price=price: ledger.move_price(price * 10**8)] if price else ())
        keeper.tick()


def told(journal: MemoryJournal) -> list[tuple[Any, ...]]:
    def one(intent: Intent) -> tuple[Any, ...]:
        return intent.vault, intent.nonce, intent.state, [attempt.raw for attempt in intent.attempts], intent.mined

    return [one(intent) for intent in journal.intents]


@pytest.mark.fault("P24")
@pytest.mark.parametrize("jump", [-3_600, 3_600, 315_360_000])
def test_run__wall_clock_jumps__nothing_but_the_head_s_age_depends_on_it(jump: int) -> None:
    """Invariant 18."""
    journals = []
    for clock in (0, jump):
        world, journal = World.open(), MemoryJournal()
        keeper = SimKeeper(world, journal, max_head_age=None)
        world.clock += clock
        ride(world, keeper)
        journals.append(told(journal))
    assert journals[0] == journals[1] and len(journals[0]) > 3


@pytest.mark.fault("P25")
def test_run__restarted_after_every_tick__same_end() -> None:
    journals = []
    for restarts in (False, True):
        world, journal = World.open(finality=4), MemoryJournal()
        keeper = SimKeeper(world, journal)
        for block in range(30):
            price = {0: 3_400, 9: 2_700}.get(block)
            world.mine(acts=[lambda ledger, price=price: ledger.move_price(price * 10**8)] if price else ())
            keeper = SimKeeper(world, journal) if restarts else keeper
            keeper.tick()
        journals.append(told(journal))
        assert all(intent.state in FINAL for intent in journal.intents)
    assert journals[0] == journals[1] and len(journals[0]) > 3


def test_dry_run__whatever_happens__no_signature_and_no_send() -> None:
    """Invariant 22."""
    world, journal = World.open(), MemoryJournal()
    keeper = SimKeeper(world, journal)
    rpc = sim_rpc(world.endpoints, world.timer())
    dry = DrySubmitter(Simulator(rpc, POLICY, b""))
    vaults = {name: replace(vault, submitter=dry, armed=False) for name, vault in keeper.parts.items()}
    keeper.cycle = Cycle(
        keeper.observer, dry, journal, vaults, describe=lambda d: {}, pack=lambda s, o: b"", may_act=lambda v, t: ""
    )
    ride(world, keeper)
    assert not world.network.seen and not journal.intents
    assert SEND not in world.endpoints[0].node.asked
    assert "dry" in {streak.latest.kind for streak in journal.cycles}
