"""A market of real Uniswap bytecode on a local node: factories, routers, tokens, pools, positions, swaps.

    uniswap = deploy_uniswap(Node(url))
    weth, usdc = uniswap.weth, deploy_token(uniswap, "USDC", 6)
    wrap(uniswap, 10_000)
    pair = create_v2_pair(uniswap, TokenAmount.from_whole(weth, 1_000), TokenAmount.from_whole(usdc, 3_000_000))
    pool = create_v3_pool(uniswap, weth, usdc, 500, Fraction(3000), [position_around(...)])
    move_v3_pool(uniswap, weth, usdc, 500, Fraction(3100))

The deployer owns what it deploys, holds plenty of every DemoToken, and has approved every router.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt
from pathlib import Path

import contracts_abi
from keeper.core.abi import address_word, calldata, word
from keeper.core.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO, get_sqrt_ratio_at_tick
from keeper.core.units import Address, Token, TokenAmount
from tests.chain.node import Node

PLENTY = 1 << 200
MAX_UINT256 = (1 << 256) - 1
FOREVER = 1 << 40
"""{s} A deadline for people who move markets."""
SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
"""{ppm: ticks}"""


@dataclass(frozen=True, slots=True)
class Deployment:
    node: Node
    weth: Token
    v2_factory: Address
    v2_router: Address
    v3_factory: Address
    position_manager: Address
    swap_router: Address
    swap_router02: Address
    quoter: Address
    """QuoterV2."""


@dataclass(frozen=True, slots=True)
class Position:
    """Liquidity between two ticks of token1 per token0, both multiples of the pool's spacing."""

    lower: int
    upper: int
    liquidity: int


@cache
def bytecode(path: str) -> str:
    """Creation code of a contract of npm's @uniswap packages."""
    file = Path(__file__).parents[2] / "node_modules" / "@uniswap" / path
    if not file.exists():
        raise FileNotFoundError(f"{file.name}: the contracts' bytecode comes from npm; install it with `npm ci`")
    found: str = json.loads(file.read_text("utf-8"))["bytecode"]
    return found


def deploy_uniswap(node: Node, beside: Deployment | None = None) -> Deployment:
    """Both generations, with the 0.01 % tier that mainnet enabled later, and with the WETH of `beside` if given."""

    def new(path: str, *arguments: Address) -> Address:
        return node.deploy(bytecode(path), ["address"] * len(arguments), arguments)

    core, periphery = "v3-core/artifacts/contracts", "v3-periphery/artifacts/contracts"
    weth = beside.weth.address if beside else new("v2-periphery/build/WETH9.json")
    v2_factory = new("v2-core/build/UniswapV2Factory.json", node.deployer)
    v3_factory = new(f"{core}/UniswapV3Factory.sol/UniswapV3Factory.json")
    # The position manager asks its descriptor for pictures only, so any address does.
    manager = new(
        f"{periphery}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json", v3_factory, weth, node.deployer
    )
    routers02 = "swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json"
    found = Deployment(
        node=node,
        weth=Token(node.chain_id, weth, "WETH", 18),
        v2_factory=v2_factory,
        v2_router=new("v2-periphery/build/UniswapV2Router02.json", v2_factory, weth),
        v3_factory=v3_factory,
        position_manager=manager,
        swap_router=new(f"{periphery}/SwapRouter.sol/SwapRouter.json", v3_factory, weth),
        swap_router02=new(routers02, v2_factory, v3_factory, manager, weth),
        quoter=new(f"{periphery}/lens/QuoterV2.sol/QuoterV2.json", v3_factory, weth),
    )
    node.send(v3_factory, calldata("enableFeeAmount(uint24,int24)", 100, SPACINGS[100]))
    approve_routers(found, found.weth)
    return found


# --- tokens --------------------------------------------------------------------------------------------------------


def deploy_token(uniswap: Deployment, symbol: str, decimals: int = 18) -> Token:
    """An ERC-20 of which the deployer holds plenty and mints more."""
    node = uniswap.node
    code: str = contracts_abi.load("demo_token")["bytecode"]
    types = ["address", "string", "string", "uint8"]
    address = node.deploy(code, types, [node.deployer, symbol, symbol, decimals])
    token = Token(node.chain_id, address, symbol, decimals)
    node.send(address, calldata("mint(address,uint256)", node.deployer, PLENTY))
    approve_routers(uniswap, token)
    return token


