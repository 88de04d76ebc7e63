"""Nouns of one block: what was read, and what it says about pools, prices and holdings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from keeper.core.latches import Latch, trial_of
from keeper.core.market import NO_POOLS, FirstCall, Market, Quoted
from keeper.core.pegs import Trace
from keeper.core.pools import NoLiquidity, NoQuote, Pool, PoolState
from keeper.core.proposals import OpenProposal
from keeper.core.slices import Slice
from keeper.core.units import USD, Address, Price, Token, TokenAmount, Wei


@dataclass(frozen=True, slots=True)
class Block:
    """A header. Times are Unix seconds; `base_fee` is None on a chain without EIP-1559."""

    chain_id: int
    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee: Wei | None
    gas_limit: int


class Read(NamedTuple):
    """One `eth_call` of a batch: target and calldata, made once per config and reused as bytes. A tuple, as thousands
    are looked up in each tick, and its hash costs a quarter."""

    to: Address
    data: bytes


Answers = Mapping[Read, bytes | None]
"""What each read returned at one block; None where the call reverted. A read that is absent was not made."""


@dataclass(frozen=True, slots=True)
class Needs:
    """A decoder cannot finish without these reads, at the same block."""

    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """A price, a pool or a balance that must not be acted on, and why, in words an operator can use."""

    reason: str


# --- prices --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source said. `age` is in seconds against the block's time; None where a source has no age."""

    source: str
    price: Price
    age: int | None = None
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class MarketPrice:
    """One token in the numeraire, as its sources agree on it.

    `mid` values holdings. `low` and `high` are the sources' extremes: what we give is valued high and what we get is
    valued low, so the worse one for us decides.
    """

    token: Token
    mid: Price
    low: Price
    high: Price
    readings: tuple[Reading, ...]
    apart_bps: Fraction = Fraction(0)


# --- a vault at one block ------------------------------------------------------------------------------------------


_NOTHING = TokenAmount.zero(USD)


@dataclass(frozen=True, slots=True)
class PastTrade:
    """A trade of ours as the journal knows it: Unix seconds, value in USD, gas cost in USD."""

    at: int
    notional: TokenAmount
    gas_cost: TokenAmount
    slice: Slice | None = None
    lost: TokenAmount = _NOTHING
    """Quote minus fill, in the numeraire: what others took, negative where they gave."""
    sold: Address | None = None
    """The token that it sold first."""


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that an upkeep made, mined (Unix seconds), whether or not it reverted; its gas in {wei}."""

    at: int
    gas_cost: int


@dataclass(frozen=True, slots=True)
class PastSample:
    """A vault as it was noted (Unix seconds): its prices in the numeraire, and its value with whatever people have put
    in since, or without what they took out, so that it compares with the value of now."""

    at: int
    comparable: TokenAmount
    prices: tuple[tuple[Token, Fraction], ...]

    def price(self, token: Token) -> Fraction | None:
        return next((ratio for known, ratio in self.prices if known == token), None)


@dataclass(frozen=True, slots=True)
class History:
    """What the journal says about the past, as data, so that deciding stays pure. Covers at least 24 hours."""

    trades: tuple[PastTrade, ...] = ()
    paused: str = ""
    cycles_in_streak: int = 0
    seed: int = 0
    gas: tuple[tuple[int, TokenAmount], ...] = ()
    """Gas of every transaction of ours, approvals and failures included: (Unix seconds, USD)."""
    calls: tuple[PastCall, ...] = ()
    """Of an upkeep, oldest first: those of the last 24 hours, and the last one however old."""
    reverts: tuple[int, ...] = ()
    """When transactions of the vault reverted (Unix seconds)."""
    refusals: int = 0
    """Cycles in a row, up to the last one, in which guards refused."""
    samples: tuple[PastSample, ...] = ()
    """As far back as the vault's breakers look."""
    latches: tuple[Latch, ...] = ()
    """Breakers that stop the vault, or try whether it may go on."""
    cleared: tuple[tuple[str, int], ...] = ()
    """When each breaker was last cleared (Unix seconds)."""
    trace: Trace | None = None
    """Of a vault that keeps a peg."""
    proposal: OpenProposal | None = None
    """What the owners of its Safe may still execute."""

    def since(self, cutoff: int) -> tuple[PastTrade, ...]:
        return tuple(trade for trade in self.trades if trade.at > cutoff)

    def evidence_from(self, breaker: str) -> int:
        """Unix seconds before which nothing counts for this breaker: its last latch and its last clear."""
        latched = [latch.at for latch in self.latches if latch.breaker == breaker]
        return max([*latched, *(at for name, at in self.cleared if name == breaker)], default=0)

    @property
    def trial(self) -> TokenAmount | None:
        """The most that the next trade may be worth, while a breaker tries whether the vault may go on."""
        return trial_of(self.latches)

    @property
    def last_slice(self) -> tuple[PastTrade, Slice] | None:
        """The latest trade that was a slice of a larger one."""
        return next(((trade, trade.slice) for trade in reversed(self.trades) if trade.slice), None)


