"""Reads one by one, in JSON-RPC batches pinned to a block by its hash: the way that every node understands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keeper.chain.nodes.headers import quantity, unhex
from keeper.chain.nodes.messages import Request, RpcError
from keeper.chain.nodes.refusals import is_revert, is_too_much
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.nodes.sight import MAX_ANSWER, READ_GAS, is_native, pinned
from keeper.core.chain import Block, Read
from keeper.core.errors import TransientError

MAX_PLAIN, LEAST_PLAIN = 100, 10
"""Calls of one JSON-RPC batch: what several providers allow at most, and what all do."""
INTRINSIC, CALLDATA_BYTE = 21_000, 16
"""{gas} What a call pays before it runs."""


class PlainWay:
    """Guarantees that a read is None only where the contract failed, within the gas that a packed read would have."""

    name = "one by one"

    def __init__(self, rpc: Rpc, chain_id: int) -> None:
        self._rpc, self._chain_id, self._most = rpc, chain_id, MAX_PLAIN

    def fetch(self, reads: Sequence[Read], block: Block) -> list[bytes | None]:
        """Raises RpcError where the node failed, TransientError where it is of another chain."""
        found: list[bytes | None] = []
        while len(found) < len(reads):
            some = reads[len(found) : len(found) + self._most - 1]
            chain, *answers = self._rpc.batch([("eth_chainId", []), *(_request(read, block) for read in some)])
            if isinstance(chain, RpcError):
                if self._most > LEAST_PLAIN and is_too_much(chain):
                    self._most = max(LEAST_PLAIN, self._most // 2)
                    continue
                raise chain
            check_chain(quantity(chain, "chain id"), self._chain_id)
            found += [_answer(read, answer) for read, answer in zip(some, answers, strict=True)]
        return found


def check_chain(found: int, expected: int) -> None:
    if found != expected:
        raise TransientError(f"chain id: expected {expected}, was {found}")


def _request(read: Read, block: Block) -> Request:
    if is_native(read):
        return "eth_getBalance", ["0x" + read.data.hex(), pinned(block)]
    gas = hex(READ_GAS + INTRINSIC + CALLDATA_BYTE * len(read.data))
    return "eth_call", [{"to": read.to, "data": "0x" + read.data.hex(), "gas": gas}, pinned(block)]


def _answer(read: Read, answer: Any) -> bytes | None:
    """Raises RpcError where the node failed rather than the contract."""
    if isinstance(answer, RpcError):
        if not is_revert(answer):
            raise answer
        return None
    if is_native(read):
        return quantity(answer, "balance").to_bytes(32, "big")
    found = unhex(answer, "eth_call")
    return found if len(found) <= MAX_ANSWER else None
