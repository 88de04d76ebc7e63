"""The seams: what each side may ask of the other. At most three methods each, and one sentence saying why it exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from keeper.core.authority import WorstLoss
from keeper.core.calls import Call, Calls
from keeper.core.chain import Answers, Block, History, Needs, Read, Reading, Snapshot, Unusable, VaultView
from keeper.core.latches import Trip
from keeper.core.plan import Draft, NoRoute, Order, OrderLeg, Plan, Route, Simulation, Trade
from keeper.core.pools import Details, Pool, PoolState, Router
from keeper.core.records import CycleRecord, NewIntent, PauseState, Request, Sample
from keeper.core.screens import Margin
from keeper.core.sending import Attempt, Intent, Mined, Outcome, State
from keeper.core.units import Address
from keeper.core.verdicts import Verdict


class Clock(Protocol):
    """Time as a value, so that tests and local chains decide what time it is."""

    def now(self) -> int:
        """Unix seconds."""
        ...


class Observer(Protocol):
    """Hides how a block is read; a cycle sees one consistent block or nothing."""

    def observe(self, due: Sequence[str]) -> Snapshot:
        """Raises TransientError or Unreachable where no consistent block can be had."""
        ...


class Strategy(Protocol):
    """Decides what should change. Pure: the same view gives the same plan, to the wei."""

    def plan(self, view: VaultView) -> Plan: ...


class Venue(Protocol):
    """A family of pools with one ABI: which reads it needs, what they mean, how to swap. No I/O."""

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]: ...

    def decode(self, pool: Pool, answers: Answers) -> PoolState | Needs | Unusable: ...

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call: ...


class PoolPin(Protocol):
    """Recognises a pool by its address at start: kind, tokens, fee, factory."""

    def reads(self, address: Address) -> tuple[Read, ...]: ...

    def pin(self, address: Address, answers: Answers) -> PoolFacts | Needs | None:
        """None where the address is no pool of this family; Needs where one answer tells what else to ask."""
        ...


class PoolFacts(Protocol):
    """What a pool says of itself, before its tokens are known by symbol and decimals."""

    @property
    def kind(self) -> str: ...
    @property
    def tokens(self) -> tuple[Address, ...]: ...
    @property
    def fee_ppm(self) -> int | None: ...
    @property
    def factory(self) -> Address: ...
    @property
    def spacing(self) -> int: ...
    @property
    def details(self) -> Details: ...
    @property
    def router(self) -> Router | None: ...
    @property
    def warning(self) -> str: ...


class PriceSource(Protocol):
    """One independent opinion on one price."""

    @property
    def name(self) -> str:
        """What people call it: `chainlink`, `twap30m`."""
        ...

    def reads(self) -> tuple[Read, ...]: ...

    def price(self, answers: Answers, now: int) -> Reading | Unusable: ...


class Routing(Protocol):
    """Fills a trade from pools and puts a floor under it. Pure."""

    def allocate(self, trade: Trade, view: VaultView) -> Route | NoRoute: ...

    def limit(self, routes: Sequence[Route], view: VaultView) -> Order: ...


class Breaker(Protocol):
    """One reason to stop a vault until it is re-armed, which no single draft shows. Pure."""

    def trip(self, view: VaultView) -> Trip | None: ...

    def margin(self, view: VaultView) -> Margin | None:
        """How far prices may move from this view on without a trip, as long as balances and past stay the same; time
        alone never trips. None: ask each time."""
        ...


class Guard(Protocol):
    """One reason not to trade. Measures, compares, says both figures; never stops the others from speaking."""

    def check(self, draft: Draft, view: VaultView) -> Verdict: ...


class Custody(Protocol):
    """Knows who holds the funds and what the key may do with them. Pure."""

    def take(self, trades: Sequence[Trade], view: VaultView) -> Sequence[Trade]:
        """The trades that this custody can bring about now: all where it is atomic, else the first, capped to what is
        already approved."""
        ...

    def wrap(self, calls: Sequence[Call], view: VaultView) -> Calls:
        """The sender's transactions that bring `calls` about, set-up such as approvals first."""
        ...

    def tidy(self, view: VaultView) -> Calls | None:
        """What must be put right before anything else: a leftover allowance, an empty gas reserve."""
        ...

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        """The most that a thief of the key could cost; Unusable where the chain, or a price, does not tell."""
        ...


Send = Callable[[], Intent]
"""What is left to do of a transaction that is journaled: sign it where that has not been done, and broadcast."""


