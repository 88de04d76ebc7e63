"""`band: auto` from end to end: costs from a real Uniswap v3 pool and the node's gas, told by `plan` and `explain`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chain.treasury import Treasury, says

FIXED = "trigger: 4pp, destination: 2pp}"
AUTO = "band: {max: 8pp, volatility: {WETH: 65%, USDC: 1%}}, dust: auto, clip: auto}"


@pytest.fixture(scope="module")
def path(treasury: Treasury) -> Path:
    path = treasury.write("auto")
    text = path.read_text("utf-8")
    assert text.count(FIXED) == 1
    path.write_text(text.replace(FIXED, AUTO), "utf-8")
    return path


def test_plan__bands_from_costs__says_them_and_a_year(treasury: Treasury, path: Path) -> None:
    """The pool's fee is 5 bps, and 1 % of a $150,000 vault hardly moves $15m on each side."""
    text = says(treasury.keeper("plan", path), 0, "REBALANCE", "bands    ", "WETH/USDC ±", "year     about ")
    assert "fee 5 bps" in text
    found = json.loads(treasury.keeper("plan", path, "--json").out)
    (decision,) = found
    (band,) = decision["plan"]["forecast"]["bands"]
    assert 0 < float(band["impact_bps"]) < 5
    assert 0.48 < float(band["self_check"]) < 1.02
    assert 10 <= band["destination_bps"] <= band["trigger_bps"] <= 800
    (trade,) = decision["trades"]
    assert float(trade["notional"]["whole"]) < 30_000, "a slice, by the root of gas and depth"


def test_explain__of_what_was_decided__shows_the_same_bands(treasury: Treasury, path: Path) -> None:
    assert treasury.keeper("once", path).code == 0
    says(treasury.keeper("explain", "--config", path), 0, "bands    WETH/USDC ±", "loss/cost", "year     about ")
