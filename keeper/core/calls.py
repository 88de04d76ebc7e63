"""Nouns of what is sent: one contract call, and the sender's transactions in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from keeper.core.units import Address, TokenAmount


class Purpose(StrEnum):
    APPROVE = "approve"
    REVOKE = "revoke"
    WRAP = "wrap"
    UNWRAP = "unwrap"
    SWAP = "swap"
    UPKEEP = "upkeep"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Call:
    """One contract call. `spends` is what its target will take by allowance, where it does."""

    to: Address
    data: bytes
    value: int
    purpose: Purpose
    text: str
    """What it does, for people: `approve 15.07 WETH to SwapRouter02`."""
    spends: TokenAmount | None = None
    inner: tuple[Call, ...] = ()
    """What a call of atomic custody does inside, in order: all of it or nothing."""
    parts: tuple[TokenAmount, ...] = ()
    """What each of its swaps sells, where that is not `spends` alone: several legs of one router, or no allowance."""

    @property
    def selector(self) -> bytes:
        return self.data[:4]

    @property
    def steps(self) -> tuple[Call, ...]:
        """The calls that the account makes: what is inside, else this one."""
        return self.inner or (self,)

    @property
    def sells(self) -> tuple[TokenAmount, ...]:
        """What each of its swaps sells, in order; nothing where it is none."""
        if self.purpose is not Purpose.SWAP:
            return ()
        return self.parts or ((self.spends,) if self.spends else ())


Inner = tuple[Address, int, bytes]
"""One call that an outer call makes the account do: target, value {wei}, calldata."""

Opener = Callable[[bytes], Sequence[Inner] | str]
"""Outer calldata -> the calls that it makes the account do, in order; or why these bytes are not allowed."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Transactions of the sender, in order. All are simulated; only the first travels now, the rest are planned anew
    from fresh balances once it is confirmed. Atomic custody has exactly one."""

    sequence: tuple[Call, ...]

    @property
    def next(self) -> Call:
        return self.sequence[0]

    @property
    def steps(self) -> tuple[Call, ...]:
        """Every call that the account makes, whoever carries it there."""
        return tuple(step for call in self.sequence for step in call.steps)
