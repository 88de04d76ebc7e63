"""The stateful model: ticks, blocks, reorgs, faults, crashes, strangers in any order; every invariant at every step."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.figures import count
from tests.faults.sim.model import STEPS, Model

LENGTH = 60
"""Steps of one example, at most."""
WANTED = count("KEEPER_STEPS", 50_000, 1_000_000)
PHASES = [Phase.generate, Phase.shrink][: 1 + count("KEEPER_SHRINK", 1, 1)]
"""Whoever only wants to know whether there is a violation need not wait for the shortest way to it."""


@pytest.mark.fault("P16")
@pytest.mark.fault("P24")
@pytest.mark.fault("P30")
@pytest.mark.fault("T6")
@pytest.mark.fault("T9")
@pytest.mark.fault("T12")
@pytest.mark.fault("T13")
@pytest.mark.fault("T22")
@pytest.mark.fault("T33")
def test_model__any_order_of_events__every_invariant_after_every_step(tell: Callable[[str], None]) -> None:
    start, examples = time.monotonic(), 0
    while STEPS["made"] < WANTED:
        # The same examples in each run, others with another KEEPER_SEED; a failure prints what it took.
        machine = seed(count("KEEPER_SEED", 1, 2) + examples)(Model)
        batch = max(1, (WANTED - STEPS["made"]) // (LENGTH * 7 // 8))
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine,
            settings=settings(
                max_examples=batch,
                stateful_step_count=LENGTH,
                deadline=None,
                database=None,
                phases=PHASES,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
        examples += batch
    seconds = time.monotonic() - start
    tell(f"model: {STEPS['made']:,} steps in {examples:,} examples, {seconds:.0f} s, 0 violations")
