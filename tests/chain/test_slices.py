"""$200k into $2M of depth on a real Uniswap v2 pair: in slices, with an arbitrageur between them, and in one shot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

import pytest

from keeper.core.abi import calldata, word
from keeper.core.calls import Purpose
from keeper.core.chain import History, PastTrade, VaultView
from keeper.core.plan import Order, Rebalance, Route
from keeper.core.pools import Pool, Router
from keeper.core.slices import Slice
from keeper.core.units import USD, Token, TokenAmount
from keeper.custody.wallet import Wallet
from keeper.local.anvil import run_anvil
from keeper.routing.floors import Floors
from keeper.routing.single import SinglePool
from keeper.strategies.bands import Band, Bands
from keeper.strategies.parents import Slicing
from keeper.strategies.sliced import Sliced
from keeper.strategies.slicing import Costs
from keeper.strategies.weights import Weights
from keeper.venues.uniswap_v2 import UniswapV2, UniswapV2Pin, UniswapV2State
from tests.builders import ETH, make_block, make_view, market, units
from tests.chain.node import Node
from tests.chain.pools import observe, pin_pool
from tests.chain.uniswap import (
    Deployment,
    balance,
    create_v2_pair,
    deploy_token,
    deploy_uniswap,
    move_v2_pair,
    transfer,
    wrap,
)

PRICE = Fraction(2_000)
"""{USDC per WETH} What the market pays, and what the arbitrageur brings the pool back to, less its fee."""
GAS_PRICE = 12_500_000_000
"""{wei per gas} An approval and a swap are counted as 200,000 gas: $5 a slice."""
ROUTING = SinglePool(Floors(slippage=50, max_deviation=2_000, deadline=600))


@dataclass
class Parts:
    """{USD} What trades cost against the market's price, split as MATH 9 has it: the parts add up to the whole."""

    fee: Fraction = Fraction(0)
    basis: Fraction = Fraction(0)
    impact: Fraction = Fraction(0)
    others: Fraction = Fraction(0)
    gas: Fraction = Fraction(0)

    @property
    def total(self) -> Fraction:
        return self.fee + self.basis + self.impact + self.others + self.gas

    def __str__(self) -> str:
        parts = " · ".join(f"{name} {float(getattr(self, name)):,.0f}" for name in self.__dataclass_fields__)
        return f"${float(self.total):,.0f} ({parts})"


