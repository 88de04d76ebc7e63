"""Safes that hold the funds of the daemon's market, one for each way in which a key may move them.

The node's deployer owns each Safe, and the Roles modifier; the market's senders have what their kind gives a key.
"""

from __future__ import annotations

from collections.abc import Container
from functools import cache
from typing import TYPE_CHECKING

from keeper.core.abi import arguments, calldata, selector
from keeper.core.module_calls import EXECUTE_FROM_MODULE
from keeper.core.units import Address
from keeper.custody import roles, safe
from keeper.custody.multi_send import MULTI_SEND, Operation, unbundle
from keeper.custody.roles import role_key
from tests.chain.holders import Holder
from tests.chain.reference_vault import FUNCTIONS
from tests.chain.safes import Safes, deploy_safes
from tests.chain.solidity import compile_solidity

if TYPE_CHECKING:
    from tests.chain.daemon_market import Market
    from tests.chain.node import Node

ROLE, ALLOWANCE = "rebalancer", "weth-out"
DAY = 86_400
OUTER = (safe.EXECUTE, EXECUTE_FROM_MODULE, roles.EXECUTE)
ASSIGN = "assignRoles(address,bytes32[],bool[])"


@cache
def safes_of(node: Node, version: str) -> Safes:
    return deploy_safes(node, version)


def in_safe(market: Market, vault: str, version: str = "1.4.1") -> Holder:
    """The key is an owner."""
    safes, owner = safes_of(market.node, version), market.node.deployer
    account = safes.create([owner, market.senders[vault]])
    return Holder(account, f'{{kind: safe, safe: "{account}", {_also(safes, vault)}}}')


def as_module(market: Market, vault: str, version: str = "1.4.1") -> Holder:
    """The key itself is enabled."""
    safes, owner = safes_of(market.node, version), market.node.deployer
    account = safes.create([owner])
    safes.enable_module(account, owner, market.senders[vault])
    return Holder(account, f'{{kind: safe_module, safe: "{account}", {_also(safes, vault)}}}')


def through_module(market: Market, vault: str, version: str = "1.4.1") -> Holder:
    """A module of ours passes on what the key asks for."""
    safes, owner = safes_of(market.node, version), market.node.deployer
    account = safes.create([owner])
    code = compile_solidity("Roles.sol")["Passing"]
    module = market.node.deploy(code, ["address", "address"], [account, market.senders[vault]])
    safes.enable_module(account, owner, module)
    text = f'{{kind: safe_module, safe: "{account}", module: "{module}", {_also(safes, vault)}}}'
    return Holder(account, text, module)


def in_role(market: Market, vault: str, version: str = "1.4.1") -> Holder:
    """The key may approve the market's routers and swap there; 1,000 WETH may be sold, 100 more each day."""
    node, safes, key = market.node, safes_of(market.node, version), role_key(ROLE)
    account = safes.create([node.deployer])
    modifier = node.deploy(compile_solidity("Roles.sol")["TestRoles"], ["address"], [account])
    safes.enable_module(account, node.deployer, modifier)
    approve, weth = selector("approve(address,uint256)"), market.tokens["WETH"].address
    functions = [(token.address, approve) for token in market.tokens.values()]
    functions += [(router, selector(FUNCTIONS[kind])) for router, kind in market.routers.items()]
    settings = [
        calldata(ASSIGN, market.senders[vault], [key], [True]),
        calldata("setTransactionUnwrapper(address,bytes4,address)", safes.multi_send, selector(MULTI_SEND), modifier),
        calldata("bound(bytes32,address,bytes4,uint256,bytes32)", key, weth, approve, 1, role_key(ALLOWANCE)),
        set_allowance(1_000 * 10**18),
        *(calldata("allowFunction(bytes32,address,bytes4)", key, *function) for function in functions),
    ]
    node.send_all([(modifier, data) for data in settings])
    also = f"allowances: {{WETH: {ALLOWANCE}}}, {_also(safes, vault)}"
    return Holder(
        account, f'{{kind: roles, safe: "{account}", modifier: "{modifier}", role: {ROLE}, {also}}}', modifier
    )


def set_allowance(balance: int) -> bytes:
    """{raw} What may be sold now."""
    signature = "setAllowance(bytes32,uint128,uint128,uint128,uint64,uint64)"
    return calldata(signature, role_key(ALLOWANCE), balance, 1_000 * 10**18, 100 * 10**18, DAY, 0)


def swaps_inside(routers: Container[Address], data: bytes) -> list[tuple[Address, bytes]]:
    """Router and calldata of each swap that a transaction of a Safe's key makes, from its bytes."""
    (signature,) = (each for each in OUTER if selector(each) == data[:4])
    to, value, inner, kind, *_ = arguments(signature, data)
    calls = unbundle(Operation(to, value, inner, kind), to)
    assert not isinstance(calls, str), calls
    return [(to, data) for to, _, data in calls if to in routers]


def _also(safes: Safes, vault: str) -> str:
    return f'multi_send: "{safes.multi_send}", version: {safes.version}, signer: {vault}'
