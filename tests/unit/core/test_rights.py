"""Failures that say that this key may not, and others."""

from __future__ import annotations

import pytest

from keeper.chain.sending.reverts import decode_revert
from keeper.core.abi import calldata, selector
from keeper.core.rights import lacks_right
from tests.builders import address


def error(text: str) -> bytes:
    return calldata("Error(string)", text)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (selector("NoMembership()"), True),
        (calldata("NotAuthorized(address)", address(5)), True),
        (calldata("ConditionViolation(uint8,bytes32)", 3, b"\x09\x5e\xa7\xb3".ljust(32, b"\0")), True),
        (calldata("ConditionViolation(uint8,bytes32)", 17, b"weth-out".ljust(32, b"\0")), True),
        (error("GS020"), True),
        (error("GS026"), True),
        (error("GS104"), True),
        (error("GS013"), False),
        (error("Too little received"), False),
        (selector("ModuleTransactionFailed()"), False),
        (b"", False),
    ],
)
def test_lacks_right__what_a_safe_or_a_role_answers__tells_rights_from_failures(data: bytes, expected: bool) -> None:
    failure = f"Roles → MultiSend[approve, swap, approve 0]: {decode_revert(data)}"
    assert lacks_right(failure) is expected
