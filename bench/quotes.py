"""Quotes: what a pool would give, from its state in memory, against asking the chain and against bare integers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from web3 import Web3

from bench.balancer_quotes import balancer_rows
from bench.curve_quotes import curve_rows
from bench.frame import Contestant, Pace, Row, measure
from bench.local import CountingProvider
from bench.vault_quotes import vault_rows
from keeper.core.pools import NoQuote, Pool, PoolState, Router
from keeper.core.ticks import get_sqrt_ratio_at_tick
from keeper.core.units import Token, TokenAmount
from keeper.local.anvil import run_anvil
from keeper.venues.uniswap_v2 import UniswapV2, UniswapV2State
from keeper.venues.uniswap_v3 import UniswapV3, UniswapV3Pin
from keeper.venues.uniswap_v3_state import UniswapV3State
from keeper.venues.uniswap_v3_walk import WORD_BITS
from tests.chain.node import Node
from tests.chain.pools import observe, pin_pool
from tests.chain.uniswap import (
    SPACINGS,
    Deployment,
    Position,
    create_v2_pair,
    create_v3_pool,
    deploy_token,
    deploy_uniswap,
    nearest_tick,
    sqrt_price,
    wrap,
)

TITLE, UNIT = "Quotes: what selling WETH brings, pool in memory", "quotes"
ARTIFACTS = Path("node_modules/@uniswap")
PRICE = Fraction(3_000)
"""{USDC / WETH}"""
FEE = 500
PPM = 1_000_000
LIQUIDITY = 10**18
STEPS = 40
"""Positions that end below the price, each one tick spacing further down: so many ticks there are to cross."""
SALES = {"in range": Fraction(1, 10), "crossing ticks": Fraction(400)}
"""{WETH}"""


def rows(pace: Pace) -> list[Row]:
    with run_anvil() as anvil:
        uniswap = deploy_uniswap(Node(anvil.url))
        usdc = deploy_token(uniswap, "USDC", 6)
        wrap(uniswap, 10_000)
        w3 = Web3(CountingProvider(anvil.url))
        found = measure("v2", _v2(uniswap, usdc, w3), pace)
        state = _v3_state(uniswap, usdc)
        for name, whole in SALES.items():
            sell = TokenAmount.from_whole(uniswap.weth, whole)
            steps = _path(state, sell, usdc)
            found += measure(
                f"v3, {name} ({len(steps)} step{'s' * (len(steps) > 1)})",
                _v3(uniswap, usdc, w3, state, sell, steps),
                pace,
            )
        return found + balancer_rows(uniswap.node, w3, pace) + curve_rows(pace) + vault_rows(uniswap, w3, pace)


# --- v2 --------------------------------------------------------------------------------------------------------------


def _v2(uniswap: Deployment, usdc: Token, w3: Web3) -> list[Contestant]:
    weth = uniswap.weth
    held, other = TokenAmount.from_whole(weth, 1_000), TokenAmount.from_whole(usdc, 1_000 * PRICE)
    address = create_v2_pair(uniswap, held, other)
    tokens = (weth, usdc) if int(weth.address, 16) < int(usdc.address, 16) else (usdc, weth)
    router = Router("v2_router", uniswap.v2_router)
    pool = Pool(uniswap.node.chain_id, "uniswap_v2", address, tokens, Fraction(3, 1_000), uniswap.v2_factory, router)
    state, _ = observe(uniswap.node, UniswapV2(), pool)
    assert isinstance(state, UniswapV2State)
    sell = TokenAmount.from_whole(weth, 1)
    contract = _contract(w3, uniswap.v2_router, "v2-periphery/build/UniswapV2Router02.json")
    ask = contract.functions.getAmountsOut(sell.raw, [weth.address, usdc.address])
    amount, here, there = sell.raw, held.raw, other.raw

    def bare() -> int:
        paid = amount * 997
        return paid * there // (here * 1000 + paid)

    quote = _integers(state, sell, usdc, ask.call()[-1], bare())
    return [
        Contestant("ours", "UniswapV2State.out_for", lambda: state.out_for(sell, usdc)),
        Contestant("ours", "ConstantProduct.out", lambda: quote(amount)),
        Contestant("peer", "Router02, web3", ask.call, "1 request"),
        Contestant("floor", "bare integers", bare),
    ]


# --- v3 --------------------------------------------------------------------------------------------------------------


def _v3_state(uniswap: Deployment, usdc: Token) -> UniswapV3State:
    """A wide position, and narrower ones that end at every tick next to the price on both sides."""
    weth, spacing = uniswap.weth, SPACINGS[FEE]
    middle = nearest_tick(sqrt_price(weth, usdc, PRICE)) // spacing * spacing
    wide = Position(middle - 1_000 * spacing, middle + 1_000 * spacing, LIQUIDITY)
    narrow = [Position(middle - n * spacing, middle + (n + 1) * spacing, LIQUIDITY // 50) for n in range(1, STEPS + 1)]
    address = create_v3_pool(uniswap, weth, usdc, FEE, PRICE, [wide, *narrow])
    router = Router("swap_router02", uniswap.swap_router02)
    pool = pin_pool(uniswap.node, UniswapV3Pin(), address, [weth, usdc], router)
    state, _ = observe(uniswap.node, UniswapV3(), pool)
    assert isinstance(state, UniswapV3State)
    return state


def _v3(
    uniswap: Deployment, usdc: Token, w3: Web3, state: UniswapV3State, sell: TokenAmount, steps: Sequence[Step]
) -> list[Contestant]:
    contract = _contract(w3, uniswap.quoter, "v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2.json")
    ask = contract.functions.quoteExactInputSingle((sell.token.address, usdc.address, sell.raw, FEE, 0))
    bare = _bare_v3(state.sqrt_price, steps, sell.raw, down=sell.token == state.pool.tokens[0])
    quote, amount = _integers(state, sell, usdc, ask.call()[0], bare()), sell.raw
    return [
        Contestant("ours", "UniswapV3State.out_for", lambda: state.out_for(sell, usdc)),
        Contestant("ours", "Ladder.out", lambda: quote(amount)),
        Contestant("peer", "QuoterV2, web3", ask.call, "1 request"),
        Contestant("floor", "bare integers, path known", bare),
    ]


Step = tuple[int, int]
"""Square-root price at the end of a step, and the liquidity until there."""


def _path(state: UniswapV3State, sell: TokenAmount, buy: Token) -> list[Step]:
    """The steps of a sale, found beforehand: word boundaries and initialised ticks, as far as it goes."""
    down = sell.token == state.pool.tokens[0]
    word = WORD_BITS * state.pool.spacing
    edges = set(state.nets) | {index * word - (0 if down else state.pool.spacing) for index in range(-700, 700)}
    ahead = sorted((t for t in edges if (t <= state.tick) == down), reverse=down)
    steps, liquidity = [], state.liquidity
    wanted = state.out_for(sell, buy)
    assert isinstance(wanted, TokenAmount), wanted
    for tick in ahead:
        steps.append((get_sqrt_ratio_at_tick(tick), liquidity))
        if _bare_v3(state.sqrt_price, steps, sell.raw, down)() == wanted.raw:
            return steps
        net = state.nets.get(tick, 0)
        liquidity += -net if down else net
    raise AssertionError("the bare steps never come to the quote")


def _bare_v3(start: int, steps: Sequence[Step], amount: int, down: bool) -> Callable[[], int]:
    """The whitepaper's steps with the contract's roundings and nothing around them; 0 where the path is too short."""

    def sell_token0() -> int:
        price, left, out = start, amount, 0
        for target, liquidity in steps:
            usable = left * (PPM - FEE) // PPM
            by_price = -((liquidity << 96) * (target - price) // price)
            needed = -(-by_price // target)
            if usable < needed:
                # Rounded up: a minus on both sides of the division.
                end = -(-(liquidity << 96) * price // ((liquidity << 96) + usable * price))
                return out + (liquidity * (price - end) >> 96)
            out += liquidity * (price - target) >> 96
            left -= needed - (-needed * FEE // (PPM - FEE))
            price = target
        return 0

    def sell_token1() -> int:
        price, left, out = start, amount, 0
        for target, liquidity in steps:
            usable = left * (PPM - FEE) // PPM
            needed = -(liquidity * (price - target) >> 96)
            if usable < needed:
                end = price + (usable << 96) // liquidity
                return out + (liquidity << 96) * (end - price) // end // price
            out += (liquidity << 96) * (target - price) // target // price
            left -= needed - (-needed * FEE // (PPM - FEE))
            price = target
        return 0

    return sell_token0 if down else sell_token1


def _contract(w3: Web3, address: str, artifact: str) -> Any:
    abi = json.loads((ARTIFACTS / artifact).read_text("utf-8"))["abi"]
    return w3.eth.contract(address=Web3.to_checksum_address(address), abi=abi)


def _integers(state: PoolState, sell: TokenAmount, buy: Token, peer: int, bare: int) -> Callable[[int], int | NoQuote]:
    """The integer function behind the seam, once all of them have said the same."""
    side, ours = state.side(sell.token, buy), state.out_for(sell, buy)
    assert isinstance(ours, TokenAmount), ours
    assert not isinstance(side, NoQuote), side
    found = ours.raw, side.out(sell.raw), peer, bare
    assert len(set(found)) == 1, f"the contestants disagree: {found}"
    return side.out
