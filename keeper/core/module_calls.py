"""Calls of a Safe's modules, which may fail without reverting: the answer is false, and a log says so."""

from __future__ import annotations

from eth_utils.crypto import keccak

from keeper.core.abi import WORD, selector
from keeper.core.calls import Call

EXECUTE_FROM_MODULE = "execTransactionFromModule(address,uint256,bytes,uint8)"
EXECUTION_FAILED = "0x" + keccak(text="ExecutionFromModuleFailure(address)").hex()
"""Topic of the Safe's log of it."""
FAILED_QUIETLY = "the Safe's module call failed without reverting (ExecutionFromModuleFailure)"


def may_fail_quietly(call: Call) -> bool:
    return call.selector == selector(EXECUTE_FROM_MODULE)


def says_it_failed(call: Call, answer: bytes) -> bool:
    """What a call returned, where that is its only way to say so. Anything but true has not succeeded."""
    return may_fail_quietly(call) and int.from_bytes(answer[:WORD], "big") != 1
