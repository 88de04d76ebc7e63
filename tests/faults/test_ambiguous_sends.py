"""Sends of which nobody knows what became of them: however the answer is lost or lies, one transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from keeper.core.sending import FINAL
from keeper.journal.memory import MemoryJournal
from tests.faults.figures import count
from tests.faults.sim.drill import CLIENTS
from tests.faults.sim.endpoint import SEND, Fault, Kind
from tests.faults.sim.keeper_in_sim import SimKeeper, World
from tests.faults.sim.treasury import VAULTS
from tests.faults.sim.truth import Truth

SENDS = count("KEEPER_SENDS", 1_000, 20_000)
KINDS = (Kind.DROP_REQUEST, Kind.DROP_RESPONSE, Kind.DUPLICATE, Kind.DELAY, Kind.ERROR, Kind.ERROR_AFTER, Kind.NULL)
TEXTS = (
    "internal error",
    "Internal server error",
    "rate limit exceeded",
    "Your app has exceeded its compute units per second capacity.",
    "header not found",
    "request timed out",
    "nonce too low",
    "nonce too high",
    "already known",
    "AlreadyKnown",
    "mined",
    "replacement transaction underpriced",
    "could not replace existing tx",
    "transaction underpriced",
    "max fee per gas less than block base fee: address 0xabc, maxFeePerGas: 1, baseFee: 7",
    "txpool is full",
    "account limit exceeded",
    "insufficient funds for gas * price + value",
    "tx fee (1.10 ether) exceeds the configured cap (1.00 ether)",
    "execution reverted",
    "exceeds block gas limit",
    "intrinsic gas too low",
    "transaction indexing is in progress",
    "sequencer pending tx pool full, please try again",
    "",
    "💥",
)


def send_once(seed: int) -> Kind:
    """One decision, its first sends struck by one to three faults of one kind; then an honest world."""
    random = Random(seed)
    world = World.open(random.sample(CLIENTS, random.choice((1, 1, 1, 2))), finality=4)
    journal = MemoryJournal()
    keeper = SimKeeper(world, journal, vaults=("one",), confirmations=random.choice((1, 2, 3)))
    truth = Truth(world, journal)
    kind = KINDS[seed % len(KINDS)]
    for endpoint in world.endpoints:
        endpoint.faults.append(Fault(SEND, kind, random.choice(TEXTS), random.choice((1, 1, 2, 3))))
    world.mine(acts=[lambda ledger: ledger.move_price(random.choice((2_600, 3_400)) * 10**8)])
    keeper.tick()
    truth.check()
    assert len(journal.intents) == 1, keeper.trouble
    for block in range(80):
        if random.random() < 0.2:
            keeper = SimKeeper(world, journal, vaults=("one",), confirmations=2)
        if block > 3 and random.random() < 0.3:
            truth.delivering = True
            for endpoint in world.endpoints:
                endpoint.deliver()
            truth.delivering = False
        world.mine(**({"txs": ()} if random.random() < 0.3 and block < 20 else {}))
        keeper.settle()
        truth.check()
        if journal.intents[0].state in FINAL and not any(endpoint.late for endpoint in world.endpoints):
            break
    truth.check_settled()
    account = VAULTS["one"][0].lower()
    ours = [tx for _, tx in world.network.canonical() if tx.sender == account]
    assert len(ours) == 1 and world.network.ledger.nonces[account] == 1, f"{len(ours)} transactions on chain"
    assert len(journal.intents) == 1
    return kind


@pytest.mark.fault("R2")
@pytest.mark.fault("R3")
@pytest.mark.fault("R4")
@pytest.mark.fault("R12")
@pytest.mark.fault("T5")
@pytest.mark.fault("T10")
def test_send__answer_lost_late_doubled_or_wrong__exactly_one_transaction(tell: Callable[[str], None]) -> None:
    kinds: Counter[Kind] = Counter()
    for seed in range(SENDS):
        try:
            kinds[send_once(seed)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert sum(kinds.values()) == SENDS and set(kinds) == set(KINDS)
    tell(f"ambiguous sends: {SENDS:,} ({', '.join(f'{kind} {n}' for kind, n in kinds.items())}): one transaction each")
