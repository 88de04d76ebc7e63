"""Our reference vault on a local node, ready for a keeper, and its calls as bytes.

vault = deploy_reference_vault(node, keeper, {weth: weth_feed, usdc: usdc_feed}, {router02: "swap_router02"})
transfer(uniswap, TokenAmount.from_whole(usdc, 100_000), vault)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import contracts_abi
from keeper.core.abi import calldata, selector
from keeper.core.units import Address, Token
from keeper.guards.balancer_swaps import SWAP
from keeper.guards.swaps import MULTICALL, V2_SWAP, V3_SWAP
from tests.chain.node import Node

REBALANCE = "rebalance((address,bytes,address,uint256,address,uint256)[],uint256)"
FUNCTIONS = {"v2_router": V2_SWAP, "swap_router": V3_SWAP, "swap_router02": MULTICALL, "balancer_vault": SWAP}
"""Kind of router -> what a keeper calls of it."""
USD = 10**18
FOREVER = 1 << 40
"""{s}"""


class Swap(NamedTuple):
    """As the contract has it; amounts are raw."""

    target: Address
    data: bytes
    sell: Address
    sell_amount: int
    buy: Address
    min_out: int = 0


def rebalance(swaps: Sequence[Swap], deadline: int = FOREVER) -> bytes:
    return calldata(REBALANCE, [tuple(swap) for swap in swaps], deadline)


def deploy_reference_vault(
    node: Node,
    keeper: Address,
    feeds: Mapping[Token, Address],
    routers: Mapping[Address, str],
    *,
    capacity: int = 100_000,
    refill: int = 10,
    tolerance: int = 100,
    max_age: int = 3_600,
) -> Address:
    """Owned by the node's deployer. `feeds` are those of the tokens it lists, `routers` each with its kind; `capacity`
    in USD, `refill` in USD a second, `tolerance` in bps, `max_age` of every feed in seconds."""
    code: str = contracts_abi.load("reference_vault")["bytecode"]
    types = ["address", "address", "uint128", "uint128", "uint256"]
    vault = node.deploy(code, types, [node.deployer, keeper, capacity * USD, refill * USD, tolerance])
    for token, feed in feeds.items():
        node.send(vault, calldata("listToken(address,address,uint32)", token.address, feed, max_age))
    for router, kind in routers.items():
        node.send(vault, allow(router, FUNCTIONS[kind]))
    return vault


def allow(target: Address, signature: str, yes: bool = True) -> bytes:
    return calldata("allow(address,bytes4,bool)", target, selector(signature), yes)
