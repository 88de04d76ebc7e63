"""A contract holds the funds and lets the key trade them: our reference vault, or any other by a call template.

The whole order travels as one call of the contract, which makes every swap of it or none. It approves, and takes the
approval back, by itself (contracts/ReferenceVault.sol); the key approves nothing and holds nothing but gas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from keeper.core import text
from keeper.core.abi import address_word, calldata, word
from keeper.core.authority import Most, WorstLoss
from keeper.core.calls import Call, Calls, Inner, Purpose
from keeper.core.chain import Answers, Read, Unusable, VaultView
from keeper.core.plan import Trade
from keeper.core.template import CallTemplate, Values
from keeper.core.units import USD, WHOLE_BPS, Address, Rounding, TokenAmount
from keeper.custody.authority import everything, everything_worth, nothing, worst

_TERMS = calldata("terms()")
_DAY = 86_400
"""{s}"""


class Terms(Protocol):
    """What a swap's calldata says: sell `sell` raw of the first token for at least `min_out` of the last."""

    @property
    def tokens(self) -> tuple[Address, ...]: ...
    @property
    def sell(self) -> int: ...
    @property
    def min_out(self) -> int: ...
    @property
    def deadline(self) -> int | None:
        """Unix seconds; None where the venue's calls have none."""
        ...


Decode = Callable[[bytes], Terms | str]
"""Calldata of one router -> its swap, or why these bytes are none."""


@dataclass(frozen=True, slots=True)
class Contract:
    """Guarantees: one transaction, whose calldata says of each swap just what the swap's own calldata says; nothing but
    swaps of known routers. Does not guarantee that the contract checks any of it: the reference vault does, another one
    may not.

    `routers` read each router's calldata; `patience` {s} is the deadline of swaps that have none themselves.
    """

    template: CallTemplate
    routers: Mapping[Address, Decode]
    patience: int

    def take(self, trades: Sequence[Trade], view: VaultView) -> Sequence[Trade]:  # noqa: ARG002
        """All of them: they happen together or not at all."""
        return trades

    def wrap(self, calls: Sequence[Call], view: VaultView) -> Calls:
        """One call of the contract. Raises ValueError where a call is no swap of a known router."""
        swaps = [self._terms(call) for call in calls]
        latest = view.block.timestamp + self.patience
        deadline = min(latest if swap.deadline is None else swap.deadline for swap in swaps)
        values = [_values(call, swap) for call, swap in zip(calls, swaps, strict=True)]
        data = self.template.encode(values, deadline)
        says = "; ".join(call.text for call in calls)
        return Calls((Call(view.account, data, 0, Purpose.SWAP, f"rebalance: {says}", inner=tuple(calls)),))

    def tidy(self, view: VaultView) -> Calls | None:  # noqa: ARG002
        """Nothing: no allowance stands between its calls, and it holds no coin for gas."""
        return None

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        """Of a reference vault its own bound, with the bucket full; of another contract nothing is known."""
        bounds = decode_bounds(view.account, view.extra)
        if bounds is None:
            return everything(view, "what this contract lets its keeper do is not known here")
        if view.sender == bounds.owner:
            return everything(view, "the key is the vault's owner, who may withdraw")
        if view.sender != bounds.keeper:
            return nothing(view, "the key is not the vault's keeper")
        lost, refill = text.bps(bounds.tolerance), TokenAmount(USD, bounds.refill.raw * _DAY)
        at_once = Most(bounds.loss(0), f"{lost} of a capacity of {text.usd(bounds.capacity)}, at feed prices")
        a_day = Most(bounds.loss(_DAY), f"{lost} of capacity and a day's refill of {text.usd(refill)}")
        there_is = everything_worth(view)
        if isinstance(there_is, Unusable):
            return there_is
        in_total = Most(
            there_is if refill else bounds.loss(0), "the bucket refills until somebody takes the key's right away"
        )
        return worst(view, at_once, a_day, in_total)

    def objection(self, calls: Calls, view: VaultView) -> str:
        """Why a reference vault would refuse this now, or an empty string; nothing is known of another contract."""
        bounds = decode_bounds(view.account, view.extra)
        if bounds is None:
            return ""
        if view.sender is not None and bounds.keeper != view.sender:
            return f"keeper of {view.account}: expected {view.sender}, was {bounds.keeper}"
        if bounds.paused:
            return f"{view.account} is paused; its owner can start it again"
        sold = (view.price(step.spends.token).mid.value(step.spends) for step in calls.steps if step.spends)
        turnover = sum(sold, TokenAmount.zero(USD))
        if turnover > bounds.available:
            return f"turnover: {text.usd(bounds.available)} may be sold now, the order sells {text.usd(turnover)}"
        return ""

    def notes(self, view: VaultView) -> tuple[str, ...]:
        """What its keeper may do at this block, a line each."""
        bounds = decode_bounds(view.account, view.extra)
        if bounds is None:
            return ()
        now, most = text.usd(bounds.available), text.usd(bounds.capacity)
        more, least = text.usd(TokenAmount(USD, bounds.refill.raw * _DAY)), text.percent(WHOLE_BPS - bounds.tolerance)
        return (
            f"{now} may be sold now, {more} more every day up to {most}, each swap for at least {least} of its value",
        )

    def _terms(self, call: Call) -> Terms:
        decode = self.routers.get(call.to)
        if decode is None or call.purpose is not Purpose.SWAP or call.value:
            raise ValueError(f"{call.text}: expected a swap through a router of this chain, was a call of {call.to}")
        if isinstance(terms := decode(call.data), str):
            raise ValueError(f"{call.text}: {terms}")  # noqa: TRY004  what is wrong are the bytes
        return terms


