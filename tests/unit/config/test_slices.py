"""The page on slices has a configuration to copy: it loads, and means what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keeper.core.errors import ConfigError
from tests.unit.config.deployments import GOOD, REPOSITORY, edited, loaded

PAGE = (REPOSITORY / "docs" / "strategies" / "sliced.md").read_text("utf-8")


def test_page__configuration__loads_as_it_stands(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\nchains:.*?\n(vaults:\n.*?)```", PAGE, re.DOTALL)
    vault = loaded(tmp_path, GOOD[: GOOD.index("vaults:")] + block).config.vaults["treasury"]
    assert vault.slices is not None
    assert (vault.slices.deadline, vault.slices.worse, vault.slices.most) == (28_800, 50, 24)
    assert (vault.execution.slippage, vault.execution.volatility) == ("auto", 7_000)


@pytest.mark.parametrize("written", ["auto", "{}"])
def test_slices__without_any_key__have_their_defaults(tmp_path: Path, written: str) -> None:
    text = edited("    schedule: {every: 5m}\n", f"    schedule: {{every: 5m}}\n    slices: {written}\n")
    slices = loaded(tmp_path, text).config.vaults["treasury"].slices
    assert slices is not None
    assert (slices.most, slices.spacing, slices.deadline, slices.worse, slices.jitter) == (24, None, None, 100, 2_500)


def test_slices__auto_and_as_a_mapping__are_the_same_configuration(tmp_path: Path) -> None:
    hashes = set()
    for written in ("auto", "{}", "{most: 24}"):
        text = edited("    schedule: {every: 5m}\n", f"    schedule: {{every: 5m}}\n    slices: {written}\n")
        hashes.add(loaded(tmp_path, text).hash)
    assert len(hashes) == 1
    assert loaded(tmp_path).hash not in hashes


def test_slippage__at_the_guard__is_allowed_and_one_more_is_not(tmp_path: Path) -> None:
    old, new = "    schedule: {every: 5m}\n", "    schedule: {every: 5m}\n    execution: {slippage: %s}\n"
    assert loaded(tmp_path, edited(old, new % "30bps")).config.vaults["treasury"].execution.slippage == 30
    with pytest.raises(ConfigError, match="1bps to max_slippage"):
        loaded(tmp_path, edited(old, new % "31bps"))
