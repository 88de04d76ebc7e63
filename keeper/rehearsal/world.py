"""A vault's world on a chain in this process: its tokens, pools and feeds, and the hands that move them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt

from eth_utils.address import to_checksum_address

from keeper.core.abi import address_word, calldata, word
from keeper.core.units import WHOLE_BPS, Address, Rounding, Token, Wei, ratio_to_int
from keeper.local.deployer import Deployer
from keeper.local.embedded import EmbeddedChain
from keeper.rehearsal.shape import FeedShape, PoolShape, Shape

FEED_DECIMALS = 8
WEI = 10**18
Step = tuple[Address, bytes]


@dataclass(frozen=True, slots=True)
class PoolPlace:
    """Where a pool stands, and what trades it."""

    shape: PoolShape
    pool: Address
    factory: Address
    router: Address


@dataclass(slots=True)
class World:
    """Prices are USD by symbol: `prices` are true, `told` is what the feeds were last told."""

    shape: Shape
    chain: EmbeddedChain
    deployer: Deployer
    maker: Address
    tokens: Mapping[str, Token]
    pools: tuple[PoolPlace, ...]
    feeds: Mapping[FeedShape, Address]
    prices: dict[str, Fraction] = field(default_factory=dict)
    told: dict[str, Fraction] = field(default_factory=dict)
    base_fee: int = 0
    """{wei / gas} Of an ordinary day."""

    @classmethod
    def build(cls, shape: Shape, chain: EmbeddedChain, deployer: Deployer, account: Address, gas_money: int) -> World:
        """Deploys all of it and gives `account` its holdings and {wei} `gas_money`. Raises DeployError, Unreachable."""
        maker = deployer.deploy("demo_maker")
        tokens = {symbol: _token(deployer, chain.chain_id, maker, shape, symbol) for symbol in shape.decimals}
        pools = tuple(_pool(deployer, each, tokens, tokens[shape.wrapped].address) for each in shape.pools)
        types = ["address", "string", "uint8"]
        feeds = {
            each: deployer.deploy("demo_feed", types, maker, f"{each.symbol} / USD", FEED_DECIMALS)
            for each in shape.feeds
        }
        world = cls(shape, chain, deployer, maker, tokens, pools, feeds, dict(shape.prices), dict(shape.prices))
        steps = [world._minted(symbol, account, amount) for symbol, amount in shape.holdings.items()]
        for each in pools:
            amounts = {symbol: shape.depth / shape.prices[symbol] for symbol in each.shape.tokens}
            steps += [world._minted(symbol, each.pool, amount) for symbol, amount in amounts.items()]
            steps.append((each.pool, calldata("sync()")))
        world._run([*steps, *world._telling(())])
        deployer.pay(account, gas_money)
        return world

    # --- moving it ---------------------------------------------------------------------------------------------------

    def tell(self, prices: Mapping[str, Fraction] | None = None, *, silent: Iterable[str] = ()) -> None:
        """Feeds say `prices` (else what they said), and averages follow the pools; `silent` tokens' feeds do not."""
        self.told |= prices or {}
        self._run(self._telling(silent))

    def trade_to(self, prices: Mapping[str, Fraction]) -> None:
        """Pools stand at these prices from here on: what they lack is given to them."""
        self.prices |= prices
        self._run([step for each in self.pools for step in self._moved(each)])

    def move(self, prices: Mapping[str, Fraction]) -> None:
        """The whole market: pools, then feeds."""
        self.trade_to(prices)
        self.tell(prices)

    def scaled(self, symbol: str, bps: int) -> dict[str, Fraction]:
        """{USD} The price of one token, `bps` off."""
        return {symbol: self.prices[symbol] * (WHOLE_BPS + bps) / WHOLE_BPS}

    def drain(self, part: Fraction = Fraction(9, 10)) -> None:
        """Somebody empties every pool of `part` of what the vault would buy there, and no feed hears of it."""
        steps: list[Step] = []
        for each in self.pools:
            a, b = each.shape.tokens
            gone, fed = (a, b) if b == self.shape.sold else (b, a)
            x, y = self.reserves(each)
            lost, grown = (x, y) if gone == a else (y, x)
            out = int(lost * part)
            steps += self._swapped(each, fed, lost * grown // (lost - out) + 1 - grown, out)
        self._run(steps)

    def set_base_fee(self, wei: int) -> None:
        self.chain.set_base_fee(Wei(wei))

    # --- looking at it -----------------------------------------------------------------------------------------------

    def reserves(self, place: PoolPlace) -> tuple[int, int]:
        """{raw} In the order of its name."""
        (answer,) = self.deployer.read([(place.pool, calldata("getReserves()"))])
        first, second = word(answer, 0), word(answer, 1)
        return (first, second) if self._is_first(*place.shape.tokens) else (second, first)

    def balances(self, account: Address) -> dict[Token, int]:
        """{raw}"""
        asked = [(token.address, calldata("balanceOf(address)", account)) for token in self.tokens.values()]
        return {t: word(answer, 0) for t, answer in zip(self.tokens.values(), self.deployer.read(asked), strict=True)}

    def worth(self, token: Token, raw: int) -> Fraction:
        """{USD} At the true price."""
        return self.prices[token.symbol] * Fraction(raw, 10**token.decimals)

    # --- how ---------------------------------------------------------------------------------------------------------

    def _is_first(self, a: str, b: str) -> bool:
        return int(self.tokens[a].address, 16) < int(self.tokens[b].address, 16)

    def _telling(self, silent: Iterable[str]) -> list[Step]:
        quiet = frozenset(silent)
        return [
            (address, calldata("set(int192,uint64)", self._answer(each), 0))
            for each, address in self.feeds.items()
            if each.is_average or each.symbol not in quiet
        ]

    def _answer(self, feed: FeedShape) -> int:
        price = (self.prices if feed.is_average else self.told)[feed.symbol]
        return ratio_to_int(price * 10**FEED_DECIMALS, Rounding.DOWN)

    def _moved(self, place: PoolPlace) -> list[Step]:
        """Where a pool stands apart from the prices, somebody trades it there, and pays its fee."""
        a, b = place.shape.tokens
        x, y = self.reserves(place)
        # {b raw / a raw}
        tens = Fraction(10) ** (self.tokens[b].decimals - self.tokens[a].decimals)
        price = self.prices[a] / self.prices[b] * tens
        wanted = isqrt(int(x * y / price))
        if wanted > x:
            return [*self._swapped(place, a, wanted - x, y - x * y // wanted - 1)]
        there = x * y // wanted + 1
        return [*self._swapped(place, b, there - y, x - wanted)] if there > y else []

    def _swapped(self, place: PoolPlace, sold: str, paid: int, out: int) -> list[Step]:
        other = place.shape.tokens[1 - place.shape.tokens.index(sold)]
        with_fee = paid * 10**6 // (10**6 - place.shape.fee) + 1
        mint = (self.tokens[sold].address, calldata("mint(address,uint256)", place.pool, with_fee))
        if out <= 0:
            return []
        outs = (out, 0) if self._is_first(other, sold) else (0, out)
        return [mint, (place.pool, calldata("swap(uint256,uint256,address,bytes)", *outs, self.maker, b""))]

    def _minted(self, symbol: str, to: Address, whole: Fraction) -> Step:
        raw = ratio_to_int(whole * 10 ** self.tokens[symbol].decimals, Rounding.DOWN)
        return self.tokens[symbol].address, calldata("mint(address,uint256)", to, raw)

    def _run(self, steps: list[Step]) -> None:
        if steps:
            self.deployer.call(self.maker, "run((address,bytes)[])", steps)


def _token(deployer: Deployer, chain_id: int, maker: Address, shape: Shape, symbol: str) -> Token:
    decimals = shape.decimals[symbol]
    if symbol == shape.wrapped:
        return Token(chain_id, deployer.deploy("demo_weth", ["address"], maker), symbol, 18)
    types = ["address", "string", "string", "uint8"]
    return Token(chain_id, deployer.deploy("demo_token", types, maker, symbol, symbol, decimals), symbol, decimals)


def _pool(deployer: Deployer, shape: PoolShape, tokens: Mapping[str, Token], wrapped: Address) -> PoolPlace:
    """With a factory and a router of its own, as a factory makes one pool for each pair."""
    factory = deployer.deploy("demo_factory")
    deployer.call(factory, "setFee(uint256)", shape.fee)
    a, b = (tokens[symbol].address for symbol in shape.tokens)
    deployer.call(factory, "createPair(address,address)", a, b)
    (answer,) = deployer.read([(factory, calldata("getPair(address,address)", a, b))])
    router = deployer.deploy("demo_router", ["address", "address"], factory, wrapped)
    return PoolPlace(shape, Address(to_checksum_address(address_word(answer, 0))), factory, router)
