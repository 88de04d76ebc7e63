"""Headers and figures as a node writes them, checked before anything is believed."""

from __future__ import annotations

from binascii import unhexlify
from typing import Any

from keeper.core.chain import Block
from keeper.core.errors import TransientError
from keeper.core.units import Wei

HASH_DIGITS = 64
MAX_QUANTITY_DIGITS = 64


def quantity(value: Any, what: str) -> int:
    """`0x1a` -> 26. Raises TransientError for anything but a hex figure of at most 256 bits."""
    if isinstance(value, str) and value.startswith("0x") and 0 < len(value) - 2 <= MAX_QUANTITY_DIGITS:
        try:
            return int(value[2:], 16)
        except ValueError:
            pass
    raise TransientError(f"{what}: expected a hex figure, was {_told(value)}")


def hash_of(value: Any, what: str) -> str:
    """A 32-byte hash in lower case. Raises TransientError."""
    if isinstance(value, str) and len(value) == HASH_DIGITS + 2 and len(unhex(value, what)) == HASH_DIGITS // 2:
        return value.lower()
    raise TransientError(f"{what}: expected a 32-byte hash, was {_told(value)}")


def unhex(value: Any, what: str) -> bytes:
    """`0x…` -> bytes. Raises TransientError."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return unhexlify(value[2:])
        except ValueError:
            pass
    raise TransientError(f"{what}: expected hex bytes, was {_told(value)}")


def parse_block(answer: Any, chain_id: int) -> Block:
    """A header as `eth_getBlockBy…` gives it. Raises TransientError where a field is missing or not of its kind."""
    if not isinstance(answer, dict):
        raise TransientError(f"block: expected a header, was {_told(answer)}")
    base_fee = answer.get("baseFeePerGas")
    return Block(
        chain_id=chain_id,
        number=quantity(answer.get("number"), "block number"),
        hash=hash_of(answer.get("hash"), "block hash"),
        parent_hash=hash_of(answer.get("parentHash"), "parent hash"),
        timestamp=quantity(answer.get("timestamp"), "block time"),
        base_fee=None if base_fee is None else Wei(quantity(base_fee, "base fee")),
        gas_limit=quantity(answer.get("gasLimit"), "gas limit"),
    )


def parse_tip(answer: Any) -> Wei | None:
    """{wei / gas} The median of what recent blocks paid, from an `eth_feeHistory` of one percentile, or None."""
    rewards = answer.get("reward") if isinstance(answer, dict) else None
    if not isinstance(rewards, list):
        return None
    try:
        tips = sorted(quantity(row[0], "reward") for row in rewards if isinstance(row, list) and row)
    except TransientError:
        return None
    return Wei(tips[len(tips) // 2]) if tips else None


def parse_next_base_fee(answer: Any) -> int | None:
    """{wei / gas} What an `eth_feeHistory` says of the block after its newest, or None: its last figure, one more than
    there are blocks."""
    fees = answer.get("baseFeePerGas") if isinstance(answer, dict) else None
    ratios = answer.get("gasUsedRatio") if isinstance(answer, dict) else None
    if not isinstance(fees, list) or not isinstance(ratios, list) or len(fees) != len(ratios) + 1:
        return None
    try:
        return quantity(fees[-1], "base fee")
    except TransientError:
        return None


def _told(value: Any) -> str:
    """Enough of a foreign value to recognise it by."""
    return repr(value)[:40] if isinstance(value, str | int | None) else type(value).__name__
