"""Our own reader's form (contracts/Reader.sol), written and read. Pure.

In: `[20 bytes target][3 bytes length][calldata]` per read, where target zero asks for a native balance. Out: block
number, hash of the parent, chain id, time and how many reads were made, as words; then `[1 byte: 1 ok,
2 failed][3 bytes length][data]` for each of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from keeper.chain.nodes.shapes import Layout, Shape
from keeper.chain.nodes.sight import MAX_ANSWER, SIGHT_BYTES, Found, Sight
from keeper.core.chain import Read
from keeper.core.errors import TransientError

HEAD_WORDS = 5
ITEM_HEAD = 4
FAILED = b"\2\0\0\0"
SIGHT_FIELDS = 1
"""Fields of a layout that come before the reads' own."""


@lru_cache(maxsize=65_536)
def _template(read: Read) -> bytes:
    return bytes.fromhex(read.to[2:]) + len(read.data).to_bytes(3, "big") + read.data


def encode_reads(reads: Sequence[Read]) -> bytes:
    return b"".join(map(_template, reads))


def lay_out(output: bytes, asked: int) -> Layout:
    """Of at most `asked` reads: the reader ends early rather than starve one. Raises TransientError where the output is
    anything but whole answers, as many as it says."""
    at = 32 * HEAD_WORDS
    count = int.from_bytes(output[SIGHT_BYTES:at], "big")
    if len(output) < at or count > asked:
        raise TransientError(f"packed answer: expected at most {asked} answers, found {count} in {len(output)} bytes")
    spans, failed = [(0, SIGHT_BYTES)], []
    for index in range(SIGHT_FIELDS, count + SIGHT_FIELDS):
        head = output[at : at + ITEM_HEAD]
        start, length = at + ITEM_HEAD, int.from_bytes(head[1:], "big")
        at = start + length
        if head == FAILED:
            failed.append(index)
        elif head[:1] != b"\1" or length > MAX_ANSWER:
            raise TransientError(f"packed answer: expected an answer, found {head.hex() or 'the end'}")
        spans.append((start, at))
    if at != len(output):
        raise TransientError(f"packed answer: expected {at} bytes, found {len(output)}")
    return Layout(spans, failed)


def decode_found(output: bytes, reads: Sequence[Read]) -> tuple[Sight, Found]:
    """Raises TransientError where the output is not exactly one answer for each read."""
    found = (Shape(output, lay_out(output, len(reads))).cut(output) or [])[SIGHT_FIELDS:]
    if len(found) != len(reads):
        raise TransientError(f"packed answer: expected {len(reads)} answers, found {len(found)}")
    return Sight.of(output), dict(zip(reads, found, strict=True))
