"""The example deployments are valid as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.config import load, show
from tests.unit.config.deployments import REPOSITORY

EXAMPLES = sorted((REPOSITORY / "config").glob("*.yaml"))


def test_examples__are_those_of_the_documentation() -> None:
    assert [path.stem for path in EXAMPLES] == ["anvil", "base", "demo", "mainnet", "peg", "sepolia"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example__without_environment_or_keys__loads_offline(path: Path) -> None:
    loaded = load(path, {}, need_env=False)
    assert len(loaded.hash) == 64
    assert {origin.split()[0] for _, _, origin in show(loaded)} >= {"file", "default"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example__off_a_local_chain__is_dry(path: Path) -> None:
    config = load(path, {}, need_env=False).config
    assert [name for name, vault in config.vaults.items() if vault.is_live and not config.chain_of(name).is_local] == []
