"""Revert data, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.sending.reverts import decode_revert
from keeper.core.abi import calldata

ACCOUNT = "0x00000000000000000000000000000000000aCC00"
VIOLATION = "ConditionViolation(uint8,bytes32)"


@pytest.mark.fault("T15")
@pytest.mark.fault("T16")
@pytest.mark.fault("T27")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "reverted without a reason"),
        (calldata("Error(string)", "no"), "no"),
        (calldata("Error(string)", ""), "reverted with an empty text"),
        (
            calldata("Error(string)", "STF"),
            "STF (safe transfer failed: allowance or balance too small, or the token refuses: paused, blocked)",
        ),
        (calldata("Error(string)", "Too little received"), "Too little received (less than min_out)"),
        (calldata("Error(string)", "Transaction too old"), "Transaction too old (past its deadline)"),
        (calldata("Error(string)", "a\x1b[2Jb\n"), "a\\x1b[2Jb\\n"),
        (calldata("Error(string)", "x")[:40], "reverted with damaged text"),
        (calldata("Panic(uint256)", 0x11), "panic 0x11: arithmetic overflow or underflow"),
        (calldata("Panic(uint256)", 0x99), "panic 0x99: unknown"),
        (calldata("EnforcedPause()"), "EnforcedPause()"),
        (
            calldata("ERC20InsufficientBalance(address,uint256,uint256)", ACCOUNT, 1, 2),
            f"ERC20InsufficientBalance({ACCOUNT.lower()}, 1, 2)",
        ),
        (calldata("Error(string)", "GS013"), "GS013 (the operation failed inside the Safe)"),
        (calldata("NoMembership()"), "NoMembership(): the key is no member of the role"),
        (calldata("ModuleTransactionFailed()"), "ModuleTransactionFailed(): the role allows it, but it failed inside"),
        (calldata(VIOLATION, 2, bytes(32)), "Roles: target not allowed"),
        (
            calldata(VIOLATION, 3, bytes.fromhex("095ea7b3").ljust(32, b"\0")),
            "Roles: function not allowed (0x095ea7b3)",
        ),
        (calldata(VIOLATION, 17, b"WETH-out".ljust(32, b"\0")), "Roles: allowance exceeded (WETH-out)"),
        (calldata(VIOLATION, 19, bytes(32)), "Roles: allowance of coin exceeded"),
        (calldata(VIOLATION, 20, b"\x1b[2J".ljust(32, b"\0")), "Roles: status 20 (0x1b5b324a)"),
        (calldata("ERC20InsufficientBalance(address,uint256,uint256)", ACCOUNT, 1, 2)[:30], "ERC20InsufficientBalance"),
        (b"\xde\xad\xbe\xef\x00", "reverted with unknown error 0xdeadbeef (5 bytes)"),
    ],
)
def test_decode_revert__data__one_line(data: bytes, expected: str) -> None:
    assert decode_revert(data) == expected


@given(
    st.sampled_from(["Error(string)", "Panic(uint256)", "SafeERC20FailedOperation(address)", VIOLATION]), st.binary()
)
def test_decode_revert__any_bytes__never_raises_and_stays_printable(signature: str, tail: bytes) -> None:
    from keeper.core.abi import selector

    text = decode_revert(selector(signature) + tail)
    assert text and "\n" not in text and len(text) < 1_000
