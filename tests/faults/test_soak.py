"""A simulated hour of a live keeper in CI, a day under `make soak`, with a fault a minute at least (docs/soak.md)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keeper.app.deployment import Deployment
from keeper.app.journals import journal_url
from keeper.app.loading import open_config
from keeper.chain.nodes.rpc import Timer
from keeper.core.calls import Purpose
from keeper.core.sending import FINAL, State
from keeper.core.units import Token
from keeper.journal.past import Entry
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from keeper.telemetry.logs import configure
from tests.faults.fault_proxy import FaultProxy
from tests.faults.figures import count
from tests.faults.soak import Soak, slope
from tests.faults.soak_chain import TARGETS, TRIGGER, SoakChain, soak_chain, write_config

HOURS = count("KEEPER_SOAK_HOURS", 1, 24)
SEED = count("KEEPER_SOAK_SEED", 1, 1)
MOST_OBJECTS, MOST_RESIDENT = 20_000, 32 * 2**20
"""{blocks of memory, bytes} A simulated hour, at most: in the first one caches still fill."""
MOST_FILES = 8
"""More open files than after the first ten minutes: connections that a proxy is just closing."""


@dataclass
class Soaked:
    """What was left after it."""

    soak: Soak
    chain: SoakChain
    before: dict[str, dict[Token, int]]
    """{raw}"""
    entries: dict[str, list[Entry]]
    log: list[dict[str, Any]]
    calm: int
    """{blocks} From the last fault to calm."""
    seconds: float


@pytest.fixture(scope="module")
def soaked(quick_folder: Path) -> Iterator[Soaked]:
    folder = quick_folder / "soak"
    folder.mkdir()
    began = time.monotonic()
    with ExitStack() as stack:
        chain = stack.enter_context(soak_chain())
        proxies = [stack.enter_context(FaultProxy(chain.anvil.port, seed=SEED + n)) for n in range(2)]
        loaded = open_config(write_config(chain, folder, [proxy.url for proxy in proxies]))
        stream = stack.enter_context((folder / "keeper.log").open("w", encoding="utf-8"))
        stack.callback(configure("info", stream=stream, as_json=True))
        journal = stack.enter_context(SqlJournal(journal_url(loaded), now=lambda: chain.now))
        before = {vault: chain.balances(vault) for vault in TARGETS}
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        # A provider rests by the time that passes, and here that is the chain's.
        patch.setattr("keeper.chain.nodes.rpc.Timer", lambda: Timer(now=lambda: float(chain.now)))
        deployment = Deployment.open(loaded, journal, live=True)
        stack.callback(deployment.close)
        (loop,) = deployment.loops
        soak = Soak(chain, loop, journal, proxies, SEED)
        soak.run(HOURS)
        calm = soak.calm_down()
        stream.flush()
        with JournalReader(journal_url(loaded)) as reader:
            entries = {vault: reader.transactions(vault) for vault in TARGETS}
        log = [json.loads(line) for line in (folder / "keeper.log").read_text("utf-8").splitlines()]
        yield Soaked(soak, chain, before, entries, log, calm, time.monotonic() - began)


@pytest.mark.fault("P29")
def test_soak__memory_and_open_files__do_not_grow(soaked: Soaked, tell: Callable[[str], None]) -> None:
    samples = soaked.soak.samples
    objects, resident = (slope(samples, value) for value in (lambda s: s.objects, lambda s: s.resident))
    files = [sample.files for sample in samples]
    tell(
        f"soak: {HOURS} h in {soaked.soak.blocks} blocks and {soaked.seconds:.0f} s; objects {samples[0].objects:,} to"
        f" {samples[-1].objects:,}, slope {objects:+,.0f} an hour; resident {samples[0].resident / 2**20:.1f} to"
        f" {samples[-1].resident / 2**20:.1f} MiB, slope {resident / 2**20:+.2f} MiB an hour; open files {min(files)}"
        f" to {max(files)}"
    )
    assert objects <= MOST_OBJECTS
    assert resident <= MOST_RESIDENT
    assert max(files) <= files[0] + MOST_FILES


def test_soak__each_minute__has_a_fault_and_each_kind_comes(soaked: Soaked, tell: Callable[[str], None]) -> None:
    soak = soaked.soak
    assert soak.minutes == set(range(HOURS * 60))
    assert len(soak.happened) >= 19
    assert soak.happened.total() >= 60 * HOURS
    broken = sum(sum(proxy.happened.values()) for proxy in soak.proxies)
    tell(
        f"soak: {soak.happened.total()} faults of {len(soak.happened)} kinds, {broken} HTTP exchanges broken,"
        f" {sum(soak.turns.values())} cycles; calm {soaked.calm} blocks after the last"
    )


def test_soak__its_log__tells_of_no_fault_of_the_keepers_own(soaked: Soaked) -> None:
    assert soaked.log
    assert [line for line in soaked.log if "keeper's own" in str(line) or "this cycle failed" in str(line)] == []
    assert [line for line in soaked.log if line["level"] in ("critical", "exception") or "exception" in line] == []


def test_soak__transactions_on_chain__are_those_of_the_journal_once_each(
    soaked: Soaked, tell: Callable[[str], None]
) -> None:
    on_chain = soaked.chain.sent()
    sizes = dict[str, int]()
    for vault, entries in soaked.entries.items():
        intents = [entry.intent for entry in entries]
        sender = soaked.chain.senders[vault]
        assert {intent.state for intent in intents} <= FINAL - {State.EXTERNAL}
        assert [intent.nonce for intent in intents] == list(range(len(intents)))
        mined = [intent.mined.hash for intent in intents if intent.mined is not None]
        assert mined == on_chain[sender], "chain truth is the journal"
        assert len({intent.cycle for intent in intents}) == len(intents), "one transaction a decision"
        sizes[vault] = len(mined)
    swaps = sum(entry.intent.call.purpose is Purpose.SWAP for found in soaked.entries.values() for entry in found)
    assert swaps >= 10 * HOURS
    tell(f"soak: {sum(sizes.values())} transactions on chain, {swaps} swaps, each in the journal; 0 duplicates, 0 lost")


def test_soak__balances__are_what_the_journal_says(soaked: Soaked) -> None:
    for vault, entries in soaked.entries.items():
        expected = dict(soaked.before[vault])
        for entry in entries:
            if entry.outcome is not None and entry.outcome.fill is not None:
                for token, raw in entry.outcome.fill.changes.items():
                    expected[token] += raw
        assert soaked.chain.balances(vault) == expected


def test_soak__once_faults_stop__every_weight_is_in_its_band_and_no_allowance_is_left(soaked: Soaked) -> None:
    assert {vault: soaked.chain.widest_drift(vault) <= TRIGGER for vault in TARGETS} == dict.fromkeys(TARGETS, True)
    assert soaked.chain.allowances() == []
