"""A small market of our own on any chain: tokens, feeds, pools, and a script that moves them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from eth_utils.address import to_checksum_address

from keeper.chain.nodes.headers import quantity
from keeper.core.abi import address_word, calldata, word
from keeper.core.units import Address, Rounding, Token, ratio_to_int
from keeper.local.deployer import Deployer
from keeper.local.paths import SLOW, START, Moment

COINS: Mapping[str, str] = {"WETH": "ETH", "BTC": "BTC", "USDC": "USDC"}
"""Each token and the coin whose price it has."""
DECIMALS: Mapping[str, int] = {"WETH": 18, "BTC": 8, "USDC": 6}
PAIRS = (("WETH", "USDC"), ("BTC", "USDC"), ("WETH", "BTC"))
DEPTH = 20_000_000
"""{USD} Of each token in each pool: a trade of 50,000 USD moves the price by half a per cent."""

FEED_DECIMALS = 8
HEARTBEAT = 3_600
"""{s} What the feeds promise. The script tells them something every half hour, unless one is silent."""

Step = tuple[Address, bytes]


@dataclass(frozen=True, slots=True)
class Market:
    """Where everything stands. `feeds` are named `ETH/USD`, pools `WETH/USDC`."""

    deployer: Deployer
    chain_id: int
    maker: Address
    factory: Address
    router: Address
    tokens: Mapping[str, Token]
    feeds: Mapping[str, Address]
    pools: Mapping[str, Address]

    @classmethod
    def deploy(cls, deployer: Deployer, prices: Mapping[str, Fraction] = START, depth: int = DEPTH) -> Market:
        """Deploys all of it, fills the pools and tells the feeds `prices` in USD. Raises DeployError, Unreachable.

        The tokens are minted out of nothing, so this needs gas money only.
        """
        chain_id = quantity(deployer.rpc.call("eth_chainId", []), "chain id")
        maker = deployer.deploy("demo_maker")
        factory = deployer.deploy("demo_factory")
        tokens = {symbol: _deploy_token(deployer, chain_id, maker, symbol) for symbol in COINS}
        router = deployer.deploy("demo_router", ["address", "address"], factory, tokens["WETH"].address)
        feeds = {f"{coin}/USD": _deploy_feed(deployer, maker, coin) for coin in prices}
        feeds[SLOW] = _deploy_feed(deployer, maker, "ETH")
        pools = {f"{a}/{b}": _create_pair(deployer, factory, tokens[a], tokens[b]) for a, b in PAIRS}
        market = cls(deployer, chain_id, maker, factory, router, tokens, feeds, pools)
        market._fill(prices, depth)
        return market

    def _fill(self, prices: Mapping[str, Fraction], depth: int) -> None:
        steps = self._told(Moment(0, "", prices, prices, prices))
        for a, b in PAIRS:
            pool = self.pools[f"{a}/{b}"]
            for symbol in (a, b):
                raw = depth * 10 ** DECIMALS[symbol] / prices[COINS[symbol]]
                steps.append(self._minted(symbol, pool, ratio_to_int(raw, Rounding.DOWN)))
            steps.append((pool, calldata("sync()")))
        self._run(steps)

    # --- using it ----------------------------------------------------------------------------------------------------

    def fund(self, account: Address, amounts: Mapping[str, Fraction | int]) -> None:
        """Gives `account` whole tokens by symbol. Raises DeployError, and KeyError for a symbol it does not have."""
        wholes = {symbol: Fraction(whole) * 10 ** self.tokens[symbol].decimals for symbol, whole in amounts.items()}
        self.mint([(symbol, account, ratio_to_int(raw, Rounding.DOWN)) for symbol, raw in wholes.items()])

    def mint(self, amounts: Sequence[tuple[str, Address, int]]) -> None:
        """{raw} of each symbol for each account, in one transaction. Raises DeployError."""
        self._run([self._minted(*each) for each in amounts])

    def move(self, moment: Moment) -> None:
        """Tells the feeds and trades the pools to the moment's prices, in one transaction. Raises DeployError."""
        self._run([*self._told(moment), *self._traded(moment.traded)])

    def reserves(self) -> dict[str, tuple[int, int]]:
        """{raw} Of each pool, in the order of its name."""
        answers = self.deployer.read([(pool, calldata("getReserves()")) for pool in self.pools.values()])
        found = {}
        for name, answer in zip(self.pools, answers, strict=True):
            first, second = word(answer, 0), word(answer, 1)
            found[name] = (first, second) if self._is_in_order(name) else (second, first)
        return found

    # --- how ---------------------------------------------------------------------------------------------------------

    def _is_in_order(self, name: str) -> bool:
        """The pool's token0 is the first of its name."""
        a, b = (self.tokens[symbol].address for symbol in name.split("/"))
        return int(a, 16) < int(b, 16)

    def _told(self, moment: Moment) -> list[Step]:
        wanted = {f"{coin}/USD": price for coin, price in moment.prices.items()} | {SLOW: moment.slow["ETH"]}
        return [
            (
                self.feeds[name],
                calldata("set(int192,uint64)", ratio_to_int(price * 10**FEED_DECIMALS, Rounding.DOWN), 0),
            )
            for name, price in wanted.items()
            if name not in moment.silent
        ]

    def _traded(self, prices: Mapping[str, Fraction]) -> list[Step]:
        steps: list[Step] = []
        for name, (x, y) in self.reserves().items():
            a, b = (self.tokens[symbol] for symbol in name.split("/"))
            # {b raw / a raw} = {USD / a whole} / {USD / b whole} * {b raw / b whole} / {a raw / a whole}
            price = prices[COINS[a.symbol]] / prices[COINS[b.symbol]] * Fraction(10) ** (b.decimals - a.decimals)
            steps += self._swap(name, a, amount_to_price(x, y, price), x, y)
            steps += self._swap(name, b, amount_to_price(y, x, 1 / price), y, x)
        return steps

    def _swap(self, name: str, sold: Token, amount: int, here: int, there: int) -> list[Step]:
        out = amount * 997 * there // (here * 1000 + amount * 997)
        if out <= 0:
            return []
        pays_first = (name.split("/")[0] != sold.symbol) == self._is_in_order(name)
        outs = (out, 0) if pays_first else (0, out)
        data = calldata("swap(uint256,uint256,address,bytes)", *outs, self.maker, b"")
        return [self._minted(sold.symbol, self.pools[name], amount), (self.pools[name], data)]

    def _minted(self, symbol: str, to: Address, raw: int) -> Step:
        return self.tokens[symbol].address, calldata("mint(address,uint256)", to, raw)

    def _run(self, steps: list[Step]) -> None:
        self.deployer.call(self.maker, "run((address,bytes)[])", steps)


