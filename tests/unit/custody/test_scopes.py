"""What a role is granted, held against a small model of Roles."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.abi import calldata
from keeper.core.pools import Pool, Router
from keeper.core.units import Address, Token
from keeper.custody import scopes
from keeper.custody.roles import role_key
from keeper.custody.scopes import APPROVE, MULTICALL, V2_SWAP, V2_SWAP02, V3_SWAP, V3_SWAP02, Scope, role_scopes
from keeper.guards import swaps
from tests.builders import CHAIN, DAI, NOW, SWAP_ROUTER, SWAP_ROUTER02, USDC, V2_ROUTER, WETH, address
from tests.unit.custody.roles_model import conditions_of, is_allowed, is_sound
from tests.unit.custody.safes import KEY, SAFE

ROLE, OUT = role_key("rebalancer"), {WETH: role_key("weth-out"), USDC: role_key("usdc-out")}
LEFT = {OUT[WETH]: 100, OUT[USDC]: 7}


def pool(kind: str, router: Router, ppm: int = 500, number: int = 1, tokens: tuple[Token, ...] = (WETH, USDC)) -> Pool:
    return Pool(CHAIN, kind, address(0xB000 + number), tokens, Fraction(ppm, 10**6), address(0xFAC), router)


V2, V3, V3_02 = pool("uniswap_v2", V2_ROUTER), pool("uniswap_v3", SWAP_ROUTER), pool("uniswap_v3", SWAP_ROUTER02)
V2_02 = pool("uniswap_v2", SWAP_ROUTER02, number=2)


def of(*pools: Pool) -> list[Scope]:
    found = role_scopes(pools, OUT)
    assert not isinstance(found, str), found
    return found


def v2(to: Address = SAFE, path: tuple[Token, ...] = (WETH, USDC)) -> bytes:
    return calldata(V2_SWAP, 5, 0, [token.address for token in path], to, NOW)


def v3(to: Address = SAFE, sell: Token = WETH, buy: Token = USDC, fee: int = 500) -> bytes:
    return calldata(V3_SWAP, (sell.address, buy.address, fee, to, NOW, 5, 0, 0))


def single(to: Address = SAFE, sell: Token = WETH, fee: int = 500) -> bytes:
    return calldata(V3_SWAP02, (sell.address, USDC.address, fee, to, 5, 0, 0))


def multicall(*inner: bytes) -> bytes:
    return calldata(MULTICALL, NOW, list(inner))


def test_functions__are_those_that_guards_let_through() -> None:
    for name in ("V2_SWAP", "V2_SWAP02", "V3_SWAP", "V3_SWAP02", "MULTICALL"):
        assert getattr(scopes, name) == getattr(swaps, name)


@pytest.mark.parametrize(
    "pools", [(V2,), (V3,), (V3_02,), (V2_02,), (V2, V3, replace(V3, fee=Fraction(3, 1000)), V3_02)]
)
def test_scopes__whatever_the_pools__roles_would_take_them(pools: tuple[Pool, ...]) -> None:
    found = of(*pools)
    assert all(is_sound(conditions_of(scope.call(ROLE))) for scope in found)
    targets = [scope.target for scope in found]
    assert targets == [WETH.address, USDC.address, *dict.fromkeys(each.router.address for each in pools)]


@pytest.mark.parametrize(
    ("token", "spender", "raw", "allowed"),
    [
        (WETH, V2_ROUTER.address, 100, True),
        (WETH, SWAP_ROUTER.address, 0, True),
        (WETH, V2_ROUTER.address, 101, False),
        (USDC, V2_ROUTER.address, 8, False),
        (WETH, KEY, 1, False),
        (WETH, KEY, 0, False),
        (WETH, SWAP_ROUTER02.address, 1, False),
    ],
)
def test_approve__a_router_and_within_the_allowance__nothing_else(
    token: Token, spender: Address, raw: int, allowed: bool
) -> None:
    scope = next(each for each in of(V2, V3) if each.target == token.address)
    data = calldata(APPROVE, spender, raw)
    assert is_allowed(conditions_of(scope.call(ROLE)), data, SAFE, LEFT) == allowed


SWAPS = [
    (V2, v2(), True),
    (V2, v2(path=(USDC, WETH)), True),
    (V2, v2(to=KEY), False),
    (V2, v2(path=(WETH, DAI)), False),
    (V2, v2(path=(WETH, DAI, USDC)), False),
    (V3, v3(), True),
    (V3, v3(to=KEY), False),
    (V3, v3(sell=DAI), False),
    (V3, v3(buy=DAI), False),
    (V3, v3(fee=3_000), False),
    (V3_02, multicall(single()), True),
    (V3_02, multicall(single(), single()), True),
    (V3_02, multicall(single(to=KEY)), False),
    (V3_02, multicall(single(), single(to=KEY)), False),
    (V3_02, multicall(single(sell=DAI)), False),
    (V3_02, multicall(single(fee=100)), False),
    # The same arguments for another function.
    (V3_02, multicall(b"\x01\x02\x03\x04" + single()[4:]), False),
    (V2_02, multicall(calldata(V2_SWAP02, 5, 0, [WETH.address, USDC.address], SAFE)), True),
    (V2_02, multicall(calldata(V2_SWAP02, 5, 0, [WETH.address, USDC.address], KEY)), False),
]


@pytest.mark.parametrize(("traded", "data", "allowed"), SWAPS, ids=range(len(SWAPS)))
def test_swap__to_the_safe_of_the_vaults_tokens__nothing_else(traded: Pool, data: bytes, allowed: bool) -> None:
    scope = of(traded)[-1]
    assert (scope.target, scope.function[:9]) == (
        traded.router.address,
        {V2: V2_SWAP, V3: V3_SWAP}.get(traded, MULTICALL)[:9],
    )
    assert is_allowed(conditions_of(scope.call(ROLE)), data, SAFE) == allowed


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ((V3_02, V2_02), "v2 and v3 pools behind one SwapRouter02"),
        ((pool("curve", Router("curve", address(9))),), "routers of kind curve have no scopes here"),
    ],
)
def test_scopes__that_cannot_be_said__say_why(pools: tuple[Pool, ...], expected: str) -> None:
    assert expected in str(role_scopes(pools, OUT))
