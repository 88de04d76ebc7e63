"""Which paths one call may take, by who holds the funds."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import cast

import pytest

from keeper.app.parts import make_means
from keeper.app.setting import Setting
from keeper.core.pools import Pool, Router
from tests.builders import CHAIN, USDC, WETH, address

ROUTERS = ("v2_router", "swap_router", "swap_router02", "pancake_router", "slipstream_router", "balancer_vault")
KINDS = {"v2_router": "uniswap_v2", "pancake_router": "pancake_v3", "slipstream_router": "slipstream"}


def pool(router: str, kind: str = "") -> Pool:
    kind = kind or KINDS.get(router, "balancer_stable" if router == "balancer_vault" else "uniswap_v3")
    return Pool(CHAIN, kind, address(1), (WETH, USDC), Fraction(0), address(2), Router(router, address(3)))


def setting(custody: str, strategy: str = "weights") -> Setting:
    vault = SimpleNamespace(strategy=SimpleNamespace(kind=strategy), custody=SimpleNamespace(kind=custody))
    found = SimpleNamespace(name="treasury", config=SimpleNamespace(vaults={"treasury": vault}))
    return cast(Setting, found)


@pytest.mark.parametrize(
    ("custody", "carried"),
    [
        ("wallet", set(ROUTERS)),
        ("safe", set(ROUTERS)),
        ("contract", {"v2_router", "swap_router02", "pancake_router"}),
        ("roles", {"v2_router"}),
    ],
)
def test_path__of_pools_of_one_router__is_one_call_where_custody_allows_its_function(
    custody: str, carried: set[str]
) -> None:
    means = make_means(setting(custody))
    assert means is not None
    assert {router for router in ROUTERS if means.carries((pool(router), pool(router)))} == carried
    pairs = pool("swap_router02", "uniswap_v2")
    assert means.carries((pairs, pairs))
    assert not means.carries((pairs, pool("swap_router02")))
    assert means.atomic is (custody != "wallet")


def test_peg__reasons_about_single_pools() -> None:
    assert make_means(setting("wallet", "peg")) is None
