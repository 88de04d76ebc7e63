"""Only the owners of a Safe can act, several together: the keeper writes down what they would sign.

What is written is judged as any other draft: the same calls inside, simulated as the Safe's own, behind the same
guards. Nothing is ever tidied up this way: an allowance that owners have given is theirs to take back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keeper.core import text
from keeper.core.abi import arguments, calldata, selector
from keeper.core.authority import Most, WorstLoss
from keeper.core.calls import Calls
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.units import USD, Address, Token, TokenAmount
from keeper.custody.answers import figure
from keeper.custody.atomic import Atomic
from keeper.custody.multi_send import Operation
from keeper.custody.safe import EXECUTE, NOBODY


@dataclass(frozen=True, slots=True)
class SafeOwners:
    """`execTransaction` as the owners of an m-of-n Safe would send it, their signatures left out. No key is involved:
    the sender of such a view is the Safe itself."""

    safe: Address

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
        return (self._threshold, self._nonce)

    @property
    def _threshold(self) -> Read:
        return Read(self.safe, calldata("getThreshold()"))

    @property
    def _nonce(self) -> Read:
        return Read(self.safe, calldata("nonce()"))

    def seal(self, operation: Operation) -> bytes:
        what = operation.to, operation.value, operation.data, operation.kind
        return calldata(EXECUTE, *what, 0, 0, 0, NOBODY, NOBODY, b"")

    def unseal(self, data: bytes) -> Operation:
        to, value, inner, kind, *_ = arguments(EXECUTE, data)
        return Operation(Address(to), value, inner, kind)

    def nonce(self, view: VaultView) -> int | None:
        """The Safe's next one; None where it cannot be read."""
        return figure(view, self._nonce)

    def standing(self, view: VaultView) -> str:
        return "" if self.nonce(view) is not None else f"the nonce of Safe {self.safe} cannot be read"

    def left(self, view: VaultView) -> Mapping[Token, int]:  # noqa: ARG002  nothing but the balance bounds it
        return {}

    def notes(self, view: VaultView) -> tuple[str, ...]:
        threshold, nonce = figure(view, self._threshold), self.nonce(view)
        return (f"Safe {text.short(self.safe)}: {threshold} owners must sign, its next nonce is {nonce}",)

    @property
    def authority_reads(self) -> tuple[Read, ...]:
        return ()

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        """The coin of the Safe, which stands in for the key, is nobody's gas money."""
        threshold = figure(view, self._threshold) or "enough"
        none = Most(
            TokenAmount.zero(USD), f"no key of the keeper's moves the Safe: {threshold} of its owners must sign"
        )
        return WorstLoss(none, none, none, TokenAmount.zero(view.native.token), TokenAmount.zero(USD))


class Proposing(Atomic):
    """One call of the Safe for its owners to sign."""

    __slots__ = ()

    def tidy(self, view: VaultView) -> Calls | None:  # noqa: ARG002  see the head of this file
        return None