class Submitter(Protocol):
    """Makes a transaction happen at most once, and learns what became of it. The dry one holds no signer at all."""

    def simulate(self, calls: Calls, view: VaultView) -> Simulation: ...

    def submit(self, new: NewIntent, view: VaultView, simulation: Simulation, chain_nonce: int) -> Send | None:
        """Reserves and journals the nonce, and what a key in this process signs. What is returned is to be called once
        all of it is durable: nothing leaves this machine before. None where nothing may be signed (dry)."""
        ...

    def settle(self) -> Mapping[str, str]:
        """Follows everything live, and asks the node nothing where nothing is live.

        Returns why each busy vault, sender or pool must wait: `{name or address: reason}`.
        """
        ...


class Proposer(Protocol):
    """Writes down what only the owners of a Safe may sign. Exists only where a vault is armed."""

    def propose(self, new: NewIntent, view: VaultView) -> None:
        """In place of the vault's open proposal, if it has one. Raises JournalError."""
        ...

    def withdraw(self, vault: str, why: str) -> None:
        """Nobody should sign the open one any more."""
        ...


class Signer(Protocol):
    """Holds a key. Exists only where a vault is armed."""

    @property
    def address(self) -> Address: ...
    @property
    def is_here(self) -> bool:
        """In this process: to sign it asks nobody, and takes no time to speak of."""
        ...

    def sign(self, transaction: Mapping[str, object]) -> bytes:
        """The raw signed transaction. Raises SubmitError where policy or the device refuses."""
        ...


class Alert(Protocol):
    """Tells people once. Never blocks, never raises."""

    def alert(self, key: str, text: str) -> None: ...


class Journal(Protocol):
    """The write-ahead record: what is not in it did not happen, and nothing is sent that is not in it.

    Every write is durable when the method returns, or raises JournalError.
    """

    def together(self) -> AbstractContextManager[None]:
        """What this thread writes within is durable when it ends instead, all of it, or nothing where it raises. Others
        wait meanwhile, so nobody is asked anything within."""
        ...

    def record_cycles(self, records: Sequence[CycleRecord]) -> Sequence[int]:
        """Adds a cycle for each, or extends the streak of an unchanged one: all of them or none. Returns their numbers,
        in this order. No vault is there twice."""
        ...

    def go_on(self, drifts: Mapping[str, int], block: Block) -> None:
        """One turn more for each vault's latest cycle, at its drift {bps}: nothing else is new."""
        ...

    def intend(self, new: NewIntent, chain_nonce: int) -> Intent:
        """Reserves a nonce: the first that neither the chain nor the journal has used. Raises Halted where they
        cannot both be right."""
        ...

    def attempt(self, intent: int, attempt: Attempt, leaves: bool = False) -> Intent:
        """Adds a signed transaction. `leaves`: it is offered next, so that MAYBE_SENT is written with it."""
        ...

    def advance(self, intent: int, to: State, mined: Mined | None = None, note: str = "") -> Intent:
        """Raises JournalError where the arrow is not drawn."""
        ...

    def finish(self, outcome: Outcome) -> None:
        """Fills and costs of a confirmed or final intent; replaces what an earlier call said of it."""
        ...

    def live(self, chain_id: int) -> Sequence[Intent]:
        """Live and unfinal intents of a chain, oldest first."""
        ...

    def expectation(self, intent: int) -> NewIntent: ...

    def history(self, vault: str, now: int, lookback: int = 0, seen: object = None) -> History:
        """With the samples of the last `lookback` seconds. `seen` is the mark that the caller has just been given:
        where it still holds, nobody asks whether others have changed anything since."""
        ...

    def marks(self, vaults: Iterable[str]) -> Mapping[str, object]:
        """Of each vault a mark that is equal as long as its history is: only time may have passed, and its streak have
        gone on."""
        ...

    def halt(self, scope: str, reason: str, now: int) -> None: ...

    def latch(self, vault: str, trips: Sequence[Trip], now: int) -> None:
        """Takes the vault's breakers a step on: latches what tripped, lets go of what has rested (Unix seconds)."""
        ...

    def halted(self, scope: str) -> str:
        """Why `scope` (a vault or a sender) is halted, or an empty string."""
        ...

    def paused(self, vault: str) -> PauseState | None: ...

    def requests(self) -> Sequence[Request]:
        """What people asked for and the daemon has not answered yet."""
        ...

    def answer(self, request: int, text: str) -> None: ...

    def sample(self, sample: Sample) -> None: ...

    def beat(self, chain_id: int, now: int, block: int, text: str) -> None:
        """The daemon is alive: read by `status` and `health`."""
        ...
