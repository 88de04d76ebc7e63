"""Several calls of a Safe in one: MultiSendCallOnly, run by delegatecall, so that the Safe itself makes each of them.

Its argument is packed, call after call: `[1 byte operation][20 bytes to][32 bytes value][32 bytes length][data]`. It
reverts as a whole where one of them does, and does no delegatecalls of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from keeper.core.abi import arguments, calldata
from keeper.core.calls import Inner
from keeper.core.units import Address

MULTI_SEND = "multiSend(bytes)"
CALL, DELEGATECALL = 0, 1
_HEAD = 85
"""Bytes of one packed call before its data."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a Safe is asked to do: CALL, or DELEGATECALL of code that then acts as the Safe."""

    to: Address
    value: int
    data: bytes
    kind: int


def bundle(calls: Sequence[Inner], multi_send: Address) -> Operation:
    """A single call is made directly, which is cheaper and shows why it fails; several through MultiSendCallOnly."""
    if len(calls) == 1:
        ((to, value, data),) = calls
        return Operation(to, value, data, CALL)
    packed = b"".join(_packed(*call) for call in calls)
    return Operation(multi_send, 0, calldata(MULTI_SEND, packed), DELEGATECALL)


def unbundle(operation: Operation, multi_send: Address) -> tuple[Inner, ...] | str:
    """The calls inside, or why this is nothing that `bundle` would have made."""
    if operation.kind == CALL:
        return ((operation.to, operation.value, operation.data),)
    if operation.kind != DELEGATECALL or operation.to != multi_send:
        return f"operation: expected a call, or a delegatecall of {multi_send}, was {operation.kind} of {operation.to}"
    try:
        calls = _unpacked(operation.data)
    except (DecodingError, ValueError, OverflowError) as error:
        return f"multiSend: {error}"
    if not calls or bundle(calls, multi_send) != operation:
        return "multiSend: not in the form that this keeper writes"
    return calls


def _packed(to: Address, value: int, data: bytes) -> bytes:
    return bytes([CALL]) + bytes.fromhex(to[2:]) + value.to_bytes(32, "big") + len(data).to_bytes(32, "big") + data


def _unpacked(data: bytes) -> tuple[Inner, ...]:
    """Raises DecodingError or ValueError."""
    (packed,) = arguments(MULTI_SEND, data)
    calls, at = [], 0
    while at < len(packed):
        head = packed[at : at + _HEAD]
        size = int.from_bytes(head[53:], "big")
        if len(head) != _HEAD or len(packed) - at - _HEAD < size:
            raise ValueError(f"cut short at byte {at}")
        to = Address(to_checksum_address(head[1:21]))
        calls.append((to, int.from_bytes(head[21:53], "big"), packed[at + _HEAD : at + _HEAD + size]))
        at += _HEAD + size
    return tuple(calls)
