"""Keys that concern sending: relays, what L1 costs, and what is done when it becomes expensive."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.config.presets import known, read
from keeper.config.units import block_time, fee
from tests.unit.config.deployments import ENV, GOOD, REPOSITORY, loaded


@pytest.mark.parametrize(
    ("preset", "l1"), [("base", "op"), ("base-sepolia", "op"), ("optimism", "op"), ("arbitrum", "node")]
)
def test_preset__l2__says_how_l1_is_paid_for_and_has_no_floor_of_a_gwei(preset: str, l1: str) -> None:
    fees = read(preset)["fees"]
    assert isinstance(fees, dict) and fees["l1"] == l1
    assert fee(str(fees.get("min_tip", "0 gwei"))) < 10**7


def test_preset__l1__pays_nothing_beside_gas() -> None:
    for preset in ("mainnet", "sepolia", "anvil"):
        assert preset in known()
        fees = read(preset).get("fees", {})
        assert isinstance(fees, dict) and "l1" not in fees


@pytest.mark.parametrize(
    ("preset", "hourly"), [("mainnet", 75), ("base", 300), ("optimism", 300), ("base-sepolia", 450)]
)
def test_documentation__transactions_an_hour__follow_from_the_presets(preset: str, hourly: int) -> None:
    found = read(preset)
    blocks = int(str(found["confirmations"])) + 1
    assert 3600 / (block_time(str(found["block_time"])) * blocks) == hourly
    rows = (REPOSITORY / "docs" / "transactions.md").read_text("utf-8").splitlines()
    named = [row for row in rows if row.startswith("| ") and preset in row.split("|")[1].replace(",", " ").split()]
    (row,) = [row for row in named if row.rstrip("| ")[-2:].isdigit() and "s | " in row]
    assert row.endswith(f"| {hourly} |")


def test_relay__url_from_the_environment__as_the_documentation_shows_it(tmp_path: Path) -> None:
    (line,) = [
        line
        for line in (REPOSITORY / "docs" / "transactions.md").read_text("utf-8").splitlines()
        if line.strip().startswith("relay: {url:")
    ]
    name = next(iter(loaded(tmp_path).config.chains))
    text = GOOD.replace(f"  {name}:\n", f"  {name}:\n    {line.strip()}\n", 1)
    assert text != GOOD
    relay = loaded(tmp_path, text, ENV | {"RELAY": "https://relay.example/TOKEN"}).config.chains[name].relay
    assert relay is not None
    assert (relay.url.reveal(), str(relay.url)) == ("https://relay.example/TOKEN", "https://relay.example/***")
