"""Small builders that the tests of several rooms share: tokens, constant-product pools, prices, views, drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from eth_utils.address import to_checksum_address

from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import Block, History, MarketPrice, Reading, Unusable, VaultView
from keeper.core.plan import Draft, Fees, Hold, Leg, Order, OrderLeg, Plan, Route, Simulation, Trade
from keeper.core.pools import NoLiquidity, NoQuote, Pool, PoolState, Router, Side
from keeper.core.sending import ExpectedSwap
from keeper.core.units import NATIVE, USD, Address, Price, Token, TokenAmount, Wei
from keeper.venues.uniswap_v2_side import ConstantProduct

CHAIN = 31337
NOW = 1_790_000_000
"""2026-09-21 14:13:20 UTC, a Monday."""


def address(number: int) -> Address:
    """A checksummed address that reads as its number."""
    return Address(to_checksum_address(number.to_bytes(20, "big")))


def token(symbol: str, decimals: int = 18, number: int | None = None) -> Token:
    """A token whose address follows from its symbol, unless `number` says otherwise."""
    at = int.from_bytes(symbol.encode(), "big") + (1 << 100) if number is None else number
    return Token(CHAIN, address(at), symbol, decimals)


WETH = token("WETH")
USDC = token("USDC", 6)
DAI = token("DAI")
WBTC = token("WBTC", 8)
ETH = Token(CHAIN, NATIVE, "ETH", 18)
ACCOUNT = address(0xACC0)
V2_ROUTER = Router("v2_router", address(0x2007))
SWAP_ROUTER = Router("swap_router", address(0x3007))
SWAP_ROUTER02 = Router("swap_router02", address(0x3202))


def units(of: Token, whole: str | int | Fraction) -> TokenAmount:
    """`units(USDC, "1500.25")`"""
    return TokenAmount.from_whole(of, whole)


def usd(whole: str | int | Fraction) -> TokenAmount:
    return TokenAmount.from_whole(USD, whole)


def market(of: Token, ratio: str | int | Fraction, apart: int = 0, age: int = 60, max_age: int = 3600) -> MarketPrice:
    """`ratio` USD for one whole token; `apart` bps between low and high."""
    mid = Fraction(ratio)
    low, high = mid * (1 - Fraction(apart, 20_000)), mid * (1 + Fraction(apart, 20_000))
    price, cheap, dear = (Price(of, USD, each) for each in (mid, low, high))
    return MarketPrice(of, price, cheap, dear, (Reading("chainlink", price, age, max_age),), Fraction(apart))


@dataclass(frozen=True, slots=True)
class FakePool:
    """Constant product with a fee on the amount in: `out = g·a·y // (x + g·a)`, integers throughout."""

    pool: Pool
    reserves: Mapping[Token, int]

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        x, y = self.reserves[sell.token], self.reserves[buy]
        if not x or not y:
            return NoLiquidity("the pool is empty")
        g = 1 - self.pool.fee
        paid = sell.raw * g.numerator
        return TokenAmount(buy, paid * y // (x * g.denominator + paid))

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        x, y = self.reserves[sell], self.reserves[buy.token]
        if buy.raw >= y:
            return NoLiquidity("the pool holds less than that")
        g = 1 - self.pool.fee
        return TokenAmount(sell, -(-x * buy.raw * g.denominator // ((y - buy.raw) * g.numerator)))

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        x, y = self.reserves[sell], self.reserves[buy]
        return Fraction(y, x) * (1 - self.pool.fee) if x and y else NoLiquidity("the pool is empty")

    def after(self, sell: TokenAmount, buy: Token) -> FakePool | NoQuote:
        out = self.out_for(sell, buy)
        if not isinstance(out, TokenAmount):
            return out
        moves = {sell.token: sell.raw, buy: -out.raw}
        return FakePool(self.pool, {token: held + moves.get(token, 0) for token, held in self.reserves.items()})

    def side(self, sell: Token, buy: Token) -> Side | NoQuote:
        x, y, g = self.reserves[sell], self.reserves[buy], 1 - self.pool.fee
        if not x or not y:
            return NoLiquidity("the pool is empty")
        return ConstantProduct.of((x, y), (g.numerator, g.denominator), (1 << 112) - 1)


def fake_pool(
    one: TokenAmount,
    other: TokenAmount,
    fee: Fraction = Fraction(3, 1000),
    number: int = 0xB001,
    router: Router = V2_ROUTER,
    kind: str = "uniswap_v2",
) -> FakePool:
    """A pool that holds these two amounts."""
    tokens = (one.token, other.token)
    pool = Pool(CHAIN, kind, address(number), tokens, fee, address(0xFAC), router)
    return FakePool(pool, {one.token: one.raw, other.token: other.raw})


def make_block(at: int = NOW, number: int = 1_000, base_fee: int | None = 10**9) -> Block:
    return Block(CHAIN, number, "0x01", "0x00", at, None if base_fee is None else Wei(base_fee), 30_000_000)


def make_view(
    holdings: Sequence[TokenAmount] = (TokenAmount(WETH, 4125 * 10**17), TokenAmount(USDC, 713_000 * 10**6)),
    prices: Mapping[Token, MarketPrice | Unusable] | None = None,
    pools: Sequence[PoolState] | None = None,
    *,
    history: History = History(),  # noqa: B008  frozen
    allowances: Mapping[tuple[Token, Address], int] | None = None,
    balances: Mapping[Token, TokenAmount] | None = None,
    native: str | int | Fraction = 1,
    native_price: MarketPrice | Unusable | None = None,
    sender: Address | None = ACCOUNT,
    block: Block | None = None,
) -> VaultView:
    """A vault of 412.5 WETH and 713,000 USDC with WETH at 3,120 USD and one deep pool, where nothing else is said.

    It is the treasury of the examples: 64.35 % WETH.
    """
    held = {amount.token: amount for amount in holdings}
    if pools is None:
        pools = (fake_pool(units(WETH, 100_000), units(USDC, 312_000_000), Fraction(5, 10_000)),)
    coin = units(ETH, native)
    return VaultView(
        vault="treasury",
        block=block or make_block(),
        account=ACCOUNT,
        sender=sender,
        holdings=held,
        native=coin,
        gas_balance=coin,
        native_price=native_price or market(ETH, 3120),
        prices={WETH: market(WETH, 3120), USDC: market(USDC, 1)} if prices is None else prices,
        pools=tuple(pools),
        left_out=(),
        allowances=allowances or {},
        balances=held if balances is None else balances,
        history=history,
    )


def expected_swap(
    sell: TokenAmount,
    quote: TokenAmount,
    min_out: TokenAmount,
    values: tuple[str | int, str | int, str | int] = (0, 0, 0),
    price: str | int | Fraction = 1,
) -> ExpectedSwap:
    """`values` are those of what is sold, of the fee and of the impact, in USD; `price` is of the bought token."""
    sold, fee, impact = map(usd, values)
    return ExpectedSwap(sell, quote, min_out, sold, fee, impact, Price(quote.token, USD, Fraction(price)))


def swap_call(router: Router = V2_ROUTER, data: bytes = b"swap", spends: TokenAmount | None = None) -> Call:
    return Call(router.address, data, 0, Purpose.SWAP, "swap", spends)


def simulated(
    deltas: Mapping[Token, int] | None = None, failure: str = "", gas: Sequence[int] = (120_000,), cap: int = 2 * 10**9
) -> Simulation:
    return Simulation(1_000, failure, tuple(gas), deltas or {}, 150_000, Fees(Wei(cap), Wei(10**9)))


def make_order(
    sell: TokenAmount, quote: TokenAmount, mid: Fraction, pool: Pool, slippage: int = 50, deadline: int = NOW + 600
) -> Order:
    """One leg, `slippage` bps below its quote."""
    floor = TokenAmount(quote.token, -(-quote.raw * (10_000 - slippage) // 10_000))
    leg = OrderLeg(Leg((pool,), sell, quote, mid), floor, TokenAmount.zero(quote.token))
    return Order((leg,), deadline, slippage)


def make_draft(
    plan: Plan | None = None,
    order: Order | None = None,
    calls: Sequence[Call] | None = None,
    simulation: Simulation | None = None,
    notional: TokenAmount | None = None,
    gas_cost: str | Fraction = "0.001",
    gas_value: TokenAmount | None = usd("3.12"),  # noqa: B008  frozen
    max_gas_cost: str | Fraction = "0.002",
) -> Draft:
    """A draft of these parts; without an order, one that trades nothing. Routes follow from the order's legs."""
    routes = []
    for leg in order.legs if order else ():
        trade = Trade(leg.leg.sell, leg.leg.buy, notional if notional is not None else usd(1000))
        routes.append(Route(trade, (leg.leg,)))
    return Draft(
        plan=plan or Hold("in_band", "nothing to do"),
        routes=tuple(routes),
        order=order,
        calls=Calls(tuple(calls or (swap_call(),))),
        simulation=simulation or simulated(),
        gas_cost=units(ETH, gas_cost),
        gas_value=gas_value,
        max_gas_cost=units(ETH, max_gas_cost),
    )
