"""The key has a role at a Zodiac Roles modifier (v2), which lets it do exactly what the role's scopes allow.

Roles looks at what is inside a `multiSend` only through an unwrapper that is set for that contract: without one, a
delegatecall would have to be allowed as a whole. `shouldRevert` is true, so that an operation that fails reverts.

An allowance is a balance that refills: by `refill` every `period` seconds, up to `max_refill`, counted when it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.core import text
from keeper.core.abi import arguments, calldata, selector
from keeper.core.authority import Most, WorstLoss
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.units import Address, Token, TokenAmount
from keeper.custody.answers import figure, is_true
from keeper.custody.authority import (
    NOT_COUNTED,
    everything,
    full_right,
    nothing,
    safe_reads,
    total_worth,
    worst,
)
from keeper.custody.multi_send import MULTI_SEND, Operation
from keeper.custody.safe_module import IS_ENABLED

EXECUTE = "execTransactionWithRole(address,uint256,bytes,uint8,bytes32,bool)"
NO_SCOPES = "what the role's scopes allow cannot be read: the figures hold for scopes as `--grant` writes them"
_DAY = 86_400
"""{s}"""


def role_key(name: str) -> bytes:
    """{32 bytes} As Zodiac's own tools write it: the name in ASCII, filled up with zeros; or 0x and 64 digits, with or
    without _ between them.

    Raises ValueError where it is neither.
    """
    if name.startswith("0x"):
        key = bytes.fromhex(name[2:].replace("_", ""))
        if len(key) != 32:
            raise ValueError(f"role: expected 32 bytes, were {len(key)}")
    else:
        key = name.encode("ascii")
        if not 0 < len(key) < 32:
            raise ValueError(f"role: expected 1 to 31 letters, were {len(key)}")
    if not any(key):
        raise ValueError("role: zero is nobody's")
    return key.ljust(32, b"\0")


def unwrapper_of(modifier: Address, multi_send: Address) -> Read:
    """Which contract looks inside `multiSend` for the modifier; zero where none is set."""
    slot = bytes.fromhex(multi_send[2:]) + selector(MULTI_SEND)
    return Read(modifier, calldata("unwrappers(bytes32)", slot.ljust(32, b"\0")))


@dataclass(frozen=True, slots=True)
class Allowance:
    """One of the role's allowances, as the chain has it. All amounts are {raw}, times in seconds."""

    refill: int
    max_refill: int
    period: int
    balance: int
    timestamp: int

    def left(self, now: int) -> int:
        """{raw} What may still be used: the balance, and what has been refilled since without being counted."""
        if not self.period or now < self.timestamp + self.period or self.balance >= self.max_refill:
            return self.balance
        intervals = (now - self.timestamp) // self.period
        return min(self.balance + self.refill * intervals, self.max_refill)

    def most(self, seconds: int | None) -> int | None:
        """{raw} That can be used in any stretch of so many seconds, the best one for a thief: from full on, with every
        refill. Of all time (None) there is an end only where nothing is refilled; None where there is none."""
        more = min(self.refill, self.max_refill) if self.period else 0
        if not more:
            return self.balance
        full = max(self.balance, self.max_refill)
        return None if seconds is None else full + more * -(-seconds // self.period)


@dataclass(frozen=True, slots=True)
class RoleMember:
    """`execTransactionWithRole` by a member of a role. Membership itself cannot be read at a block by anybody but the
    member: the simulation finds out. `allowances` are the keys of those that bound how much of a token may be sold.
    """

    safe: Address
    sender: Address
    modifier: Address
    role: bytes
    multi_send: Address
    allowances: tuple[tuple[Token, bytes], ...] = ()

    @property
    def title(self) -> str:
        return "Roles"

    @property
    def target(self) -> Address:
        return self.modifier

    @property
    def selector(self) -> bytes:
        return selector(EXECUTE)

    @property
    def reads(self) -> tuple[Read, ...]:
        allowances = tuple(self._allowance(key) for _, key in self.allowances)
        return (self._member, self._modifier, unwrapper_of(self.modifier, self.multi_send), *allowances)

    @property
    def _member(self) -> Read:
        return Read(self.modifier, calldata(IS_ENABLED, self.sender))

    @property
    def _modifier(self) -> Read:
        return Read(self.safe, calldata(IS_ENABLED, self.modifier))

    def _allowance(self, key: bytes) -> Read:
        return Read(self.modifier, calldata("allowances(bytes32)", key))

    def seal(self, operation: Operation) -> bytes:
        what = operation.to, operation.value, operation.data, operation.kind
        return calldata(EXECUTE, *what, self.role, True)

    def unseal(self, data: bytes) -> Operation:
        to, value, inner, kind, _, _ = arguments(EXECUTE, data)
        return Operation(Address(to), value, inner, kind)

    def standing(self, view: VaultView) -> str:
        if not is_true(view, self._modifier):
            return f"Roles modifier {self.modifier} is no enabled module of Safe {self.safe}"
        if not is_true(view, self._member):
            return f"{self.sender} is no member at Roles modifier {self.modifier}"
        if not figure(view, unwrapper_of(self.modifier, self.multi_send)):
            return f"Roles modifier {self.modifier} has no unwrapper for multiSend of {self.multi_send}"
        return next((f"the {t.symbol} allowance of the role cannot be read" for t, a in self._read(view) if not a), "")

    def left(self, view: VaultView) -> dict[Token, int]:
        """{raw} Of each token with an allowance, what may still be sold; of several for one token the least."""
        found: dict[Token, int] = {}
        for token, allowance in self._read(view):
            left = allowance.left(view.block.timestamp) if allowance else 0
            found[token] = min(left, found.get(token, left))
        return found

    @property
    def authority_reads(self) -> tuple[Read, ...]:
        return (*safe_reads(self.safe, self.sender), self._owner)

    @property
    def _owner(self) -> Read:
        return Read(self.modifier, calldata("owner()"))

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        """Roles knows no prices: min_out may be zero, and all that may be sold may be lost."""
        full, owner = full_right(view, self.safe, self.sender), figure(view, self._owner)
        if isinstance(full, Unusable):
            return full
        if full or owner in (None, int(self.sender, 16)):
            return everything(view, full or "the key may own the Roles modifier, and whoever owns it makes its rules")
        if not is_true(view, self._modifier):
            return nothing(view, "the modifier is not enabled at the Safe")
        worths = [total_worth(view, self._takeable(view, span)) for span in (0, _DAY, None)]
        if unknown := next((each for each in worths if isinstance(each, Unusable)), None):
            return unknown
        reasons = self._told(view), "the same, and a day's refills", "refills go on until the role is taken away"
        figures = [Most(each, why) for each, why in zip(worths, reasons, strict=True) if isinstance(each, TokenAmount)]
        at_once, a_day, in_total = figures
        return worst(view, at_once, a_day, in_total, (NO_SCOPES, NOT_COUNTED))

    def _takeable(self, view: VaultView, seconds: int | None) -> Iterator[TokenAmount]:
        """Of each token what may leave within so many seconds (None: ever): its allowance, and what routers may take
        already without one; all of it where no allowance bounds it."""
        for token, held in view.holdings.items():
            bounds = [allowance.most(seconds) if allowance else None for t, allowance in self._read(view) if t == token]
            known = [bound for bound in bounds if bound is not None]
            standing = sum(raw for (approved, _), raw in view.allowances.items() if approved == token)
            yield TokenAmount(token, min(held.raw, min(known) + standing) if known else held.raw)

    def _told(self, view: VaultView) -> str:
        named = {token for token, _ in self.allowances}
        parts = [text.amount(each) for each in self._takeable(view, 0) if each.token in named and each]
        loose = [token.symbol for token in view.holdings if token not in named]
        parts += [f"all {', '.join(loose)}, for which no allowance is configured"] if loose else []
        return f"Roles knows no prices: {' and '.join(parts) or 'nothing'} may be sold for nothing"

    def notes(self, view: VaultView) -> tuple[str, ...]:
        return tuple(_noted(token, allowance, view.block.timestamp) for token, allowance in self._read(view))

    def _read(self, view: VaultView) -> Iterator[tuple[Token, Allowance | None]]:
        for token, key in self.allowances:
            words = [figure(view, self._allowance(key), index) for index in range(5)]
            yield token, Allowance(*(w or 0 for w in words)) if None not in words else None


def _noted(token: Token, allowance: Allowance | None, now: int) -> str:
    """`12.5000 WETH may still be sold, 10.0000 WETH more every 1d up to 40.0000 WETH`"""
    if allowance is None:
        return f"the {token.symbol} allowance cannot be read"
    raws = allowance.left(now), allowance.refill, allowance.max_refill
    left, more, most = (text.amount(TokenAmount(token, raw)) for raw in raws)
    refills = f", {more} more every {text.duration(allowance.period)} up to {most}" if allowance.period else ""
    return f"{left} may still be sold{refills}"
