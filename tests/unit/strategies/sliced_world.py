"""A vault that trades in slices, in a pool that somebody brings back."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt

from keeper.core.chain import History, PastTrade, VaultView
from keeper.core.plan import Hold, Plan, Rebalance
from keeper.core.slices import Slice
from keeper.core.units import TokenAmount
from keeper.strategies.bands import Band, Bands
from keeper.strategies.parents import Slicing
from keeper.strategies.sliced import Sliced
from keeper.strategies.weights import Weights
from tests.builders import NOW, USDC, WETH, FakePool, fake_pool, make_block, make_view, market, usd

VOLATILITY = Fraction(8, 10)


def weights(trigger: int = 400, destination: int = 200) -> Weights:
    return Weights({WETH: 6000, USDC: 4000}, Bands(Band(trigger), Band(destination)))


def sliced(**wishes: object) -> Sliced:
    """60/40, traded at 4pp back to 2pp; what has begun goes on inside the trigger."""
    return Sliced(weights(), weights(200, 200), Slicing(VOLATILITY, **wishes))  # type: ignore[arg-type]


@dataclass
class World:
    """A vault of $2M, 64.35 % of it WETH, a v2 pool of $1.2M a side, and somebody who brings that pool back."""

    price: Fraction = Fraction(3120)
    now: int = NOW
    seed: int = 7
    weth: int = 4125 * 10**17
    usdc: int = 713_000 * 10**6
    pool: tuple[int, int] = (400 * 10**18, 1_248_000 * 10**6)
    past: list[PastTrade] = field(default_factory=list)

    @property
    def state(self) -> FakePool:
        return fake_pool(TokenAmount(WETH, self.pool[0]), TokenAmount(USDC, self.pool[1]))

    @property
    def view(self) -> VaultView:
        return make_view(
            [TokenAmount(WETH, self.weth), TokenAmount(USDC, self.usdc)],
            {WETH: market(WETH, self.price), USDC: market(USDC, 1)},
            [self.state],
            history=History(tuple(self.past), seed=self.seed),
            block=make_block(self.now, base_fee=5 * 10**9),
        )

    def trade(self, plan: Rebalance) -> TokenAmount:
        """Fills the plan's first trade, as a wallet does, and lets arbitrage follow."""
        first = plan.trades[0]
        out = self.state.out_for(first.sell, first.buy)
        assert isinstance(out, TokenAmount)
        sold, got = (first.sell.raw, out.raw) if first.sell.token == WETH else (-out.raw, -first.sell.raw)
        self.weth, self.usdc = self.weth - sold, self.usdc + got
        self.pool = self.pool[0] + sold, self.pool[1] - got
        part = plan.schedule.slice if plan.schedule else None
        self.past.append(PastTrade(self.now, first.notional, usd(1), part))
        self.refill()
        return first.notional

    def refill(self) -> None:
        """To the edge of the fee band: WETH is bought for as long as it is cheaper here, fee included."""
        wanted = isqrt(int(self.pool[0] * self.pool[1] * 10**12 / (self.price * (1 - Fraction(3, 1000)))))
        if wanted < self.pool[0]:
            self.pool = wanted, self.pool[0] * self.pool[1] // wanted

    def run(self, strategy: Sliced, seconds: int = 86_400, step: int = 60) -> list[tuple[int, Slice]]:
        """Looks every `step` seconds from when a slice is due; returns the slices with their times."""
        until = self.now + seconds
        while self.now < until:
            plan = strategy.plan(self.view)
            if isinstance(plan, Rebalance):
                self.trade(plan)
            self.now += step
            if isinstance(plan, Hold) and plan.schedule is not None:
                self.now = max(self.now, plan.schedule.due)
        return [(trade.at, trade.slice) for trade in self.past if trade.slice]


@dataclass(frozen=True)
class Fixed:
    """Always wants the same."""

    wants: Plan

    def plan(self, view: VaultView) -> Plan:
        return self.wants
