"""What the journal takes and gives: plain records, JSON-ready where they hold a decision's text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keeper.core.calls import Call
from keeper.core.pegs import Trace
from keeper.core.proposals import Fate
from keeper.core.sending import Expectation
from keeper.core.units import Address, Token, TokenAmount


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """One turn of the keeper for one vault.

    `kind`: hold (in band), wait (something is live), unusable (no decision was possible), denied, dry (would have
    traded), intended. `code` and `guards` tell unchanged cycles from changed ones: a cycle with the same vault, kind,
    code, guards and config hash as the one before it extends its streak instead of adding a row.
    """

    vault: str
    chain_id: int
    block_number: int
    block_hash: str
    at: int
    """Unix seconds of the block; of the clock where there was no block."""
    kind: str
    code: str
    reason: str
    config_hash: str
    armed: bool
    guards: tuple[str, ...] = ()
    """Keys of the guards that refused."""
    decision: Mapping[str, Any] = field(default_factory=dict)
    """Plan, routes, order, calls, simulation and every verdict, as `report` and `explain` read them."""
    inputs: bytes = b""
    """Everything the decision was made from, packed: block, answers, history. Enough to make it again."""
    max_drift_bps: int = 0
    trace: Trace | None = None
    """What a peg will know of this cycle in the next one."""


@dataclass(frozen=True, slots=True)
class NewIntent:
    """An intent before it has a nonce."""

    vault: str
    cycle: int
    chain_id: int
    sender: Address
    account: Address
    call: Call
    gas_limit: int
    deadline: int
    pools: tuple[Address, ...]
    at: int
    expect: Expectation = field(default_factory=Expectation)
    asks: str = ""
    """Why people are asked to do it, where they are."""


@dataclass(frozen=True, slots=True)
class PauseState:
    """Who paused what, why, and when (Unix seconds)."""

    vault: str
    reason: str
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class Request:
    """A row that a command wrote for the daemon: `action` is pause, resume, …; `vault` is a name or `*`."""

    id: int
    action: str
    vault: str
    reason: str
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A vault at one moment: at most one an hour is kept. Values in the numeraire; weights in bps, rounded down."""

    vault: str
    at: int
    block_number: int
    balances: Mapping[Token, TokenAmount]
    prices: Mapping[Token, str]
    value: TokenAmount
    weights: Mapping[Token, int]


@dataclass(frozen=True, slots=True)
class NewProposal:
    """A transaction of a Safe for its owners to sign. `new.sender` and `new.account` are the Safe, `new.call` is its
    `execTransaction` without signatures; `hash` is what they sign, at the Safe's own `nonce`."""

    new: NewIntent
    nonce: int
    hash: str
    block_number: int
    """Of the view that it was decided from: it is executed in no earlier one."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One that was written down, and what became of it."""

    id: int
    proposed: NewProposal
    fate: Fate
    note: str = ""
    ended_at: int | None = None
    """Unix seconds; None while it may still be executed."""

    @property
    def vault(self) -> str:
        return self.proposed.new.vault

    @property
    def hash(self) -> str:
        return self.proposed.hash
