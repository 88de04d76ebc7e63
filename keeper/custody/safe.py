"""The key is an owner of a Safe whose threshold is 1: it executes the Safe's transactions itself.

The signature is the pre-validated one (65 bytes: the owner's address, a word of nothing, and 1), which a Safe takes as
approved where the sender is that owner: nothing is signed beside the transaction. With safeTxGas and gasPrice zero the
Safe reverts where the operation fails, and pays nobody back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keeper.core import text
from keeper.core.abi import arguments, calldata, selector
from keeper.core.authority import WorstLoss
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.units import Address, Token
from keeper.custody.answers import figure, is_true
from keeper.custody.authority import everything, full_right, nothing, safe_reads
from keeper.custody.multi_send import Operation

EXECUTE = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
NOBODY = Address("0x0000000000000000000000000000000000000000")
PREVALIDATED = b"\x01"


@dataclass(frozen=True, slots=True)
class SafeOwner:
    """`execTransaction` by an owner of a 1-of-n Safe. Such a key has full authority over the Safe."""

    safe: Address
    sender: Address

    @property
    def title(self) -> str:
        return "Safe"

    @property
    def target(self) -> Address:
        return self.safe

    @property
    def selector(self) -> bytes:
        return selector(EXECUTE)

    @property
    def reads(self) -> tuple[Read, ...]:
        return (self._threshold, self._owner)

    @property
    def _threshold(self) -> Read:
        return Read(self.safe, calldata("getThreshold()"))

    @property
    def _owner(self) -> Read:
        return Read(self.safe, calldata("isOwner(address)", self.sender))

    def seal(self, operation: Operation) -> bytes:
        what = operation.to, operation.value, operation.data, operation.kind
        signature = bytes(12) + bytes.fromhex(self.sender[2:]) + bytes(32) + PREVALIDATED
        return calldata(EXECUTE, *what, 0, 0, 0, NOBODY, NOBODY, signature)

    def unseal(self, data: bytes) -> Operation:
        to, value, inner, kind, *_ = arguments(EXECUTE, data)
        return Operation(Address(to), value, inner, kind)

    def standing(self, view: VaultView) -> str:
        threshold = figure(view, self._threshold)
        if threshold is None:
            return f"the threshold of Safe {self.safe} cannot be read"
        if not is_true(view, self._owner):
            return f"{self.sender} is no owner of Safe {self.safe}"
        return "" if threshold == 1 else f"Safe {text.short(self.safe)}: threshold: expected 1, was {threshold}"

    def left(self, view: VaultView) -> Mapping[Token, int]:  # noqa: ARG002  nothing but the balance bounds it
        return {}

    def notes(self, view: VaultView) -> tuple[str, ...]:  # noqa: ARG002  as above
        return ()

    @property
    def authority_reads(self) -> tuple[Read, ...]:
        return safe_reads(self.safe, self.sender)

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        full = full_right(view, self.safe, self.sender)
        if full or isinstance(full, Unusable):
            return full if isinstance(full, Unusable) else everything(view, full)
        return nothing(view, "the key alone moves nothing of the Safe")