def _values(call: Call, swap: Terms) -> Values:
    return {
        "target": call.to,
        "data": call.data,
        "sell": swap.tokens[0],
        "sell_amount": swap.sell,
        "buy": swap.tokens[-1],
        "min_out": swap.min_out,
    }


def open_contract(template: CallTemplate, routers: Mapping[Address, Decode], data: bytes) -> list[Inner] | str:
    """The calls that a call of the contract makes, or why its bytes are not allowed: it must say of each swap what the
    swap says itself."""
    found = template.decode(data)
    if isinstance(found, str):
        return found
    calls: list[Inner] = []
    for said in found[0]:
        to, inner = said["target"], said["data"]
        assert isinstance(to, str)
        assert isinstance(inner, bytes)
        decode = routers.get(Address(to))
        swap = f"{to} is no router of this chain" if decode is None else decode(inner)
        if isinstance(swap, str):
            return f"swap: {swap}"
        wanted = _values(Call(Address(to), inner, 0, Purpose.SWAP, ""), swap)
        wrong = next((name for name, value in said.items() if value != wanted[name]), None)
        if wrong:
            return f"{wrong}: expected {wanted[wrong]!r} as the swap has it, was {said[wrong]!r}"
        calls.append((Address(to), 0, inner))
    return calls


# --- what the reference vault says of itself -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """The terms on which a reference vault lets its keeper trade."""

    owner: Address
    keeper: Address
    paused: bool
    tolerance: int
    """{bps}"""
    capacity: TokenAmount
    """Of the bucket that turnover is taken out of, in USD."""
    refill: TokenAmount
    """In USD a second."""
    available: TokenAmount
    """In the bucket now, in USD."""

    def loss(self, seconds: int) -> TokenAmount:
        """The most that a thief of the key can cost in any stretch of so many seconds, in USD: tolerance * (capacity +
        refill * seconds), rounded up (contracts/ReferenceVault.sol)."""
        turnover = TokenAmount(USD, self.capacity.raw + self.refill.raw * seconds)
        return turnover.times(Fraction(self.tolerance, WHOLE_BPS), Rounding.UP)


def reads(contract: Address) -> tuple[Read, ...]:
    """Of a reference vault."""
    return (Read(contract, _TERMS),)


def decode_bounds(contract: Address, answers: Answers) -> Bounds | None:
    """None where the contract is no reference vault, or was not asked."""
    found = answers.get(Read(contract, _TERMS))
    if found is None or len(found) != 7 * 32:
        return None
    try:
        capacity, refill, available = (TokenAmount(USD, word(found, index)) for index in (4, 5, 6))
        owner, keeper = address_word(found, 0), address_word(found, 1)
        return Bounds(owner, keeper, bool(word(found, 2)), word(found, 3), capacity, refill, available)
    except ValueError:
        return None
