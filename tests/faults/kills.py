"""The kill matrix's loop, shared by its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tests.faults.figures import percentile
from tests.faults.sim.drill import Drill


def is_early(point: str) -> bool:
    """Up to the first send."""
    return point.split(".")[0] in ("P1", "P2", "P3", "P4", "P5", "P6")


def matrix(
    make: Callable[..., Drill],
    points: Iterable[tuple[str, str]],
    seeds: int,
    template: Path,
    folder: Path,
) -> str:
    """Every point with every seed. Returns the figures; raises Violation with point and seed where a run goes wrong."""
    runs = kills = 0
    recoveries: list[float] = []
    most_blocks = 0
    for shape, point in points:
        for seed in range(seeds):
            try:
                run = make(shape, point, seed, template, folder).run()
                if not run.kills:  # the nodes' faults led it past this point
                    run = make(shape, point, seed, template, folder, is_calm=True).run()
            except AssertionError as error:
                raise AssertionError(f"{shape} {point} seed {seed}: {error}") from error
            assert run.kills, f"{shape} {point} seed {seed}: was never passed"
            runs, kills, most_blocks = runs + 1, kills + run.kills, max(most_blocks, run.blocks)
            recoveries += run.recoveries
    slowest = percentile(recoveries, 0.99) * 1000
    return (
        f"{runs} runs, {kills} kills: 0 duplicate trades, 0 lost transactions; recovery p50 "
        f"{percentile(recoveries, 0.5) * 1000:.0f} ms, p99 {slowest:.0f} ms; over after at most {most_blocks} blocks"
    )
