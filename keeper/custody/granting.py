"""The calls of a Safe that give a key its role at a Roles modifier (v2), or take everything of it away again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeper.core.abi import calldata, selector
from keeper.core.calls import Inner
from keeper.core.units import Address, Token
from keeper.custody.multi_send import MULTI_SEND
from keeper.custody.scopes import APPROVE, Scope

SET_ALLOWANCE = "setAllowance(bytes32,uint128,uint128,uint128,uint64,uint64)"
ASSIGN = "assignRoles(address,bytes32[],bool[])"
DAY = 86_400
"""{s}"""
UNWRAPPER = Address("0x93B7fCbc63ED8a3a24B59e1C3e6649D50B7427c0")
"""Zodiac's MultiSendUnwrapper at its address on every chain where Roles v2 is (zodiac-modifier-roles,
packages/deployments)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a role must be. `a_day` {raw} may be sold of each token in a day, which its allowance holds when full."""

    safe: Address
    modifier: Address
    key: Address
    role: bytes
    multi_send: Address
    scopes: Sequence[Scope]
    allowances: Mapping[Token, bytes]
    a_day: Mapping[Token, int]

    @property
    def targets(self) -> tuple[Address, ...]:
        return tuple(dict.fromkeys(scope.target for scope in self.scopes))

    def give(self, *, is_enabled: bool, is_unwrapped: bool) -> list[Inner]:
        """Membership comes last. What the Safe and the modifier have already is not set again."""
        slot = calldata(
            "setTransactionUnwrapper(address,bytes4,address)", self.multi_send, selector(MULTI_SEND), UNWRAPPER
        )
        calls = [] if is_unwrapped else [self._set(slot)]
        if not is_enabled:
            calls.insert(0, (self.safe, 0, calldata("enableModule(address)", self.modifier)))
        for token, key in self.allowances.items():
            raw = self.a_day[token]
            calls.append(self._set(calldata(SET_ALLOWANCE, key, raw, raw, raw, DAY, 0)))
        calls += [self._set(calldata("scopeTarget(bytes32,address)", self.role, target)) for target in self.targets]
        calls += [self._set(scope.call(self.role)) for scope in self.scopes]
        return [*calls, self._set(calldata(ASSIGN, self.key, [self.role], [True]))]

    def take(self, standing: Mapping[tuple[Token, Address], int]) -> list[Inner]:
        """Membership goes first; then what it rested on, and allowances of the Safe that routers still have."""
        calls = [self._set(calldata(ASSIGN, self.key, [self.role], [False]))]
        calls += [self._set(calldata("revokeTarget(bytes32,address)", self.role, target)) for target in self.targets]
        calls += [self._set(calldata(SET_ALLOWANCE, key, 0, 0, 0, 0, 0)) for key in self.allowances.values()]
        left = [key for key, raw in standing.items() if raw]
        return [*calls, *((token.address, 0, calldata(APPROVE, spender, 0)) for token, spender in left)]

    def _set(self, data: bytes) -> Inner:
        return self.modifier, 0, data
