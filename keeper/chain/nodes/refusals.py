"""Whose fault an error is, by the words that clients use. Pure."""

from __future__ import annotations

from keeper.chain.nodes.messages import RpcError


def is_revert(error: RpcError) -> bool:
    """The contract failed, not the node: geth's code 3, or words that clients use for it."""
    text = error.message.lower()
    words = ("revert", "invalid opcode", "invalidopcode", "opcodenotfound", "invalid jump", "out of gas", "outofgas")
    return error.code == 3 or any(word in text for word in words)


def is_too_much(error: RpcError) -> bool:
    """The call was too large for this node: gas, size or time. Smaller pieces may pass."""
    text = error.message.lower()
    words = ("gas", "too large", "too big", "size", "limit", "timeout", "timed out", "exceed")
    lags = ("rate", "header", "missing trie", "not found", "unknown block")
    return is_revert(error) or (any(word in text for word in words) and not any(word in text for word in lags))
