"""Calls asked for by themselves, from nobody: one request for all that are due, at the snapshot's own block.

Chainlink's `cannotExecute` lets a check run only where the zero address asks, which tells a simulation from a
transaction; and only a call of its own brings back what its revert says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import encode

from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.plain import MAX_PLAIN
from keeper.chain.nodes.refusals import is_revert
from keeper.chain.nodes.rpc import Disagreement, Request, Rpc, RpcError
from keeper.chain.nodes.sight import NOBODY, Found, pinned
from keeper.core.chain import Block, Read
from keeper.core.errors import TransientError
from keeper.core.foreign import printable
from keeper.core.replies import ERROR, kept

MOST_TOLD = 200
MOST_GAS = 30_000_000
"""Three times what Chainlink's registries let a check use: a check that never ends must not hold up the node."""


def fetch_replies(rpc: Rpc, reads: Sequence[Read], block: Block) -> Found:
    """One answer for each, as `core.replies` keeps it; None where the node failed rather than the contract, or nodes
    disagree: one upkeep's trouble must not be that of all vaults.

    Raises TransientError or Unreachable where no node answers at all.
    """
    found: Found = {}
    for start in range(0, len(reads), MAX_PLAIN):
        some = reads[start : start + MAX_PLAIN]
        answers = _ask(rpc, [_request(read, block) for read in some])
        found |= {read: _reply(answer) for read, answer in zip(some, answers, strict=True)}
    return found


def _ask(rpc: Rpc, requests: Sequence[Request]) -> Sequence[Any]:
    try:
        return rpc.batch(requests)
    except Disagreement:
        return [None] if len(requests) == 1 else [answer for one in requests for answer in _ask(rpc, [one])]


def _request(read: Read, block: Block) -> Request:
    return "eth_call", [
        {"from": NOBODY, "to": read.to, "data": "0x" + read.data.hex(), "gas": hex(MOST_GAS)},
        pinned(block),
    ]


def _reply(answer: Any) -> bytes | None:
    if isinstance(answer, RpcError):
        return kept(revert_data(answer), reverted=True) if is_revert(answer) else None
    try:
        return kept(unhex(answer, "eth_call"), reverted=False)
    except TransientError:
        return None


def revert_data(error: RpcError) -> bytes:
    """As a string, or wrapped in an object; where the node gives none, its message as if the contract had said so."""
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    try:
        found = unhex(data, "revert data")
    except TransientError:
        found = b""
    return found or ERROR + encode(["string"], [printable(error.message, MOST_TOLD)])
