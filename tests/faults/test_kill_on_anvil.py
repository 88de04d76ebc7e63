"""The kill matrix on Anvil with the real Uniswap: whole processes, ended by SIGKILL between decision and finality."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from keeper.config import load
from keeper.local.anvil import run_anvil
from tests.chain.node import Node
from tests.chain.treasury import LIVE_HOLDER, LIVE_KEY, build_treasury
from tests.faults.anvil_drill import AnvilDrill, Stage
from tests.faults.figures import count
from tests.faults.kills import matrix
from tests.faults.sim.drill import POINTS

SEEDS = count("KEEPER_ANVIL_SEEDS", 5, 25)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, quick_folder: Path) -> Iterator[Stage]:
    folder = quick_folder / "anvil"
    folder.mkdir(exist_ok=True)
    with run_anvil() as anvil:
        node = Node(anvil.url)
        path = build_treasury(node, tmp_path_factory.mktemp("anvil")).write(
            "killed", key=LIVE_KEY, mode="live", journal=folder / "keeper.db"
        )
        node.rpc("evm_setAutomine", False)
        yield Stage(node, load(path, {}), LIVE_HOLDER, [node.rpc("evm_snapshot")])


@pytest.mark.parametrize("step", [f"P{number}" for number in range(1, 11)])
def test_killed_on_anvil__every_point__one_swap_and_every_nonce_explained(
    step: str, stage: Stage, empty_journal: Path, quick_folder: Path, tell: Callable[[str], None]
) -> None:
    def make(shape: str, point: str, seed: int, template: Path, folder: Path, **_: Any) -> AnvilDrill:
        return AnvilDrill(stage, point, seed, template, folder)

    points = [("plain", point) for point in POINTS["plain"] if point.split(".")[0] == step]
    tell(f"Anvil, {step}, {len(points)} points: " + matrix(make, points, SEEDS, empty_journal, quick_folder / "anvil"))
