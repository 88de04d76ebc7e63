"""A peg ridden block by block without a chain: what each plan remembers is the next one's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from keeper.core.chain import Answers, History, MarketPrice, PastTrade, Unusable, VaultView
from keeper.core.pegs import Trace
from keeper.core.plan import Plan, Rebalance
from keeper.core.pools import PoolState
from keeper.core.units import Token, TokenAmount
from keeper.strategies.peg import Bands, Belief, Pace, Peg
from keeper.strategies.peg_price import FixedPeg, Pair, PoolMean
from keeper.strategies.peg_stock import Means
from keeper.strategies.peg_trace import Persist
from tests.builders import NOW, USDC, FakePool, fake_pool, make_block, make_view, market, token, units, usd

DUSD = token("DUSD")
BLOCK_TIME = 12
"""{s}"""
DEPTH = 100_000_000
"""{USD} One side of a constant-product pool: 10 bps cost about $50k, as in a stable pool of modest size."""
POOL = 0xB001


def make_pool(price: Fraction | float | str, depth: int = DEPTH, number: int = POOL, fee: int = 100) -> FakePool:
    """At `price` {USDC per DUSD}; `fee` in ppm."""
    quote = units(USDC, round(depth * Fraction(price)))
    return fake_pool(units(DUSD, depth), quote, Fraction(fee, 10**6), number)


def make_peg(**changes: object) -> Peg:
    """DUSD at 1 USD against USDC: act outside 15 bps, back to 5, stop outside 100; one mean of 10 looks."""
    pool = make_pool(1).pool.address
    whole = Peg(
        pair=Pair(DUSD, USDC, in_usd=True),
        goal=FixedPeg(Fraction(1)),
        bands=Bands(15, 5, 100),
        belief=Belief((PoolMean("uni.ema", pool, 10),), time=60, looks=10),
        means=Means(usd(250_000), 86_400),
        pace=Pace(most=usd(100_000), clip=usd(100_000), dust=usd(10), pays=5, step=500),
        persist=Persist(blocks=3),
        against_peg=Fraction(1),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


@dataclass
class Ride:
    """One vault, one pool; trades are filled at once where `fills` says so."""

    peg: Peg
    state: PoolState = field(default_factory=lambda: make_pool(1))
    held: dict[Token, TokenAmount] = field(
        default_factory=lambda: {DUSD: units(DUSD, 1_000_000), USDC: units(USDC, 1_000_000)}
    )
    usdc: MarketPrice | Unusable = field(default_factory=lambda: market(USDC, 1))
    block: int = 1_000
    trace: Trace | None = None
    trades: list[PastTrade] = field(default_factory=list)
    extra: Answers = field(default_factory=dict)
    dusd: MarketPrice | Unusable | None = None

    @property
    def now(self) -> int:
        return NOW + (self.block - 1_000) * BLOCK_TIME

    def view(self) -> VaultView:
        prices: Mapping[Token, MarketPrice | Unusable] = {DUSD: self.dusd or self._dusd(), USDC: self.usdc}
        view = make_view(
            list(self.held.values()),
            prices,
            [self.state],
            history=History(trades=tuple(self.trades), trace=self.trace),
            block=make_block(self.now, self.block, base_fee=10**8),
        )
        return replace(view, extra=self.extra)

    def _dusd(self) -> MarketPrice:
        spot = self.state.marginal(DUSD, USDC)
        assert isinstance(spot, Fraction)
        return market(DUSD, spot * 10**12 / (1 - self.state.pool.fee))

    def look(self, blocks: int = 1) -> Plan:
        """One look, so many blocks later."""
        self.block += blocks
        plan = self.peg.plan(self.view())
        assert plan.peg is not None
        self.trace = plan.peg.trace
        return plan

    def looks(self, count: int) -> list[Plan]:
        return [self.look() for _ in range(count)]

    def at(self, price: Fraction | float | str, **more: int) -> Ride:
        """The pool now stands there."""
        self.state = make_pool(price, **more)
        return self

    def fill(self, plan: Plan) -> None:
        """The plan's trade takes place: balances, pool and history know of it."""
        assert isinstance(plan, Rebalance)
        (trade,) = plan.trades
        got = self.state.out_for(trade.sell, trade.buy)
        assert isinstance(got, TokenAmount) and isinstance(self.state, FakePool)
        self.held[trade.sell.token] -= trade.sell
        self.held[trade.buy] += got
        reserves = dict(self.state.reserves)
        reserves[trade.sell.token] += trade.sell.raw
        reserves[trade.buy] -= got.raw
        self.state = FakePool(self.state.pool, reserves)
        self.trades.append(PastTrade(self.now, trade.notional, usd(1), sold=trade.sell.token.address))


def warm(peg: Peg | None = None, price: Fraction | float | str = 1, **more: object) -> Ride:
    """A ride whose means are warm at `price`."""
    ride = Ride(peg or make_peg(), **more).at(price)  # type: ignore[arg-type]
    ride.looks(60)
    return ride
