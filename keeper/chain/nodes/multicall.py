"""Multicall3's `aggregate3`, written and read by slicing. Pure.

    aggregate3((address target, bool allowFailure, bytes callData)[]) -> (bool success, bytes returnData)[]

The contract stands at one address on some 250 chains. Its own four calls come first and tell which block the others
ran in. Unlike our reader it gives each call nearly all gas that is left: a read of more than READ_GAS is answered here
alone, and a failure may be for want of gas, and has to be looked at again by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from keeper.chain.nodes.shapes import Layout
from keeper.chain.nodes.sight import MAX_ANSWER, is_native
from keeper.core.abi import selector
from keeper.core.chain import Read
from keeper.core.errors import TransientError
from keeper.core.units import Address

MULTICALL3 = Address("0xcA11bde05977b3631167028862bE2a173976CA11")
AGGREGATE = "aggregate3((address,bool,bytes)[])"
SIGHT = ("getBlockNumber()", "getLastBlockHash()", "getChainId()", "getCurrentBlockTimestamp()")
SIGHT_READS = tuple(Read(MULTICALL3, selector(name)) for name in SIGHT)
SIGHT_FIELDS = len(SIGHT)
BALANCE = selector("getEthBalance(address)")

WORD = 32
_TRUE, _OFFSET_IN, _OFFSET_OUT = ((figure).to_bytes(WORD, "big") for figure in (1, 96, 64))
_FALSE = bytes(WORD)


@lru_cache(maxsize=65_536)
def _template(read: Read) -> bytes:
    """One call of the list: target, failure allowed, where its calldata is, how long that is, and it, padded."""
    if is_native(read):
        read = Read(MULTICALL3, BALANCE + bytes(12) + read.data)
    target, length = bytes.fromhex(read.to[2:]).rjust(WORD, b"\0"), len(read.data)
    padded = read.data.ljust(_padded(length), b"\0")
    return target + _TRUE + _OFFSET_IN + length.to_bytes(WORD, "big") + padded


def encode_aggregate(reads: Sequence[Read]) -> bytes:
    items = [_template(read) for read in (*SIGHT_READS, *reads)]
    offsets, at = [], WORD * len(items)
    for item in items:
        offsets.append(at.to_bytes(WORD, "big"))
        at += len(item)
    head = selector(AGGREGATE) + WORD.to_bytes(WORD, "big") + len(items).to_bytes(WORD, "big")
    return b"".join((head, *offsets, *items))


def lay_out_aggregate(output: bytes, asked: int) -> Layout:
    """Of the four calls about the block, then the reads. Raises TransientError where the output is not in the one form
    that Solidity writes, each answer right behind the one before."""
    count = asked + SIGHT_FIELDS
    base = 2 * WORD
    if output[:base] != WORD.to_bytes(WORD, "big") + count.to_bytes(WORD, "big"):
        raise TransientError(f"multicall: expected a list of {count} answers, found {output[:base].hex() or 'nothing'}")
    at, spans, failed = base + WORD * count, list[tuple[int, int]](), list[int]()
    for index in range(count):
        offset = output[base + WORD * index : base + WORD * (index + 1)]
        success, inner, length = (output[at + WORD * k : at + WORD * (k + 1)] for k in range(3))
        start, size = at + 3 * WORD, int.from_bytes(length, "big")
        if offset != (at - base).to_bytes(WORD, "big") or inner != _OFFSET_OUT or success not in (_TRUE, _FALSE):
            raise TransientError(f"multicall: answer {index}: expected it at {at - base}, found another form")
        if start + size > len(output):
            raise TransientError(f"multicall: answer {index}: expected {size} bytes, found the end")
        if success == _FALSE or size > MAX_ANSWER:
            failed.append(index)
        spans.append((start, start + size))
        at = start + _padded(size)
    if at != len(output):
        raise TransientError(f"multicall: expected {at} bytes, found {len(output)}")
    if any(index < SIGHT_FIELDS for index in failed) or any(end - start != WORD for start, end in spans[:SIGHT_FIELDS]):
        raise TransientError("multicall: expected to be told the block, found a failure")
    return Layout(spans, failed)


def _padded(length: int) -> int:
    return -(-length // WORD) * WORD