def wrap(uniswap: Deployment, whole: Fraction | int | str) -> TokenAmount:
    """WETH for the deployer, from its native coin, of which it has 10^12."""
    amount = TokenAmount.from_whole(uniswap.weth, whole)
    uniswap.node.send(uniswap.weth.address, calldata("deposit()"), amount.raw)
    return amount


def transfer(uniswap: Deployment, amount: TokenAmount, to: Address) -> None:
    uniswap.node.send(amount.token.address, calldata("transfer(address,uint256)", to, amount.raw))


def balance(node: Node, token: Token, holder: Address) -> TokenAmount:
    return TokenAmount(token, word(node.call(token.address, calldata("balanceOf(address)", holder)), 0))


def approve_routers(uniswap: Deployment, token: Token) -> None:
    """All that the deployer has of a token, to every router and to the position manager."""
    spenders = uniswap.v2_router, uniswap.swap_router, uniswap.swap_router02, uniswap.position_manager
    data = [calldata("approve(address,uint256)", spender, MAX_UINT256) for spender in spenders]
    uniswap.node.send_all([(token.address, each) for each in data])


# --- v2 ------------------------------------------------------------------------------------------------------------


def create_v2_pair(uniswap: Deployment, one: TokenAmount, other: TokenAmount) -> Address:
    """A pair that holds exactly these amounts."""
    pair = create_empty_pair(uniswap, one.token, other.token)
    transfer(uniswap, one, pair)
    transfer(uniswap, other, pair)
    uniswap.node.send(pair, calldata("mint(address)", uniswap.node.deployer))
    return pair


def create_empty_pair(uniswap: Deployment, one: Token, other: Token) -> Address:
    uniswap.node.send(uniswap.v2_factory, calldata("createPair(address,address)", one.address, other.address))
    found = uniswap.node.call(uniswap.v2_factory, calldata("getPair(address,address)", one.address, other.address))
    return address_word(found, 0)


def swap_v2(uniswap: Deployment, sell: TokenAmount, buy: Token) -> None:
    """Sells at any price, as somebody else would."""
    signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    path = [sell.token.address, buy.address]
    uniswap.node.send(uniswap.v2_router, calldata(signature, sell.raw, 0, path, uniswap.node.deployer, FOREVER))


def move_v2_pair(uniswap: Deployment, pair: Address, base: Token, quote: Token, price: Fraction) -> None:
    """Trades until the pair stands near `price` {quote whole / base whole}."""
    reserves = uniswap.node.call(pair, calldata("getReserves()"))
    zero, one = word(reserves, 0), word(reserves, 1)
    held, other = (zero, one) if _is_first(base, quote) else (one, zero)
    raw = price * Fraction(10) ** (quote.decimals - base.decimals)
    # After a trade without fee, held * other is unchanged and other / held is the price.
    wanted = isqrt(int(held * other / raw))
    if wanted > held:
        swap_v2(uniswap, TokenAmount(base, wanted - held), quote)
    elif wanted < held:
        swap_v2(uniswap, TokenAmount(quote, int(wanted * raw) - other), base)


# --- v3 ------------------------------------------------------------------------------------------------------------


def create_v3_pool(
    uniswap: Deployment, base: Token, quote: Token, fee: int, price: Fraction, positions: Sequence[Position] = ()
) -> Address:
    """A pool at `price` {quote whole / base whole} with these positions."""
    return create_v3_pool_at(uniswap, base, quote, fee, sqrt_price(base, quote, price), positions)


def create_v3_pool_at(
    uniswap: Deployment, one: Token, other: Token, fee: int, sqrt: int, positions: Sequence[Position] = ()
) -> Address:
    """The same at a square-root price of token1 per token0, Q64.96."""
    token0, token1 = sort_tokens(one, other)
    signature = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
    uniswap.node.send(uniswap.position_manager, calldata(signature, token0.address, token1.address, fee, sqrt))
    add_positions(uniswap, token0, token1, fee, sqrt, positions)
    return v3_pool(uniswap, token0, token1, fee)


def v3_pool(uniswap: Deployment, one: Token, other: Token, fee: int) -> Address:
    data = calldata("getPool(address,address,uint24)", one.address, other.address, fee)
    return address_word(uniswap.node.call(uniswap.v3_factory, data), 0)


