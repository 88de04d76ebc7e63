"""Nouns of a transaction's life. One intent keeps one nonce; each attempt is one signed hash of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce

from keeper.core.calls import Call, Purpose
from keeper.core.plan import Fees
from keeper.core.slices import Slice
from keeper.core.units import Address, Price, Token, TokenAmount, Wei


class State(StrEnum):
    RESERVED = "RESERVED"
    SIGNED = "SIGNED"
    MAYBE_SENT = "MAYBE_SENT"
    SENT = "SENT"
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    FINAL_OK = "FINAL_OK"
    FINAL_REVERTED = "FINAL_REVERTED"
    FINAL_CANCELLED = "FINAL_CANCELLED"
    EXTERNAL = "EXTERNAL"


LIVE = frozenset({State.RESERVED, State.SIGNED, State.MAYBE_SENT, State.SENT, State.MINED})
UNFINAL = frozenset({State.CONFIRMED})
FINAL = frozenset({State.FINAL_OK, State.FINAL_REVERTED, State.FINAL_CANCELLED, State.EXTERNAL})

ARROWS: Mapping[State, frozenset[State]] = {
    # A reserved nonce is used by its own intent or by nobody; where nothing was ever sent it may be cancelled.
    State.RESERVED: frozenset({State.SIGNED, State.FINAL_CANCELLED, State.EXTERNAL}),
    State.SIGNED: frozenset({State.MAYBE_SENT, State.EXTERNAL}),
    State.MAYBE_SENT: frozenset({State.SENT, State.MINED, State.EXTERNAL}),
    State.SENT: frozenset({State.MAYBE_SENT, State.MINED, State.EXTERNAL}),
    # A reorg takes a mined or confirmed transaction back.
    State.MINED: frozenset({State.CONFIRMED, State.MAYBE_SENT, State.SENT, State.MINED, State.EXTERNAL}),
    State.CONFIRMED: frozenset(
        {State.FINAL_OK, State.FINAL_REVERTED, State.FINAL_CANCELLED, State.MAYBE_SENT, State.SENT, State.MINED}
    ),
    State.FINAL_OK: frozenset(),
    State.FINAL_REVERTED: frozenset(),
    State.FINAL_CANCELLED: frozenset(),
    State.EXTERNAL: frozenset(),
}
"""The drawn arrows of a transaction's life; the journal refuses every other one."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction of an intent: journaled and fsynced before it is broadcast."""

    hash: str
    raw: bytes
    fees: Fees
    purpose: Purpose
    """The intent's own purpose, or CANCEL."""
    at: int


@dataclass(frozen=True, slots=True)
class Mined:
    """A receipt, as far as it matters. Gas cost in wei includes an L1 data fee where the chain has one."""

    hash: str
    block_number: int
    block_hash: str
    timestamp: int
    status: int
    gas_used: int
    gas_cost: Wei


@dataclass(frozen=True, slots=True)
class Intent:
    """One decision with one nonce."""

    id: int
    vault: str
    cycle: int
    chain_id: int
    sender: Address
    nonce: int
    call: Call
    gas_limit: int
    deadline: int
    pools: tuple[Address, ...]
    state: State
    created_at: int
    attempts: tuple[Attempt, ...] = ()
    mined: Mined | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedSwap:
    """One leg as it was decided: sell exactly `sell`, get about `quote` and at least `min_out`. Values in the
    numeraire."""

    sell: TokenAmount
    quote: TokenAmount
    min_out: TokenAmount
    value_sold: TokenAmount
    fee_value: TokenAmount
    """Pool fee part of the expected cost."""
    impact_value: TokenAmount
    """Impact part of the expected cost, basis between pool and oracle included."""
    bought_price: Price
    """Of the bought token in the numeraire, at decision."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the decision expected of this transaction, kept to be compared with what happened. All amounts exact.

    `swaps` are the legs that it makes, in order: one for a wallet, several where the custody is atomic, none for
    approvals and the like.
    """

    swaps: tuple[ExpectedSwap, ...] = ()
    native_price: Price | None = None
    """Of the native coin in the numeraire, at decision; values the gas."""
    slice: Slice | None = None
    """Which part of a larger trade it is, where it is one."""

    @property
    def sells(self) -> Mapping[Token, TokenAmount]:
        """What may be sold of each token, all legs together, in their order."""
        return _by_token(swap.sell for swap in self.swaps)

    @property
    def quotes(self) -> Mapping[Token, TokenAmount]:
        """What all quotes of each bought token come to."""
        return _by_token(swap.quote for swap in self.swaps)

    @property
    def floors(self) -> Mapping[Token, TokenAmount]:
        """What all min_outs of each bought token come to."""
        return _by_token(swap.min_out for swap in self.swaps)

    @property
    def value_sold(self) -> TokenAmount | None:
        """The legs' values together, and so the next two; None where nothing is sold."""
        return _total(swap.value_sold for swap in self.swaps)

    @property
    def fee_value(self) -> TokenAmount | None:
        return _total(swap.fee_value for swap in self.swaps)

    @property
    def impact_value(self) -> TokenAmount | None:
        return _total(swap.impact_value for swap in self.swaps)

    def net(self, bought: Mapping[Token, TokenAmount]) -> Mapping[Token, TokenAmount]:
        """`bought` (quotes or floors) less what other legs sell of the same token: the middle of a path nets out."""
        sells = self.sells
        return {token: amount - sells[token] if token in sells else amount for token, amount in bought.items()}


def _by_token(amounts: Iterable[TokenAmount]) -> Mapping[Token, TokenAmount]:
    found: dict[Token, TokenAmount] = {}
    for amount in amounts:
        found[amount.token] = found[amount.token] + amount if amount.token in found else amount
    return found


def _total(values: Iterable[TokenAmount]) -> TokenAmount | None:
    return reduce(TokenAmount.__add__, found) if (found := list(values)) else None


@dataclass(frozen=True, slots=True)
class Fill:
    """What a confirmed transaction really did, from Transfer logs, checked against balances: one net amount for each
    token, all legs together. A token that one leg buys and another sells stands where its net puts it, and nowhere
    where nothing of it is left."""

    sold: tuple[TokenAmount, ...]
    received: tuple[TokenAmount, ...]

    @property
    def changes(self) -> Mapping[Token, int]:
        """{raw} What the account gained of each token; negative where it gave."""
        return {each.token: -each.raw for each in self.sold} | {each.token: each.raw for each in self.received}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an intent. Costs are in the numeraire; `others` is quote minus fill: what others took or gave."""

    intent: int
    state: State
    mined: Mined | None
    fill: Fill | None = None
    gas_value: TokenAmount | None = None
    fee_value: TokenAmount | None = None
    impact_value: TokenAmount | None = None
    others_value: TokenAmount | None = None
    reason: str = ""
    """The decoded revert reason, or what is missing from the effects."""
    deltas: Mapping[Token, int] = field(default_factory=dict)
