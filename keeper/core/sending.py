"""Nouns of a transaction's life. One intent keeps one nonce; each attempt is one signed hash of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keeper.core.plan import Call, Fees, Purpose
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
class Expectation:
    """What the decision expected of this transaction, kept to be compared with what happened. All amounts exact.

    `sell`, `min_out`, `quote` are empty for approvals and the like. Values are in the numeraire at decision.
    """

    sell: TokenAmount | None = None
    quote: TokenAmount | None = None
    min_out: TokenAmount | None = None
    value_sold: TokenAmount | None = None
    fee_value: TokenAmount | None = None
    """Pool fee part of the expected cost."""
    impact_value: TokenAmount | None = None
    """Impact part of the expected cost, basis between pool and oracle included."""
    bought_price: Price | None = None
    """Of the bought token in the numeraire, at decision."""
    native_price: Price | None = None
    """Of the native coin in the numeraire, at decision; values the gas."""
    slice: Slice | None = None
    """Which part of a larger trade it is, where it is one."""


@dataclass(frozen=True, slots=True)
class Fill:
    """What a confirmed transaction really did, from Transfer logs, checked against balances."""

    sold: TokenAmount
    received: TokenAmount


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
