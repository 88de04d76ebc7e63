"""Why a call failed, in words: the data of a revert, decoded."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from keeper.core.abi import selector
from keeper.core.foreign import printable

_ERROR = selector("Error(string)")
_PANIC = selector("Panic(uint256)")
MAX_TEXT = 200

_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "value out of range for an enum",
    0x22: "damaged storage encoding",
    0x31: "pop from an empty array",
    0x32: "array index out of bounds",
    0x41: "out of memory",
    0x51: "call of an uninitialised function",
}
"""From the Solidity documentation, "Panic via assert and Error via require"."""

_CUSTOM = {
    selector(signature): signature
    for signature in (
        "ERC20InsufficientBalance(address,uint256,uint256)",
        "ERC20InsufficientAllowance(address,uint256,uint256)",
        "ERC20InvalidReceiver(address)",
        "ERC20InvalidSpender(address)",
        "SafeERC20FailedOperation(address)",
        "AddressEmptyCode(address)",
        "FailedCall()",
        "FailedInnerCall()",
        "EnforcedPause()",
        "OwnableUnauthorizedAccount(address)",
        "AccessControlUnauthorizedAccount(address,bytes32)",
        "ReentrancyGuardReentrantCall()",
        "InsufficientBalance()",
        "InsufficientAllowance()",
        "TransferFailed()",
        "TransferFromFailed()",
        "DeadlineExpired()",
        "Expired()",
        "Unauthorized()",
        "OnlySimulatedBackend()",
        "OnlyForwarder()",
        "UnauthorizedCaller()",
        "AllowanceExpired(uint256)",
        "InsufficientAllowance(uint256)",
        # Zodiac: its modifiers' base, and Roles v2
        "NotAuthorized(address)",
        "NoMembership()",
        "ModuleTransactionFailed()",
        "MalformedMultiEntrypoint()",
        "FunctionSignatureTooShort()",
        "CalldataOutOfBounds()",
    )
}

_MEANINGS = {
    "STF": "safe transfer failed: allowance or balance too small, or the token refuses: paused, blocked",
    "TF": "transfer failed: the token refuses, as where it is paused or blocks somebody",
    "IIA": "the pool got less than it was sent: the token takes a fee on transfer, or keeps shares",
    "UniswapV2: K": "the pair got less than it was sent: the token takes a fee on transfer, or keeps shares",
    "UniswapV2: TRANSFER_FAILED": "the token refuses, as where it is paused or blocks somebody",
    "SPL": "price limit already passed",
    "AS": "amount is zero",
    "LOK": "pool is locked",
    "Too little received": "less than min_out",
    "Transaction too old": "past its deadline",
    "UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT": "less than min_out",
    "UniswapV2Router: EXPIRED": "past its deadline",
    "GS013": "the operation failed inside the Safe",
    "GS025": "the Safe knows no approval of this owner",
    "GS026": "the signer is no owner of the Safe",
    "GS104": "the caller is no enabled module of the Safe",
    "TransferHelper: TRANSFER_FROM_FAILED": "transfer failed: allowance or balance too small",
}
"""What the terse texts of the venues stand for, from their sources."""


_NAMED = {
    "NotAuthorized": "the caller is no module of the modifier",
    "NoMembership": "the key is no member of the role",
    "ModuleTransactionFailed": "the role allows it, but it failed inside",
    "MalformedMultiEntrypoint": "the modifier's unwrapper cannot read the multiSend",
}
"""What errors that are told by their name alone stand for."""

_VIOLATION = selector("ConditionViolation(uint8,bytes32)")
_VIOLATIONS = (
    "no violation",
    "delegatecall not allowed",
    "target not allowed",
    "function not allowed",
    "sending coin not allowed",
    "none of several conditions holds",
    "a condition holds that must not",
    "parameter not allowed",
    "parameter less than allowed",
    "parameter greater than allowed",
    "parameter does not match",
    "not every element of a list is allowed",
    "no element of a list is allowed",
    "list not among the allowed",
    "mask beyond the parameter",
    "masked parameter not allowed",
    "custom condition not met",
    "allowance exceeded",
    "allowance of calls exceeded",
    "allowance of coin exceeded",
)
"""The statuses of Roles v2, in their order (PermissionChecker.Status)."""


def decode_revert(data: bytes) -> str:
    """One line, never empty, foreign text made harmless. Never raises."""
    if not data:
        return "reverted without a reason"
    head, body = data[:4], data[4:]
    if head == _ERROR:
        return _text(body)
    if head == _PANIC and len(body) == 32:
        code = int.from_bytes(body, "big")
        return f"panic 0x{code:02x}: {_PANICS.get(code, 'unknown')}"
    if head == _VIOLATION and len(body) == 64:
        return _violation(body)
    if head in _CUSTOM:
        return _custom(_CUSTOM[head], body)
    return f"reverted with unknown error 0x{head.hex()} ({len(data)} bytes)"


def _text(body: bytes) -> str:
    try:
        (raw,) = decode(["bytes"], body)
    except (DecodingError, OverflowError):
        return "reverted with damaged text"
    text = printable(raw.decode("utf-8", "replace"), MAX_TEXT)
    meaning = _MEANINGS.get(text)
    return f"{text} ({meaning})" if meaning else text or "reverted with an empty text"


def _violation(body: bytes) -> str:
    """`Roles: function not allowed (0x095ea7b3)`, `Roles: allowance exceeded (WETH-out)`"""
    status, info = int.from_bytes(body[:32], "big"), body[32:].rstrip(b"\0")
    what = _VIOLATIONS[status] if status < len(_VIOLATIONS) else f"status {status}"
    plain = info.decode("ascii", "replace")
    told = plain if plain.isascii() and plain.isprintable() else f"0x{info.hex()}"
    return f"Roles: {what} ({told})" if info else f"Roles: {what}"


def _custom(signature: str, body: bytes) -> str:
    name, _, rest = signature.partition("(")
    types = [kind for kind in rest.rstrip(")").split(",") if kind]
    try:
        values = decode(types, body)
    except (DecodingError, OverflowError):
        return name
    said = f"{name}({', '.join(_show(value) for value in values)})"
    return f"{said}: {_NAMED[name]}" if name in _NAMED else said


def _show(value: Any) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
