"""An attacker who sees every pending transaction and orders the block, against our tolerance, on a real v2 pair."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
from eth_abi.abi import decode

from keeper.core.abi import calldata
from keeper.core.chain import VaultView
from keeper.core.plan import Order, Route, Trade
from keeper.core.pools import Pool, Router
from keeper.core.ports import Routing
from keeper.core.units import Address, Token, TokenAmount
from keeper.local.anvil import run_anvil
from keeper.routing.bounded import Bounded
from keeper.routing.floors import Floors
from keeper.routing.single import SinglePool
from keeper.routing.tolerance import Tolerance, attack_gas, harmless_share, input_share
from keeper.venues.uniswap_v2 import UniswapV2, UniswapV2Pin, UniswapV2State
from tests.builders import ETH, make_block, make_view, market, units, usd
from tests.chain.node import Node
from tests.chain.pools import observe, pin_pool
from tests.chain.uniswap import (
    FOREVER,
    Deployment,
    balance,
    create_v2_pair,
    deploy_token,
    deploy_uniswap,
    swap_v2,
    transfer,
    wrap,
)
from tests.faults.figures import count

TRADES = count("KEEPER_SANDWICHES", 200, 2_000)
PRICE = Fraction(2_000)
SIGNATURE = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
TIPS = {"front": 30, "victim": 20, "back": 10}
"""{gwei} The node orders by what is offered, and the attacker offers what it takes."""
GAS, GWEI = 400_000, 10**9
FLAT = SinglePool(Floors(slippage=50, max_deviation=2_000, deadline=600))


@dataclass(frozen=True)
class Arena:
    uniswap: Deployment
    usdc: Token
    pool: Pool

    @property
    def node(self) -> Node:
        return self.uniswap.node

    @property
    def victim(self) -> Address:
        return self.node.accounts[1]

    def state(self) -> UniswapV2State:
        found, _ = observe(self.node, UniswapV2(), self.pool)
        assert isinstance(found, UniswapV2State)
        return found

    def view(self, gwei: int) -> VaultView:
        weth = self.uniswap.weth
        view = make_view(
            [units(weth, 1), units(self.usdc, 1)],
            {weth: market(weth, PRICE), self.usdc: market(self.usdc, 1)},
            [self.state()],
            native_price=market(ETH, PRICE),
            block=make_block(FOREVER - 10_000, base_fee=gwei * GWEI),
        )
        return replace(view, account=self.victim, sender=self.victim)

    def balances(self, holder: Address) -> dict[Token, int]:
        return {token: balance(self.node, token, holder).raw for token in (self.uniswap.weth, self.usdc)}

    def send(self, sender: Address, data: bytes, tip: int) -> str:
        """Into the pool of pending transactions."""
        message = {
            "from": sender,
            "to": self.uniswap.v2_router,
            "data": "0x" + data.hex(),
            "gas": hex(GAS),
            "maxFeePerGas": hex((1_000 + tip) * GWEI),
            "maxPriorityFeePerGas": hex(tip * GWEI),
        }
        sent: str = self.node.rpc("eth_sendTransaction", message)
        return sent


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with run_anvil() as running:
        uniswap = deploy_uniswap(Node(running.url))
        node, usdc = uniswap.node, deploy_token(uniswap, "USDC", 6)
        wrap(uniswap, 100_000)
        pair = create_v2_pair(uniswap, units(uniswap.weth, 1_000), units(usdc, 2_000_000))
        for amount in (units(uniswap.weth, 10_000), units(usdc, 20_000_000)):
            transfer(uniswap, amount, node.accounts[1])
            approve = calldata("approve(address,uint256)", uniswap.v2_router, 1 << 255)
            node.send(amount.token.address, approve, sender=node.accounts[1])
        pool = pin_pool(node, UniswapV2Pin(), pair, [uniswap.weth, usdc], Router("v2_router", uniswap.v2_router))
        node.rpc("evm_setAutomine", False)
        yield Arena(uniswap, usdc, pool)


# --- the attacker --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pending:
    """What the attacker reads in the pool of pending transactions."""

    sold: int
    least: int
    path: tuple[Address, ...]


def spy(arena: Arena) -> Pending:
    """Our transaction, from its public bytes alone."""
    (pending,) = arena.node.rpc("txpool_content")["pending"].values()
    (transaction,) = pending.values()
    data = bytes.fromhex(transaction["input"][2:])
    sold, least, path, _, _ = decode(["uint256", "uint256", "address[]", "address", "uint256"], data[4:])
    return Pending(sold, least, tuple(path))


def _out(sold: int, held: int, other: int) -> int:
    return sold * 997 * other // (held * 1000 + sold * 997)


def plan_attack(seen: Pending, state: UniswapV2State) -> tuple[int, int]:
    """How much to sell before the victim, and what that earns: the best of all that leave him his least, or, where none
    earns anything, the one that hurts him most."""
    held, other = (
        state.reserves if state.pool.tokens[0].address.lower() == seen.path[0].lower() else state.reserves[::-1]
    )

    def sandwich(front: int) -> tuple[int, int]:
        bought = _out(front, held, other)
        x, y = held + front, other - bought
        got = _out(seen.sold, x, y)
        return _out(bought, y - got, x + seen.sold) - front, got

    low, high = 0, 100 * held
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if sandwich(middle)[1] >= seen.least else (low, middle)
    best = max((low * part // 64 for part in range(1, 65)), key=lambda front: sandwich(front)[0] if front else 0)
    front = best if sandwich(best)[0] > 0 else low
    return front, sandwich(front)[0] if front else 0


@dataclass(frozen=True)
class Outcome:
    share: Fraction
    bps: int
    taken: Fraction
    """{USD} What the attacker gained, gas aside; negative where he lost."""
    lost: Fraction
    """Share of the quote that we did not get."""
    gas: Fraction
    """{USD} What two swaps burn at least."""
    sold: Fraction
    """{USD}"""


def ride(arena: Arena, routing: Routing, sell: TokenAmount, gwei: int) -> Outcome:
    """One trade of ours and the sandwich around it, in one block; afterwards everything is as before."""
    node, uniswap = arena.node, arena.uniswap
    snapshot, view = node.rpc("evm_snapshot"), arena.view(gwei)
    buy = arena.usdc if sell.token == uniswap.weth else uniswap.weth
    route = routing.allocate(Trade(sell, buy, usd(1)), view)
    assert isinstance(route, Route)
    order: Order = routing.limit([route], view)
    (leg,) = order.legs
    ours = arena.send(arena.victim, UniswapV2().encode(leg, arena.victim, FOREVER).data, TIPS["victim"])
    seen = spy(arena)
    assert (seen.sold, seen.least) == (leg.leg.sell.raw, leg.min_out.raw)
    front, expected = plan_attack(seen, arena.state())
    before, mine = arena.balances(node.deployer), arena.balances(arena.victim)
    hashes = [ours]
    if front:
        bought = _bought(arena.state(), sell.token, front)
        here, back = [sell.token.address, buy.address], [buy.address, sell.token.address]
        data = [calldata(SIGNATURE, front, 0, here, node.deployer, FOREVER)]
        data += [calldata(SIGNATURE, bought, 0, back, node.deployer, FOREVER)]
        first, last = (
            arena.send(node.deployer, d, TIPS[name]) for d, name in zip(data, ("front", "back"), strict=True)
        )
        hashes = [first, ours, last]
    node.rpc("evm_mine")
    block: Any = node.rpc("eth_getBlockByNumber", "latest", False)
    assert block["transactions"] == hashes, "the attacker did not get his order"
    gained = {token: raw - before[token] for token, raw in arena.balances(node.deployer).items()}
    got = arena.balances(arena.victim)[buy] - mine[buy]
    assert gained[buy] == 0
    assert gained[sell.token] == expected
    assert got >= leg.min_out.raw
    node.rpc("evm_revert", snapshot)
    worth = view.price(sell.token).mid.ratio / 10**sell.token.decimals
    return Outcome(
        input_share(leg.leg),
        order.slippage,
        gained[sell.token] * worth,
        1 - Fraction(got, leg.leg.quote.raw),
        attack_gas(view),
        leg.leg.sell.raw * worth,
    )


def _bought(state: UniswapV2State, sell: Token, front: int) -> int:
    held, other = state.reserves if state.pool.tokens[0] == sell else state.reserves[::-1]
    return _out(front, held, other)


def _sales(arena: Arena, number: int) -> Iterator[tuple[TokenAmount, int]]:
    """From a ten-thousandth to a tenth of the pool, either way, at 1 to 60 gwei."""
    dice = random.Random(29)
    for index in range(number):
        token, held = (arena.uniswap.weth, 10**21) if index % 2 else (arena.usdc, 2 * 10**12)
        yield TokenAmount(token, int(held * 10 ** dice.uniform(-4, -1))), dice.randrange(1, 61)


# --- what he gets --------------------------------------------------------------------------------------------------


@pytest.mark.fault("M16")
def test_sandwich__of_trades_with_slippage_auto__takes_nothing_below_u_star_and_never_more_than_the_bound(
    arena: Arena, capsys: pytest.CaptureFixture[str]
) -> None:
    routing = Bounded(FLAT, Tolerance(Fraction(8, 10), 4, most=50))
    found = [ride(arena, routing, sell, gwei) for sell, gwei in _sales(arena, TRADES)]
    edge = harmless_share(arena.pool.fee)
    small, large = [o for o in found if o.share <= edge], [o for o in found if o.share > edge]
    assert all(outcome.lost * 10_000 <= outcome.bps for outcome in found)
    assert all(outcome.taken <= 0 for outcome in small)
    assert all(outcome.taken <= outcome.gas for outcome in large)
    assert max(outcome.bps for outcome in found) <= 50
    assert len(small) > TRADES / 2
    assert large, "no trade above u* was let through: the bound was not tried"
    with capsys.disabled():
        print(f"\n{len(found)} trades sandwiched with slippage auto ({found[0].bps} bps), ${_sum(found, 'sold')} sold")
        print(f"  {len(small)} up to u*: attacker earned at most ${_most(small)}, ${_sum(small, 'taken')} in all")
        print(f"  {len(large)} above it: at most ${_most(large)} before gas of ${_sum(large, 'gas')} in all")


@pytest.mark.fault("M16")
def test_sandwich__of_whole_trades_at_a_constant_tolerance__pays_so_the_attacker_is_a_real_one(
    arena: Arena, capsys: pytest.CaptureFixture[str]
) -> None:
    sales = [(sell, gwei) for sell, gwei in _sales(arena, 40) if sell.raw * 100 > _held(arena, sell.token)]
    found = [ride(arena, FLAT, sell, gwei) for sell, gwei in sales]
    with capsys.disabled():
        print(
            f"\n{len(found)} trades above 1 % of the pool at a constant 50 bps: attacker took ${_sum(found, 'taken')}"
        )
    assert all(outcome.taken > 0 for outcome in found)
    assert all(outcome.lost * 10_000 <= 50 for outcome in found)
    assert sum(outcome.taken for outcome in found) > 20 * len(found)


@pytest.mark.fault("M23")
def test_swap__whose_quote_has_grown_old__reverts_rather_than_fills(arena: Arena) -> None:
    """Somebody trades between the quote and the block: what was quoted is not sold for less than its floor."""
    node, uniswap = arena.node, arena.uniswap
    snapshot, view = node.rpc("evm_snapshot"), arena.view(10)
    routing = Bounded(FLAT, Tolerance(Fraction(8, 10), 4, most=50))
    route = routing.allocate(Trade(units(uniswap.weth, 2), arena.usdc, usd(4_000)), view)
    assert isinstance(route, Route)
    (leg,) = routing.limit([route], view).legs
    node.rpc("evm_setAutomine", True)
    swap_v2(uniswap, units(uniswap.weth, 10), arena.usdc)
    node.rpc("evm_setAutomine", False)
    before = arena.balances(arena.victim)
    sent = arena.send(arena.victim, UniswapV2().encode(leg, arena.victim, FOREVER).data, TIPS["victim"])
    node.rpc("evm_mine")
    assert node.rpc("eth_getTransactionReceipt", sent)["status"] == "0x0"
    assert arena.balances(arena.victim) == before
    fresh = arena.view(10)
    again = routing.allocate(Trade(units(uniswap.weth, 2), arena.usdc, usd(4_000)), fresh)
    assert isinstance(again, Route)
    assert again.legs[0].quote < route.legs[0].quote
    node.rpc("evm_revert", snapshot)


def _held(arena: Arena, token: Token) -> int:
    return 10**21 if token == arena.uniswap.weth else 2 * 10**12


def _sum(found: list[Outcome], name: str) -> str:
    return f"{float(sum(getattr(outcome, name) for outcome in found)):,.0f}"


def _most(found: list[Outcome]) -> str:
    return f"{float(max(outcome.taken for outcome in found)):,.2f}"
