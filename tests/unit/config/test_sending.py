"""Keys that concern sending: relays, what L1 costs, and what is done when it becomes expensive."""

from __future__ import annotations

import pytest

from keeper.config.presets import known, read
from keeper.config.units import fee


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
