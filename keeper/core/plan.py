"""Nouns of a decision: plan, route, order, calls, draft, verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from keeper.core.calls import Call, Calls
from keeper.core.pegs import PegLine
from keeper.core.pools import Pool, Router
from keeper.core.slices import Schedule
from keeper.core.units import Address, Rounding, Token, TokenAmount, Wei

# --- plan ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AssetLine:
    """One asset of the vault beside its target. Weights and drift are exact bps; drift = weight - target."""

    balance: TokenAmount
    value: TokenAmount
    weight: Fraction
    target: int
    trigger: Fraction
    destination: Fraction

    @property
    def token(self) -> Token:
        return self.balance.token

    @property
    def drift(self) -> Fraction:
        return self.weight - self.target

    @property
    def is_out(self) -> bool:
        return abs(self.drift) > self.trigger


@dataclass(frozen=True, slots=True)
class PairBand:
    """The band of a swap of one asset for another: no trade while half the difference of their drifts is inside it.

    In bps, as the costs are that it was made from; `why` says why there were no such costs, and is empty otherwise.
    """

    sell: Token
    buy: Token
    trigger: int
    destination: int
    gas: TokenAmount | None = None
    """{numeraire} Of one rebalance."""
    fee: Fraction = Fraction(0)
    """{bps} Of what is traded: pool fee and half the spread."""
    impact: Fraction = Fraction(0)
    """{bps} Of trading one hundredth of the vault."""
    self_check: Fraction | None = None
    """Yearly tracking loss over yearly cost: 1/2 to 1 where the band is the best one."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What bands that follow from costs are expected to do in a year. None of it is known without volatilities."""

    bands: tuple[PairBand, ...]
    aversion: Fraction
    trades: Fraction | None = None
    turnover: Fraction | None = None
    """{bps} One way."""
    tracking_error: Fraction | None = None
    """{bps}"""
    cost: Fraction | None = None
    """{bps}"""
    budget: str = ""
    """What the bands were to keep, where no aversion was given, and whether they do."""
    look: int | None = None
    """{s} Looking less often than this makes the narrowest band act a tenth wider than it is."""


@dataclass(frozen=True, slots=True)
class Trade:
    """What the strategy wants: sell exactly this for that token. `notional` is its value in the numeraire."""

    sell: TokenAmount
    buy: Token
    notional: TokenAmount
    via: frozenset[Address] = frozenset()
    """Only through these pools, where custody makes one call at a time; any where empty."""
    calls: int = 1
    """So many would fill what the strategy wants; this is what the first of them sells."""

    def selling(self, sell: TokenAmount) -> Trade:
        """The same trade of another amount; its notional changes in proportion, rounded down."""
        return replace(self, sell=sell, notional=self.notional.times(sell.over(self.sell), Rounding.DOWN))

    def cut(self, most: TokenAmount) -> Trade:
        """The same trade, worth at most this (in the numeraire)."""
        if self.notional <= most:
            return self
        return self.selling(self.sell.times(most.over(self.notional), Rounding.DOWN))


@dataclass(frozen=True, slots=True)
class Hold:
    """No trade, and why. `code` is a stable word for machines and streaks: in_band, dust, no_price, cool_down …"""

    code: str
    reason: str
    assets: tuple[AssetLine, ...] = ()
    schedule: Schedule | None = None
    """Of a trade that is under way in slices, none of which may go now."""
    forecast: Forecast | None = None
    peg: PegLine | None = None
    """Where the strategy keeps one."""
    while_inside: bool = False
    """The plan is this one as long as every asset's drift is within its trigger, whatever else prices and time do."""


@dataclass(frozen=True, slots=True)
class Rebalance:
    """Trades that bring the vault back; `reason` is a sentence. Sells that fund buys come first."""

    reason: str
    assets: tuple[AssetLine, ...]
    trades: tuple[Trade, ...]
    schedule: Schedule | None = None
    """Where its first trade is one slice of a larger one."""
    forecast: Forecast | None = None
    peg: PegLine | None = None
    """Where the strategy keeps one."""


@dataclass(frozen=True, slots=True)
class Perform:
    """A contract wants to be called: exactly these calls, in order, and nothing is traded."""

    reason: str
    calls: tuple[Call, ...]
    assets: tuple[AssetLine, ...] = ()

    @property
    def peg(self) -> None:
        """It keeps none."""


Plan = Hold | Rebalance | Perform

