"""What a call that is asked for by itself replied: its result, or what its revert says. Pure.

Batched reads tell of a revert only that there was one. A contract that says by itself when it wants to be called may
say by its revert what it lacks, so its answer is kept whole: one byte for the way it ended, then the data.
"""

from __future__ import annotations

from dataclasses import dataclass

from keeper.core.abi import selector

MOST = 100_000
"""{bytes} Of a reply. Calldata as large as this no node takes: a transaction of geth's pool has 128 kB in all."""

RETURNED, REVERTED = b"\x01", b"\x00"

ERROR = selector("Error(string)")


@dataclass(frozen=True, slots=True)
class Reverted:
    """The call failed; `data` is what its revert carries, as the contract wrote it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class TooLarge:
    """More than `MOST` bytes: nothing of it is looked at."""


def kept(data: bytes, *, reverted: bool) -> bytes:
    """A reply as one answer of a snapshot. What is too large is cut, one byte beyond what is believed."""
    return (REVERTED if reverted else RETURNED) + data[: MOST + 1]


def parse_reply(answer: bytes) -> bytes | Reverted | TooLarge:
    """What `kept` has kept."""
    data = answer[1:]
    if len(data) > MOST:
        return TooLarge()
    return data if answer[:1] == RETURNED else Reverted(data)
