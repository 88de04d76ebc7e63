"""Nonces that a person accounts for, because the journal cannot."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.core.errors import JournalError
from keeper.core.units import Address


@dataclass(frozen=True, slots=True)
class Adoption:
    """From here on `next_nonce` is the sender's next one; what lies below it and is no intent, a person answers for."""

    chain_id: int
    sender: Address
    next_nonce: int

    def __str__(self) -> str:
        """`0x…@8453:17`, as it stands in a request."""
        return f"{self.sender}@{self.chain_id}:{self.next_nonce}"

    @classmethod
    def parse(cls, text: str) -> Adoption:
        """Raises JournalError."""
        sender, _, rest = text.partition("@")
        chain_id, _, nonce = rest.partition(":")
        if not (sender and chain_id.isdecimal() and nonce.isdecimal()):
            raise JournalError(f"adopt: expected SENDER@CHAIN_ID:NONCE, found {text}")
        return cls(int(chain_id), Address(sender), int(nonce))
