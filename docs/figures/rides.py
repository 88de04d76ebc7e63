"""What the pictures show: the product's own strategies on scripted paths, without a node. The same every time."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from eth_abi.abi import encode

from keeper.core.chain import History, PastCall, Read, VaultView
from keeper.core.plan import Hold, Perform, Rebalance
from keeper.core.replies import kept
from keeper.core.units import TokenAmount, Wei
from keeper.core.verdicts import Allow
from keeper.guards.gas import MaxBaseFee
from keeper.strategies.upkeep import Check, Upkeep
from keeper.strategies.weights import Weights
from tests.builders import NOW, USDC, WETH, address, fake_pool, make_block, make_draft, make_view, market, units
from tests.unit.strategies.sliced_world import World, sliced, weights

HOUR = 3_600


@dataclass(frozen=True)
class Weighed:
    """One look of a vault: days, {%} of WETH before and after, the same had nothing been traded, {USD} traded."""

    at: float
    before: float
    after: float
    left_alone: float
    traded: float


def weighed(days: int = 270, seed: int = 13) -> Iterator[Weighed]:
    """A million dollars at 60/40, 70 % volatility, a look every six hours; the pool follows the market."""
    strategy, source = weights(), random.Random(seed)
    price, weth, usdc = 2_500.0, units(WETH, 240), units(USDC, 400_000)
    alone = weth, usdc
    for look in range(days * 4):
        view = _vault(price, weth, usdc)
        plan, traded, before = strategy.plan(view), 0.0, _share(strategy, view)
        if isinstance(plan, Rebalance):
            (trade,) = plan.trades
            out = view.pools[0].out_for(trade.sell, trade.buy)
            assert isinstance(out, TokenAmount)
            weth, usdc = (weth - trade.sell, usdc + out) if trade.buy == USDC else (weth + out, usdc - trade.sell)
            traded = float(trade.notional.raw) / 10**trade.notional.token.decimals
        after = _share(strategy, _vault(price, weth, usdc))
        yield Weighed(look / 4, before, after, _share(strategy, _vault(price, *alone)), traded)
        price *= math.exp(0.7 * math.sqrt(0.25 / 365) * source.gauss(0, 1))


def _vault(price: float, weth: TokenAmount, usdc: TokenAmount) -> VaultView:
    mid = Fraction(round(price * 100), 100)
    pool = fake_pool(units(WETH, 20_000), units(USDC, 20_000 * mid), Fraction(5, 10_000))
    return make_view([weth, usdc], {WETH: market(WETH, mid), USDC: market(USDC, 1)}, [pool])


def _share(strategy: Weights, view: VaultView) -> float:
    plan = strategy.plan(view)
    assert isinstance(plan, Hold | Rebalance)
    return next(float(line.weight) for line in plan.assets if line.token == WETH) / 100


@dataclass(frozen=True)
class Sliced:
    """One look at a rebalance in slices: hours, price, least price, {USD} sold so far and with this slice."""

    at: float
    price: float
    least: float
    done: float
    sold: float
    waits: bool


def sliced_up(seed: int = 6) -> Iterator[Sliced]:
    """A sale of WETH over eight hours: `deadline: 8h, worse: 50bps`. The price falls for a while, and comes back."""
    strategy, world, source = sliced(deadline=8 * HOUR, worse=50), World(), random.Random(seed)
    first, done, noise = 3_120.0, 0.0, 0.0
    for minute in range(8 * 60 + 30):
        hour = minute / 60
        noise = 0.985 * noise + source.gauss(0, 0.9)
        fall = -34 * math.exp(-(((hour - 3.6) / 0.75) ** 2)) + 9 * math.sin(hour * 1.1)
        world.price, world.now = (
            Fraction(round((first + fall + (noise if minute else 0)) * 100), 100),
            NOW + minute * 60,
        )
        _arbitrage(world)
        plan = strategy.plan(world.view)
        sold = 0.0
        if isinstance(plan, Rebalance):
            sold = float(world.trade(plan).raw) / 10**18
            done += sold
        waits = isinstance(plan, Hold) and "waits" in plan.reason
        yield Sliced(hour, float(world.price), first * 0.995, done, sold, waits)


def _arbitrage(world: World) -> None:
    """Others leave the pool within its fee of the market, on either side."""
    weth, usdc = world.pool
    product, price = weth * usdc * 10**12, float(world.price)
    edges = [int(math.sqrt(product / (price * edge))) for edge in (1.003, 0.997)]
    there = min(max(weth, edges[0]), edges[1])
    world.pool = there, weth * usdc // there


@dataclass(frozen=True)
class Called:
    """One look at an upkeep: hours, what has accrued {USD}, the base fee {gwei}, and what came of it."""

    at: float
    accrued: float
    fee: float
    what: str


THRESHOLD, MOST_FEE = 500, 20
"""{USD} Where the contract says that it is due; {gwei} the guard `max_base_fee`."""
_TARGET = address(0xC0FFEE)
_READ = Read(_TARGET, b"checker")


def called(hours: int = 36, seed: int = 3) -> Iterator[Called]:
    """A harvest that is due from $500 on. In one evening gas is dear, and for an hour the check reverts."""
    upkeep = Upkeep(
        _TARGET,
        Check(_READ, "checkUpkeep(bytes)", "performUpkeep(bytes)"),
        lambda _: "feed is stale",
        function="performUpkeep(bytes)",
    )
    guard, source, accrued, calls = MaxBaseFee(Wei(MOST_FEE * 10**9)), random.Random(seed), 120.0, []
    for minute in range(0, hours * 60, 5):
        at, hour = NOW + minute * 60, minute / 60
        fee = 9 + 26 * math.exp(-(((hour - 15.5) / 1.6) ** 2)) + source.gauss(0, 0.9)
        accrued += max(0.0, source.gauss(7.5, 5))
        reverts, is_due = 24 <= hour < 25, accrued >= THRESHOLD
        reply = encode(["bool", "bytes"], [is_due, b"" if is_due else b"Below Min"])
        view = make_view(
            (), {}, (), history=History(calls=tuple(calls)), block=make_block(at, base_fee=int(fee * 10**9))
        )
        plan = upkeep.plan(replace(view, extra={_READ: kept(b"" if reverts else reply, reverted=reverts)}))
        what = plan.code if isinstance(plan, Hold) else "denied"
        before = accrued
        if isinstance(plan, Perform) and isinstance(guard.check(make_draft(plan), view), Allow):
            what, accrued = "performed", 0.0
            calls.append(PastCall(at, 1))
        yield Called(hour, before, fee, what)


def stretches(whats: Sequence[str], at: Sequence[float]) -> list[tuple[str, float, float]]:
    """What went on from when to when: `(what, from, until)`."""
    found: list[tuple[str, float, float]] = []
    step = at[1] - at[0]
    for what, time in zip(whats, at, strict=True):
        if found and found[-1][0] == what:
            found[-1] = (what, found[-1][1], time + step)
        else:
            found.append((what, time, time + step))
    return found
