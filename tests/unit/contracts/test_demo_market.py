"""The demo's contracts against the formulas they claim."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from eth_abi.abi import decode
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.core.abi import calldata
from keeper.core.units import Address
from tests.unit.local.in_memory import OTHER, START, WHO, Box, revert_text

FAR = START + 10**6
SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"


@dataclass(frozen=True)
class Stage:
    box: Box
    tokens: tuple[Address, Address]
    pair: Address
    router: Address


def make_stage(reserve0: int, reserve1: int, fee: int = 3_000) -> Stage:
    """A pool with these reserves, and WHO with plenty of both tokens, all approved."""
    box = Box()
    a, b = sorted((box.token("A", 18), box.token("B", 6)), key=lambda token: int(token, 16))
    factory = box.deploy("demo_factory")
    router = box.deploy("demo_router", ["address", "address"], factory, a)
    box.send(factory, "setFee(uint256)", fee)
    box.send(factory, "createPair(address,address)", b, a)
    pair = Address(box.read(factory, "getPair(address,address)", "address", a, b))
    for token, reserve in ((a, reserve0), (b, reserve1)):
        box.send(token, "mint(address,uint256)", pair, reserve)
        box.send(token, "mint(address,uint256)", WHO, 10**30)
        box.send(token, "approve(address,uint256)", router, 10**30)
    box.send(pair, "sync()")
    return Stage(box, (a, b), pair, router)


def reserves(stage: Stage) -> tuple[int, int]:
    ran = stage.box.call(stage.pair, calldata("getReserves()"))
    first, second, _ = decode(["uint112", "uint112", "uint32"], ran.output)
    return first, second


@settings(max_examples=25, deadline=None)
@given(
    x=st.integers(10**6, 10**24),
    y=st.integers(10**6, 10**24),
    amount=st.integers(1, 10**24),
    first=st.booleans(),
    fee=st.sampled_from((0, 100, 500, 3_000, 10_000)),
)
def test_swap__when_the_router_sells__then_pays_the_v2_formula_to_the_wei(
    x: int, y: int, amount: int, first: bool, fee: int
) -> None:
    stage = make_stage(x, y, fee)
    ours, theirs = (x, y) if first else (y, x)
    kept = 10**6 - fee
    out = amount * kept * theirs // (ours * 10**6 + amount * kept)
    path = stage.tokens if first else stage.tokens[::-1]

    ran = stage.box.mine(stage.router, calldata(SWAP, amount, out, list(path), OTHER, FAR)).ran

    if out == 0:
        assert revert_text(ran) == "demo pair: no such output"
    else:
        assert decode(["uint256[]"], ran.output)[0] == (amount, out)
        assert stage.box.read(path[1], "balanceOf(address)", "uint256", OTHER) == out
        assert reserves(stage) == ((x + amount, y - out) if first else (x - out, y + amount))


@pytest.mark.parametrize(
    ("min_out", "deadline", "text"),
    [(10**9, FAR, "demo router: output below the minimum"), (0, START, "demo router: expired")],
)
def test_swap__when_a_bound_is_passed__then_reverts(min_out: int, deadline: int, text: str) -> None:
    stage = make_stage(10**9, 10**9)

    ran = stage.box.mine(stage.router, calldata(SWAP, 10**6, min_out, list(stage.tokens), OTHER, deadline)).ran

    assert revert_text(ran) == text


def test_pair__when_one_wei_too_much_is_taken__then_refuses() -> None:
    stage = make_stage(10**12, 10**12)
    out = 10**6 * 997 * 10**12 // (10**12 * 1000 + 10**6 * 997)
    stage.box.send(stage.tokens[0], "transfer(address,uint256)", stage.pair, 10**6)

    ran = stage.box.mine(stage.pair, calldata("swap(uint256,uint256,address,bytes)", 0, out + 1, OTHER, b"")).ran

    assert revert_text(ran) == "demo pair: too little came in"


def test_weth__when_coins_come_and_go__then_balances_follow() -> None:
    box = Box()
    weth = box.deploy("demo_weth", ["address"], WHO)

    box.send(weth, "deposit()", value=50)
    box.send(weth, "withdraw(uint256)", 20)

    assert box.read(weth, "balanceOf(address)", "uint256", WHO) == 30
    assert box.evm.state_at(box.evm.head).get_balance(bytes.fromhex(weth[2:])) == 30
    assert revert_text(box.mine(weth, calldata("withdraw(uint256)", 31)).ran) == "demo token: balance too small"


def test_feed__when_told__then_answers_like_an_aggregator() -> None:
    box = Box()
    feed = box.deploy("demo_feed", ["address", "string", "uint8"], WHO, "ETH / USD", 8)
    assert revert_text(box.call(feed, calldata("latestRoundData()"))) == "No data present"

    box.send(feed, "set(int192,uint64)", 3_000 * 10**8, 0)
    now = box.evm.head.timestamp

    ran = box.call(feed, calldata("latestRoundData()"))
    assert decode(["uint80", "int256", "uint256", "uint256", "uint80"], ran.output) == (1, 3_000 * 10**8, now, now, 1)
    assert box.read(feed, "description()", "string") == "ETH / USD"
    assert box.read(feed, "aggregator()", "address").lower() == feed.lower()


@pytest.mark.parametrize(
    ("name", "types", "arguments", "data"),
    [
        (
            "demo_token",
            ["address", "string", "string", "uint8"],
            (WHO, "T", "T", 1),
            calldata("mint(address,uint256)", OTHER, 1),
        ),
        ("demo_feed", ["address", "string", "uint8"], (WHO, "T", 8), calldata("set(int192,uint64)", 1, 0)),
        ("demo_maker", [], (), calldata("run((address,bytes)[])", [])),
    ],
)
def test_owner__when_a_stranger_calls__then_refused(
    name: str, types: list[str], arguments: tuple[object, ...], data: bytes
) -> None:
    box = Box()
    contract = box.deploy(name, types, *arguments)

    assert "only the owner" in revert_text(box.call(contract, data, sender=OTHER))
