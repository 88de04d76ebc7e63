"""Which block answered, and what a read is asked of: what every way of reading has in common. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.core.chain import Block, Read
from keeper.core.units import Address

NOBODY = Address("0x0000000000000000000000000000000000000000")

READ_GAS = 3_000_000
"""What each read may use: more than any view needs, and a tenth of what nodes grant a call at least."""
MAX_ANSWER = 16_384
"""{bytes} A longer answer is an attack on our memory, not a figure: it counts as a failure."""
SIGHT_BYTES = 128

Found = dict[Read, bytes | None]


@dataclass(frozen=True, slots=True)
class Sight:
    """The block that a call ran in, as its opcodes tell. Two blocks of one parent still differ in their time."""

    number: int
    parent_hash: str
    chain_id: int
    timestamp: int

    @classmethod
    def of(cls, words: bytes) -> Sight:
        figures = (int.from_bytes(words[at : at + 32], "big") for at in (0, 64, 96))
        number, chain_id, timestamp = figures
        return cls(number, "0x" + words[32:64].hex(), chain_id, timestamp)

    def matches(self, block: Block) -> bool:
        seen = (self.number, self.parent_hash, self.chain_id, self.timestamp)
        return seen == (block.number, block.parent_hash, block.chain_id, block.timestamp)


def native_balance(address: Address) -> Read:
    """The native balance of `address`; the answer is one word."""
    return Read(NOBODY, bytes.fromhex(address[2:]))


def is_native(read: Read) -> bool:
    return read.to == NOBODY and len(read.data) == 20


def pinned(block: Block) -> dict[str, str]:
    """A block by its hash (EIP-1898)."""
    return {"blockHash": block.hash}
