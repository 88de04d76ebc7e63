"""Every whole configuration in the documentation loads as it stands, as `keeper check --offline` would load it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keeper.config import load
from tests.unit.config.deployments import REPOSITORY

BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(REPOSITORY)}-{number}")
    for page in sorted((REPOSITORY / "docs").rglob("*.md"))
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL), 1)
    if {"chains"} < set(re.findall(r"^(chains|vaults|upkeeps):", block, re.MULTILINE))
]


def test_documentation__has_configurations_to_copy() -> None:
    pages = {str(block.id).rpartition("-")[0] for block in BLOCKS}
    assert pages >= {f"docs/strategies/{name}.md" for name in ("weights", "peg", "sliced", "upkeeps")}


@pytest.mark.parametrize("block", BLOCKS)
def test_documentation__whole_configuration__loads_as_it_stands(block: str, tmp_path: Path) -> None:
    for name in re.findall(r"(?:keystore|password_file|key_file): \"?([\w./-]+)", block):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch(mode=0o600)
    file = tmp_path / "keeper.yaml"
    file.write_text(block, "utf-8")
    config = load(file, {}, need_env=False).config
    assert [*config.vaults, *config.upkeeps]
    assert {kept.mode for kept in (*config.vaults.values(), *config.upkeeps.values())} <= {"dry", "shadow"}