@dataclass
class Desk:
    """A vault of $2M, 60 % WETH where 50 % is wanted, that trades $200k on the pair."""

    uniswap: Deployment
    usdc: Token
    pool: Pool
    now: int
    past: list[PastTrade] = field(default_factory=list)
    parts: Parts = field(default_factory=Parts)

    @property
    def node(self) -> Node:
        return self.uniswap.node

    @property
    def account(self):  # type: ignore[no-untyped-def]
        return self.node.accounts[1]

    def state(self) -> UniswapV2State:
        found, _ = observe(self.node, UniswapV2(), self.pool)
        assert isinstance(found, UniswapV2State)
        return found

    def view(self) -> VaultView:
        weth = self.uniswap.weth
        held = [balance(self.node, token, self.account) for token in (weth, self.usdc)]
        data = calldata("allowance(address,address)", self.account, self.uniswap.v2_router)
        approved = {(t, self.uniswap.v2_router): word(self.node.call(t.address, data), 0) for t in (weth, self.usdc)}
        view = make_view(
            held,
            {weth: market(weth, PRICE), self.usdc: market(self.usdc, 1)},
            [self.state()],
            history=History(tuple(self.past), seed=11),
            allowances=approved,
            native_price=market(ETH, PRICE),
            block=make_block(self.now, base_fee=GAS_PRICE),
        )
        return replace(view, account=self.account, sender=self.account)

    def trade(self, plan: Rebalance, view: VaultView) -> None:
        """The plan's first trade, approved and swapped as a wallet does it, at the plan's own time."""
        custody = Wallet((self.pool.router,), None, units(ETH, 0))
        (trade,) = custody.take(plan.trades, view)
        route = ROUTING.allocate(trade, view)
        assert isinstance(route, Route)
        order: Order = ROUTING.limit([route], view)
        swaps = [UniswapV2().encode(leg, self.account, order.deadline) for leg in order.legs]
        before, sold = balance(self.node, self.usdc, self.account), route.legs[0]
        self.node.rpc("evm_setNextBlockTimestamp", self.now)
        for call in custody.wrap(swaps, view).sequence:
            receipt = self.node.send(call.to, call.data, sender=self.account)
            self.parts.gas += Fraction(int(receipt["gasUsed"], 16) * GAS_PRICE, 10**18) * PRICE
            self.now = int(self.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
            assert call.purpose in (Purpose.APPROVE, Purpose.SWAP)
        fill = balance(self.node, self.usdc, self.account) - before
        self._account(sold.sell, sold.mid, sold.quote, fill)
        part: Slice | None = plan.schedule.slice if plan.schedule else None
        self.past.append(PastTrade(self.now, trade.notional, TokenAmount.zero(USD), part))

    def _account(self, sold: TokenAmount, mid: Fraction, quote: TokenAmount, fill: TokenAmount) -> None:
        worth, fee = sold.whole * PRICE, self.pool.fee
        at_mid = sold.raw * mid / 10**6
        self.parts.fee += worth * fee
        self.parts.basis += (worth - at_mid) * (1 - fee)
        self.parts.impact += at_mid * (1 - fee) - quote.whole
        self.parts.others += quote.whole - fill.whole

    def refill(self) -> None:
        """An arbitrageur buys WETH for as long as the pool, fee included, sells it below the market."""
        zero, one = self.state().reserves
        weth, usdc = (zero, one) if self.pool.tokens[0] == self.uniswap.weth else (one, zero)
        edge = PRICE * (1 - self.pool.fee)
        if Fraction(usdc, weth) * 10**12 < edge:
            move_v2_pair(self.uniswap, self.pool.address, self.uniswap.weth, self.usdc, edge)

    def weight(self) -> Fraction:
        weth, usdc = (balance(self.node, t, self.account).whole for t in (self.uniswap.weth, self.usdc))
        return weth * PRICE / (weth * PRICE + usdc)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with run_anvil(options=["--gas-price", "0", "--base-fee", "0"]) as running:
        uniswap = deploy_uniswap(Node(running.url))
        usdc = deploy_token(uniswap, "USDC", 6)
        wrap(uniswap, 10_000)
        pair = create_v2_pair(uniswap, units(uniswap.weth, 1_000), units(usdc, 2_000_000))
        transfer(uniswap, units(uniswap.weth, 600), uniswap.node.accounts[1])
        transfer(uniswap, units(usdc, 800_000), uniswap.node.accounts[1])
        router = Router("v2_router", uniswap.v2_router)
        pool = pin_pool(uniswap.node, UniswapV2Pin(), pair, [uniswap.weth, usdc], router)
        head = uniswap.node.rpc("eth_getBlockByNumber", "latest", False)
        yield Desk(uniswap, usdc, pool, int(head["timestamp"], 16) + 60)


def strategies(desk: Desk) -> tuple[Weights, Sliced]:
    weights = Weights({desk.uniswap.weth: 5_000, desk.usdc: 5_000}, Bands(Band(400), Band(0)))
    begun = replace(weights, bands=weights.bands.to_destination())
    return weights, Sliced(weights, begun, Slicing(Fraction(8, 10), most=1_000, variation=Fraction(1, 10)))


def test_sliced__with_an_arbitrageur_between__costs_what_the_formula_says_and_a_tenth_of_one_shot(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, sliced = strategies(desk)
    snapshot = desk.node.rpc("evm_snapshot")
    one = replace(desk, past=[], parts=Parts())
    view = one.view()
    plan = whole.plan(view)
    assert isinstance(plan, Rebalance)
    one.trade(plan, view)
    desk.node.rpc("evm_revert", snapshot)

    many, waits = replace(desk, past=[], parts=Parts()), 0
    while not many.past or (many.past[-1].slice and not many.past[-1].slice.is_last):
        view = many.view()
        plan = sliced.plan(view)
        if isinstance(plan, Rebalance):
            many.trade(plan, view)
            many.refill()
        elif plan.schedule is not None:
            many.now, waits = plan.schedule.due, waits + 1
        else:
            break  # at its destination before the last slice was due
    count = len(many.past)
    values, expected = zip(*(_expected(each, desk.pool.fee) for each in (one, many)), strict=True)
    assert many.past[0].slice is not None
    with capsys.disabled():
        print(f"\ninto $2M of depth at 0.3 %, {count} slices (planned {many.past[0].slice.of})")
        for name, done, value, cost in zip(("one shot", "sliced"), (one, many), values, expected, strict=True):
            print(f"  {name:<8} ${float(value):,.0f} cost {done.parts}, by the formula ${float(cost):,.0f}")
    # One shot sells more: its own impact makes the vault poorer, and half of less is less.
    assert [float(value) for value in values] == pytest.approx([200_000, 200_000], rel=0.06)
    assert 50 <= count <= 70
    assert waits >= count - 1
    assert abs(many.weight() - Fraction(1, 2)) < Fraction(1, 1000)
    assert float(one.parts.total) == pytest.approx(float(expected[0]), rel=0.15)
    assert float(many.parts.total) == pytest.approx(float(expected[1]), rel=0.15)
    assert many.parts.total < one.parts.total / 5
    assert one.parts.others == many.parts.others == 0


def _expected(done: Desk, fee: Fraction) -> tuple[Fraction, Fraction]:
    """{USD} What was traded, and what MATH 5 says of so many slices at the gas that they took."""
    value = sum((trade.notional.whole for trade in done.past), Fraction(0))
    gas = done.parts.gas / len(done.past)
    return value, Costs(value, Fraction(2_000_000), fee, gas).of(len(done.past))
