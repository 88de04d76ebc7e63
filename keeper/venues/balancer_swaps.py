"""Swaps through Balancer's Vault: `swap` in one pool, `batchSwap` along several."""

from __future__ import annotations

from keeper.core.abi import calldata
from keeper.core.calls import Call
from keeper.core.plan import Leg, OrderLeg
from keeper.core.units import Address
from keeper.venues.balancer_traits import POOL_ID, ROUTER_KIND
from keeper.venues.swaps import swap_call

_FUNDS = "(address,bool,address,bool)"
_SWAP = f"swap((bytes32,uint8,address,address,uint256,bytes),{_FUNDS},uint256,uint256)"
_BATCH = f"batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],{_FUNDS},int256[],uint256)"
_GIVEN_IN = 0
_ALL_OF_BEFORE = 0
"""As a step's amount: whatever the step before it gave."""


def encode_balancer_swap(leg: OrderLeg, account: Address, deadline: int) -> Call:
    """From `account` to `account`, in tokens and not in the Vault's internal balances. Raises ValueError where the
    router is no Vault or a floor is missing."""
    if leg.leg.router.kind != ROUTER_KIND:
        raise ValueError(f"router of {leg.leg.label}: expected {ROUTER_KIND}, was {leg.leg.router.kind}")
    funds = account, False, account, False
    if len(leg.leg.pools) == 1:
        sell, buy = leg.leg.sell.token.address, leg.leg.buy.address
        single = _pool_ids(leg.leg)[0], _GIVEN_IN, sell, buy, leg.leg.sell.raw, b""
        data = calldata(_SWAP, single, funds, leg.min_out.raw, deadline)
    else:
        data = _batch(leg, funds, deadline)
    return swap_call([leg], data)


def _batch(leg: OrderLeg, funds: tuple[Address, bool, Address, bool], deadline: int) -> bytes:
    """One step for each pool. Limits are what the Vault may take of each token: of the one bought, minus the floor."""
    ids = _pool_ids(leg.leg)
    amounts = leg.leg.sell.raw, *(_ALL_OF_BEFORE for _ in ids[1:])
    steps = [(pool_id, i, i + 1, amount, b"") for i, (pool_id, amount) in enumerate(zip(ids, amounts, strict=True))]
    assets = [token.address for token in leg.leg.tokens]
    limits = [leg.leg.sell.raw, *(0 for _ in leg.leg.through), -leg.min_out.raw]
    return calldata(_BATCH, _GIVEN_IN, steps, assets, funds, limits, deadline)


def _pool_ids(leg: Leg) -> list[bytes]:
    return [bytes.fromhex(str(pool.detail(POOL_ID))[2:]) for pool in leg.pools]