def add_positions(
    uniswap: Deployment, one: Token, other: Token, fee: int, sqrt: int, positions: Sequence[Position]
) -> None:
    """Mints with enough of both tokens for each position's liquidity at the square-root price `sqrt`."""
    token0, token1 = sort_tokens(one, other)
    signature = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
    calls = []
    for position in positions:
        amount0, amount1 = amounts_of(position, sqrt)
        pool = token0.address, token1.address, fee, position.lower, position.upper
        mint = (*pool, amount0, amount1, 0, 0, uniswap.node.deployer, FOREVER)
        calls.append((uniswap.position_manager, calldata(signature, mint)))
    uniswap.node.send_all(calls)


def amounts_of(position: Position, sqrt: int) -> tuple[int, int]:
    """{token0 raw, token1 raw} The whitepaper's amounts of a position, rounded up."""
    low, high = get_sqrt_ratio_at_tick(position.lower), get_sqrt_ratio_at_tick(position.upper)
    at = min(max(sqrt, low), high)
    amount0 = Fraction(position.liquidity * (high - at) << 96, at * high)
    amount1 = Fraction(position.liquidity * (at - low), 1 << 96)
    return -(-amount0 // 1), -(-amount1 // 1)


def position_around(base: TokenAmount, quote: TokenAmount, fee: int, price: Fraction, width: int) -> Position:
    """`width` ticks to each side of `price`, with about the liquidity that these amounts pay for."""
    spacing = SPACINGS[fee]
    sqrt = sqrt_price(base.token, quote.token, price)
    middle = nearest_tick(sqrt) // spacing * spacing
    whole = max(1, width // spacing) * spacing
    unit = Position(middle - whole, middle + whole, 1 << 96)
    needed = amounts_of(unit, sqrt)
    given = (base.raw, quote.raw) if _is_first(base.token, quote.token) else (quote.raw, base.raw)
    liquidity = min((have << 96) // need for have, need in zip(given, needed, strict=True) if need)
    return Position(unit.lower, unit.upper, liquidity)


def swap_v3(uniswap: Deployment, sell: TokenAmount, buy: Token, fee: int, limit: int = 0) -> None:
    """Sells at any price, or up to the square-root price `limit`, as somebody else would."""
    signature = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
    swap = (sell.token.address, buy.address, fee, uniswap.node.deployer, FOREVER, sell.raw, 0, limit)
    uniswap.node.send(uniswap.swap_router, calldata(signature, swap))


def move_v3_pool(uniswap: Deployment, base: Token, quote: Token, fee: int, price: Fraction) -> None:
    """Trades until the pool stands at `price` {quote whole / base whole}, with whatever that takes."""
    pool = v3_pool(uniswap, base, quote, fee)
    now = word(uniswap.node.call(pool, calldata("slot0()")), 0)
    wanted = sqrt_price(base, quote, price)
    if wanted == now:
        return
    token0, token1 = sort_tokens(base, quote)
    sell, buy = (token0, token1) if wanted < now else (token1, token0)
    most = balance(uniswap.node, sell, uniswap.node.deployer)
    swap_v3(uniswap, most, buy, fee, wanted)


# --- prices --------------------------------------------------------------------------------------------------------


def sort_tokens(one: Token, other: Token) -> tuple[Token, Token]:
    return (one, other) if _is_first(one, other) else (other, one)


def sqrt_price(base: Token, quote: Token, price: Fraction) -> int:
    """Q64.96 of token1 raw per token0 raw, from {quote whole / base whole}."""
    raw = Fraction(price) * Fraction(10) ** (quote.decimals - base.decimals)
    ratio = raw if _is_first(base, quote) else 1 / raw
    found = isqrt((ratio.numerator << 192) // ratio.denominator)
    return min(max(found, MIN_SQRT_RATIO), MAX_SQRT_RATIO - 1)


def nearest_tick(sqrt: int) -> int:
    """The greatest tick at or below a square-root price."""
    low, high = -887_272, 887_272
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if get_sqrt_ratio_at_tick(middle) <= sqrt else (low, middle)
    return low


def _is_first(one: Token, other: Token) -> bool:
    return int(one.address, 16) < int(other.address, 16)
