"""What the reports need to know beside a decision: facts of the journal, as plain data. The app fills them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from keeper.core.foreign import printable
from keeper.core.latches import Latch
from keeper.core.records import PauseState
from keeper.core.sending import Expectation, Fill, Intent, Mined, Outcome, State
from keeper.core.units import USD, Token, TokenAmount
from keeper.report import format as form
from keeper.report.proposals import Written


@dataclass(frozen=True, slots=True)
class Transaction:
    """One intent, what was expected of it, and what came of it where that is known."""

    intent: Intent
    expect: Expectation = field(default_factory=Expectation)
    outcome: Outcome | None = None

    @property
    def mined(self) -> Mined | None:
        return (self.outcome and self.outcome.mined) or self.intent.mined

    @property
    def fill(self) -> Fill | None:
        return self.outcome.fill if self.outcome else None

    @property
    def failed(self) -> bool:
        """It was mined, and did nothing."""
        return self.intent.state is State.FINAL_REVERTED or (self.mined is not None and self.mined.status == 0)

    @property
    def cost(self) -> TokenAmount | None:
        """{USD} Fee, impact and others of a fill together, gas apart; None where nothing was filled."""
        if self.outcome is None or self.outcome.fill is None:
            return None
        parts = (self.outcome.fee_value, self.outcome.impact_value, self.outcome.others_value)
        return sum((part for part in parts if part is not None), TokenAmount.zero(USD))

    def shown(self, *amounts: TokenAmount) -> str:
        """`46,990.11 USDC`, with the decimals that matter at the price of the decision; several with commas."""
        return ", ".join(f"{self.figure(amount)} {printable(amount.token.symbol, 24)}" for amount in amounts)

    def figure(self, amount: TokenAmount) -> str:
        """The same without its symbol."""
        return form.amount(amount.whole, form.places_for(self._price(amount.token), amount.token.decimals))

    def _price(self, token: Token) -> Fraction | None:
        for swap in self.expect.swaps:
            if swap.bought_price.base == token:
                return swap.bought_price.ratio
            if swap.sell.token == token:
                return swap.value_sold.whole / swap.sell.whole
        return None


@dataclass(frozen=True, slots=True)
class Streak:
    """How long a cycle has gone on unchanged: Unix seconds of its first and latest turn, and how many there were."""

    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class CycleNote:
    """A cycle in a word, for what came after another one."""

    number: int
    at: int
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class CycleFacts:
    """One cycle as journaled: the columns of its record, its decision dict, and what surrounds it. Unix seconds."""

    number: int
    vault: str
    chain: str
    block_number: int
    at: int
    kind: str
    code: str
    reason: str
    armed: bool
    decision: Mapping[str, Any]
    guards: tuple[str, ...] = ()
    streak: Streak | None = None
    transactions: tuple[Transaction, ...] = ()
    proposals: tuple[Written, ...] = ()
    """What people were asked to sign."""
    alerted: tuple[str, ...] = ()
    """What people were told, and when: `02:57 log`."""
    after: CycleNote | None = None
    next_look: int | None = None
    latches: tuple[Latch, ...] = ()
    """What breakers had latched by then."""
    config: str = ""
    """The configuration's path as commands must be given it; empty where it is the default."""
    told_at: int | None = None
    """When the decision was made that is told here, where later turns found nothing new; None where it is of `at`."""


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """One vault for `status`. `halted` says why, and is empty where it is not. Unix seconds."""

    name: str
    chain: str
    mode: str
    armed: bool = False
    cycle: CycleFacts | None = None
    """The latest one."""
    paused: PauseState | None = None
    halted: str = ""
    latches: tuple[Latch, ...] = ()
    """What its breakers have latched, or try."""
    last_trade: int | None = None
    next_look: int | None = None
    original: str = ""
    """The vault that a shadow stands beside."""
    beside: CycleFacts | None = None
    """That vault's latest cycle."""


@dataclass(frozen=True, slots=True)
class DemoVault:
    """One vault of a demo. `worst` is the widest drift that was seen, {bps}; the others are widest of all assets."""

    name: str
    trigger_bps: Fraction
    worst_bps: Fraction
    after_bps: Fraction
    before_bps: Fraction
    value: TokenAmount | None = None
    transactions: tuple[Transaction, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guard that refused `count` cycles, and why it did the last time."""

    vault: str
    guard: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class DemoFacts:
    """The end of a demo: chain seconds that passed in it, seconds that it took, and where to go next."""

    vaults: tuple[DemoVault, ...]
    refusals: tuple[Refusal, ...]
    cycles: int
    chain_seconds: int
    seconds: int
    journal: str
    next_commands: tuple[str, ...] = ()
