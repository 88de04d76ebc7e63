"""Approvals: exact, to the routers of the vault's own pools, and taken back."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.chain import VaultView
from keeper.core.pools import Router
from keeper.core.units import Address, Token, TokenAmount

_APPROVE = "approve(address,uint256)"
_NAMES = {
    "v2_router": "the v2 router",
    "swap_router": "SwapRouter",
    "swap_router02": "SwapRouter02",
    "pancake_router": "PancakeSwap's router",
    "slipstream_router": "Slipstream's router",
    "balancer_vault": "Balancer's Vault",
    "curve": "the Curve pool",
    "erc4626": "the ERC-4626 vault",
    "permit2": "Permit2",
}


def approve(amount: TokenAmount, spender: Address, routers: Sequence[Router]) -> Call:
    says = f"approve {text.amount(amount)} to {_name(spender, routers)}"
    return Call(amount.token.address, calldata(_APPROVE, spender, amount.raw), 0, Purpose.APPROVE, says)


def revoke(token: Token, spender: Address, routers: Sequence[Router]) -> Call:
    says = f"revoke the {token.symbol} allowance of {_name(spender, routers)}"
    return Call(token.address, calldata(_APPROVE, spender, 0), 0, Purpose.REVOKE, says)


def leftovers(view: VaultView, routers: Sequence[Router]) -> list[Call]:
    """A revoke of every allowance that a router has, in an order that does not depend on how the view was read."""
    known = {router.address for router in routers}
    left = [key for key, raw in view.allowances.items() if raw and key[1] in known]
    return [revoke(*key, routers) for key in sorted(left, key=lambda each: (each[0].address, each[1]))]


def _name(spender: Address, routers: Sequence[Router]) -> str:
    kind = next((router.kind for router in routers if router.address == spender), "")
    return f"{_NAMES.get(kind, kind)} {text.short(spender)}".strip()
