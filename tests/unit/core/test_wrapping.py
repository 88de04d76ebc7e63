"""Wrapping and unwrapping inside a call, as changes of its account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.units import NATIVE
from keeper.core.wrapping import wrapped_by
from tests.builders import WETH, swap_call

WRAP = Call(WETH.address, calldata("deposit()"), 70, Purpose.WRAP, "wrap 70")
UNWRAP = Call(WETH.address, calldata("withdraw(uint256)", 30), 0, Purpose.UNWRAP, "unwrap 30")


@pytest.mark.parametrize(
    ("call", "changes"),
    [
        (WRAP, {WETH.address: 70, NATIVE: -70}),
        (UNWRAP, {WETH.address: -30, NATIVE: 30}),
        (replace(UNWRAP, data=b"another"), {}),
        (swap_call(), {}),
        (replace(swap_call(), inner=(WRAP, swap_call(), WRAP, UNWRAP)), {WETH.address: 110, NATIVE: -110}),
    ],
)
def test_wrapped_by__call__what_its_account_gains(call: Call, changes: dict[str, int]) -> None:
    assert wrapped_by(call) == changes