def amount_to_price(x: int, y: int, price: Fraction) -> int:
    """{x raw} Sold into a constant-product pool with a fee of 0.3 %, this brings its price {y raw / x raw} down to
    `price`; 0 where it is there or below. The largest whole amount that does not go beyond.

    The root of g·d² + (1+g)·x·d + x² − x·y/P = 0 with g = 997/1000.
    """
    # 1000 P times the equation, in integers: a·d² + b·d + c = 0
    a = 997 * price.numerator
    b = 1997 * x * price.numerator
    c = 1000 * x * (x * price.numerator - y * price.denominator)
    if c >= 0:
        return 0
    return (isqrt(b * b - 4 * a * c) - b) // (2 * a)


def _deploy_token(deployer: Deployer, chain_id: int, maker: Address, symbol: str) -> Token:
    if symbol == "WETH":
        address = deployer.deploy("demo_weth", ["address"], maker)
    else:
        types = ["address", "string", "string", "uint8"]
        address = deployer.deploy("demo_token", types, maker, f"Demo {symbol}", symbol, DECIMALS[symbol])
    return Token(chain_id, address, symbol, DECIMALS[symbol])


def _deploy_feed(deployer: Deployer, maker: Address, coin: str) -> Address:
    return deployer.deploy("demo_feed", ["address", "string", "uint8"], maker, f"{coin} / USD", FEED_DECIMALS)


def _create_pair(deployer: Deployer, factory: Address, a: Token, b: Token) -> Address:
    deployer.call(factory, "createPair(address,address)", a.address, b.address)
    (answer,) = deployer.read([(factory, calldata("getPair(address,address)", a.address, b.address))])
    return Address(to_checksum_address(address_word(answer, 0)))