@dataclass(frozen=True, slots=True)
class VaultView:
    """Everything a strategy, a custody and the guards may know about one vault: one block, one config, one history."""

    vault: str
    block: Block
    account: Address
    sender: Address | None
    holdings: Mapping[Token, TokenAmount]
    """What counts as the vault's: native coin above the gas reserve counts as its wrapped token."""
    native: TokenAmount
    """The account's native balance, gas reserve included."""
    gas_balance: TokenAmount
    """The sender's native balance."""
    native_price: MarketPrice | Unusable
    prices: Mapping[Token, MarketPrice | Unusable]
    pools: tuple[PoolState, ...]
    left_out: tuple[tuple[Pool, str], ...]
    """Pools that must not be used at this block, and why."""
    allowances: Mapping[tuple[Token, Address], int] = field(default_factory=dict)
    """{raw} that each spender may take of the account's tokens."""
    balances: Mapping[Token, TokenAmount] = field(default_factory=dict)
    """Token balances as the token contracts give them, without native coin."""
    history: History = field(default_factory=History)
    tip: Wei | None = None
    """The priority fee that recent blocks paid, from fee history; the suggested gas price on a legacy chain."""
    extra: Answers = field(default_factory=dict)
    """What the vault's own strategy and custody asked for, at the same block."""
    market: Market | None = field(default=None, compare=False, repr=False)
    """These pools as the vault's routing would use them together; None where it uses one at a time."""

    def price(self, token: Token) -> MarketPrice:
        """The usable price of `token`. Raises KeyError where there is none: ask `unusable` first."""
        found = self.prices[token]
        if isinstance(found, Unusable):
            raise KeyError(f"{token.symbol}: {found.reason}")
        return found

    def unusable(self) -> list[str]:
        """Why prices cannot be used, one line for each that cannot."""
        return [f"{token.symbol}: {p.reason}" for token, p in self.prices.items() if isinstance(p, Unusable)]

    def quote(self, sell: TokenAmount, buy: Token, but: Collection[Address] = NO_POOLS) -> Quoted | NoQuote:
        """What routing would get for `sell`; `but` are pools that an earlier trade of the same plan uses."""
        if self.market is not None:
            return self.market.quote(sell, buy, but)
        found = self.best(sell, buy, but)
        return Quoted(found[1], frozenset({found[0].pool.address})) if isinstance(found, tuple) else found

    def trades(self, sell: Token, buy: Token) -> bool:
        """Whether routing knows a way from one to the other."""
        if self.market is not None:
            return self.market.trades(sell, buy)
        return any(state.pool.trades(sell, buy) for state in self.pools)

    def first_call(self, sell: TokenAmount, buy: Token) -> FirstCall | NoQuote:
        """What one call can carry of a sale."""
        if self.market is not None:
            return self.market.first(sell, buy)
        found = self.best(sell, buy)
        if not isinstance(found, tuple):
            return found
        return FirstCall(found[0].pool.router, sell, frozenset({found[0].pool.address}))

    def best(
        self, sell: TokenAmount, buy: Token, but: Collection[Address] = NO_POOLS
    ) -> tuple[PoolState, TokenAmount] | NoQuote:
        """The single pool that gives most for `sell`, and what it gives."""
        best: tuple[PoolState, TokenAmount] | None = None
        refusal: NoQuote = NoLiquidity(f"no pool of this vault trades {sell.token.symbol} for {buy.symbol}")
        for state in self.pools:
            if state.pool.address in but or not state.pool.trades(sell.token, buy):
                continue
            out = state.out_for(sell, buy)
            if not isinstance(out, TokenAmount):
                refusal = out
            elif best is None or out > best[1]:
                best = state, out
        return best or refusal


@dataclass(frozen=True, slots=True)
class Observed:
    """One vault's part of a snapshot, or why it has none. `answers` are kept so that the decision can be repeated."""

    view: VaultView | Unusable
    answers: Answers


Ratio = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Quotes:
    """Prices of some tokens at one block as integers, made once for all vaults that have the same."""

    units: tuple[int, ...]
    """What one raw unit of each is worth, in a unit of value that is common to them."""
    scale: int
    """How many of that unit make one USD."""
    lows: tuple[Ratio, ...]
    highs: tuple[Ratio, ...]
    """{USD / whole} The sources' extremes, as numerator and denominator."""


class Glance(NamedTuple):
    """As much of a vault at one block as a screen needs (core/screens.py): no view is made for it."""

    own: tuple[bytes | None, ...]
    """What was answered to its own reads, in their order; pools and prices are not among them."""
    past: object
    """Its past's mark: equal marks, equal history, but for the time that has passed."""
    quotes: Quotes | None
    """Its tokens' prices; None where one cannot be used."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All due vaults of one chain at one block. `nonces` are the senders' next nonces at that block.

    A view may be made only when it is asked for, which may raise JournalError. `glances` may lack any vault.
    """

    block: Block
    vaults: Mapping[str, Observed]
    nonces: Mapping[Address, int]
    glances: Mapping[str, Glance] = field(default_factory=dict)
