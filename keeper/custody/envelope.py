"""The outer call through which a key makes an account act, and the seam for each way to do so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from keeper.core.authority import WorstLoss
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.units import Address, Token
from keeper.custody.multi_send import Operation


class Envelope(Protocol):
    """One way to make a Safe do an operation. Pure, and the same operation is always the same bytes."""

    @property
    def title(self) -> str:
        """What is called, for people: `Safe`, `Roles`."""
        ...

    @property
    def target(self) -> Address:
        """Whom the key calls."""
        ...

    @property
    def selector(self) -> bytes: ...

    @property
    def reads(self) -> tuple[Read, ...]:
        """What `standing` must know, read with every view."""
        ...

    def seal(self, operation: Operation) -> bytes:
        """The outer calldata."""
        ...

    def unseal(self, data: bytes) -> Operation:
        """The operation inside; what else stands in `data` is not looked at. Raises DecodingError or ValueError."""
        ...

    def standing(self, view: VaultView) -> str:
        """Why the key may not act at this block, or an empty string."""
        ...

    def left(self, view: VaultView) -> Mapping[Token, int]:
        """{raw} What may still be sold of each token that has an allowance."""
        ...

    def notes(self, view: VaultView) -> tuple[str, ...]:
        """What else is worth knowing of the key's rights, a line each."""
        ...

    @property
    def authority_reads(self) -> tuple[Read, ...]:
        """What `authority` must know beside `reads`; asked for only then."""
        ...

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        """The most that a thief of the key could cost."""
        ...
