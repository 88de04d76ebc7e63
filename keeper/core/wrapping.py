"""Coin into tokens and back: changes of an account that have no Transfer event. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.core.calls import Call, Purpose
from keeper.core.units import NATIVE, Address

WITHDRAW_ARGUMENTS = 36
"""Bytes of `withdraw(uint256)` with its selector."""


def wrapped_by(call: Call) -> Mapping[Address, int]:
    """{raw} What wrapping and unwrapping inside a call do to its account, by token; the coin under NATIVE."""
    changes: dict[Address, int] = {}
    for step in call.steps:
        if step.purpose is Purpose.WRAP:
            raw = step.value
        elif step.purpose is Purpose.UNWRAP and len(step.data) == WITHDRAW_ARGUMENTS:
            raw = -int.from_bytes(step.data[4:36], "big")
        else:
            continue
        changes[step.to] = changes.get(step.to, 0) + raw
        changes[NATIVE] = changes.get(NATIVE, 0) - raw
    return changes
