"""Whose fault an error is, by the words that clients use. Pure."""

from __future__ import annotations

from keeper.chain.nodes.messages import RpcError

FAILED = (
    "revert",
    "evm error",
    "opcode",
    "invalid jump",
    "out of gas",
    "outofgas",
    "stack underflow",
    "stack limit",
    "write protection",
    "return data out of bounds",
)
"""Words of clients for an execution that ended badly; Anvil says `EVM error`, then revm's name of it."""


def is_revert(error: RpcError) -> bool:
    """The contract failed, not the node: geth's code 3, or words that clients use for it."""
    text = error.message.lower()
    return error.code == 3 or any(word in text for word in FAILED)


def is_too_much(error: RpcError) -> bool:
    """The call was too large for this node: gas, size or time. Smaller pieces may pass."""
    text = error.message.lower()
    words = ("gas", "too large", "too big", "size", "limit", "timeout", "timed out", "exceed")
    lags = ("rate", "header", "missing trie", "not found", "unknown block")
    return is_revert(error) or (any(word in text for word in words) and not any(word in text for word in lags))
