"""The key is a module of a Safe, or calls one: a transaction of the Safe without a signature.

`execTransactionFromModule` answers false where the operation fails and does not revert: whoever simulates it or reads
its receipt must look (`chain/sending/reported.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keeper.core import text
from keeper.core.abi import arguments, calldata, selector
from keeper.core.authority import WorstLoss
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.module_calls import EXECUTE_FROM_MODULE
from keeper.core.units import Address, Token
from keeper.custody.answers import is_true
from keeper.custody.authority import everything, full_right, nothing, safe_reads
from keeper.custody.multi_send import Operation

IS_ENABLED = "isModuleEnabled(address)"


@dataclass(frozen=True, slots=True)
class SafeModule:
    """`execTransactionFromModule`, of the Safe itself where the key is enabled as a module, else of `module`, which has
    the same function and passes it on. A bare key has full authority; what a module permits is the module's business.
    """

    safe: Address
    sender: Address
    module: Address | None = None

    @property
    def title(self) -> str:
        return "Safe" if self.module is None else "module"

    @property
    def target(self) -> Address:
        return self.module or self.safe

    @property
    def selector(self) -> bytes:
        return selector(EXECUTE_FROM_MODULE)

    @property
    def reads(self) -> tuple[Read, ...]:
        return (self._enabled,)

    @property
    def _enabled(self) -> Read:
        return Read(self.safe, calldata(IS_ENABLED, self.module or self.sender))

    def seal(self, operation: Operation) -> bytes:
        return calldata(EXECUTE_FROM_MODULE, operation.to, operation.value, operation.data, operation.kind)

    def unseal(self, data: bytes) -> Operation:
        to, value, inner, kind = arguments(EXECUTE_FROM_MODULE, data)
        return Operation(Address(to), value, inner, kind)

    def standing(self, view: VaultView) -> str:
        if is_true(view, self._enabled):
            return ""
        return f"{self.module or self.sender} is no enabled module of Safe {self.safe}"

    def left(self, view: VaultView) -> Mapping[Token, int]:  # noqa: ARG002  nothing but the balance bounds it
        return {}

    def notes(self, view: VaultView) -> tuple[str, ...]:  # noqa: ARG002  as above
        return ()

    @property
    def authority_reads(self) -> tuple[Read, ...]:
        return safe_reads(self.safe, self.sender)

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        full = full_right(view, self.safe, self.sender)
        if isinstance(full, Unusable):
            return full
        if full:
            return everything(view, full)
        if self.module is None or not is_true(view, self._enabled):
            return nothing(view, "the key moves nothing of the Safe: what it goes through is not enabled")
        return everything(view, f"what module {text.short(self.module)} lets its key do is not known here")