# --- route and order -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leg:
    """One swap: sell exactly `sell` along `pools`, all of one router, and `quote` is what they give at the snapshot."""

    pools: tuple[Pool, ...]
    sell: TokenAmount
    quote: TokenAmount
    mid: Fraction
    """{buy raw / sell raw} without size and without fee."""
    through: tuple[Token, ...] = ()
    """Tokens between its pools, none of which the account is left with."""

    @property
    def buy(self) -> Token:
        return self.quote.token

    @property
    def tokens(self) -> tuple[Token, ...]:
        return self.sell.token, *self.through, self.buy

    @property
    def pool(self) -> Pool:
        """The first, which sells what the account gives."""
        return self.pools[0]

    @property
    def router(self) -> Router:
        return self.pools[0].router

    @property
    def fee(self) -> Fraction:
        """All its pools' fees as one: a share of the amount in."""
        return 1 - prod((1 - pool.fee for pool in self.pools), start=Fraction(1))

    @property
    def label(self) -> str:
        return " → ".join(pool.label for pool in self.pools)

    @property
    def wraps(self) -> bool:
        """No swap, but native coin into its wrapped token or back."""
        return self.sell.token.is_native or self.buy.is_native


@dataclass(frozen=True, slots=True)
class Splitting:
    """What it is worth to fill a trade otherwise than in one pool. Gas is counted for what would be sent either way."""

    alone: tuple[Pool, TokenAmount] | None
    """The pool that would have given most of all single ones, after its gas, and what; None where none fills it all."""
    brings: TokenAmount
    """What the snapshot's pools give along all legs, each middle token passed on whole."""
    gas: TokenAmount
    """{buy} Of all swaps."""
    saved: TokenAmount | None
    """{buy} More than `alone` brings, each less its gas."""


@dataclass(frozen=True, slots=True)
class Route:
    """How one trade is filled. `considered` says what every pool would have given, or why it was left out.

    Its legs are in order: one that sells what an earlier one buys sells at most that one's min_out.
    """

    trade: Trade
    legs: tuple[Leg, ...]
    considered: tuple[tuple[Pool, TokenAmount | str], ...] = ()
    splitting: Splitting | None = None
    """Where its routing splits."""


@dataclass(frozen=True, slots=True)
class NoRoute:
    """No pool fills this trade, and why."""

    trade: Trade
    reason: str


@dataclass(frozen=True, slots=True)
class OrderLeg:
    """A leg with its floor. `min_out` is the larger of the two floors, both rounded up, in our favour."""

    leg: Leg
    quote_floor: TokenAmount
    oracle_floor: TokenAmount

    @property
    def min_out(self) -> TokenAmount:
        return max(self.quote_floor, self.oracle_floor)


@dataclass(frozen=True, slots=True)
class Order:
    """Legs with floors and the Unix second after which none of them may execute."""

    legs: tuple[OrderLeg, ...]
    deadline: int
    slippage: int
    """Tolerance in bps, from quote to quote_floor; the widest of them."""
    tolerance: str = ""
    """Why so much, where it is worked out for each leg."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per unit of gas. `tip` is None on a chain without EIP-1559, where `cap` is the gas price."""

    cap: Wei
    tip: Wei | None


# --- draft ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the whole sequence does at the head. Deltas are the account's, by token; native without gas cost.

    `gas` is gas used per transaction, intrinsic gas included. `failure` is the decoded reason, empty where all succeed.
    `gas_limit` and `fees` are what the next transaction would be signed with.
    """

    block_number: int
    failure: str
    gas: tuple[int, ...]
    deltas: Mapping[Token, int]
    gas_limit: int
    fees: Fees
    l1_fees: tuple[int, ...] = ()
    """{wei} What each transaction pays beside its gas (an L1 data fee, an operator fee); empty where nothing is."""
    sender_code: str | None = None
    """Code of the account that would sign, as the node writes it: `0x` of a key's; None where it was not told."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A simulated order. Guards judge this, not the quote's promise. `order` is None for revoke, wrap and the like."""

    plan: Plan
    routes: tuple[Route, ...]
    order: Order | None
    calls: Calls
    simulation: Simulation
    gas_cost: TokenAmount
    """Expected, for the whole sequence, in native coin."""
    gas_value: TokenAmount | None
    """The same in the numeraire; None where the native coin has no usable price."""
    max_gas_cost: TokenAmount
    """gas_limit times fee cap of the next transaction, in native coin: the worst case that must be affordable."""

    @property
    def notional(self) -> TokenAmount | None:
        """Value of all trades, in the numeraire; None where nothing is traded."""
        if self.order is None or not self.routes:
            return None
        total = self.routes[0].trade.notional
        for route in self.routes[1:]:
            total = total + route.trade.notional
        return total
