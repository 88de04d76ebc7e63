"""One swap as a call: the routers' ABI, and the floor without which no swap is encoded."""

from __future__ import annotations

from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.plan import Call, OrderLeg, Purpose
from keeper.core.units import Address, Rounding, ratio_to_int

V2_ROUTER, SWAP_ROUTER, SWAP_ROUTER02 = "v2_router", "swap_router", "swap_router02"

_V2_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
_V2_SWAP_02 = "swapExactTokensForTokens(uint256,uint256,address[],address)"
_V3_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
_V3_SWAP_02 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
_MULTICALL = "multicall(uint256,bytes[])"
_NO_PRICE_LIMIT = 0
"""The routers then pass the pool its outermost price, so that only min_out bounds the swap: a price limit would end it
half filled instead of reverting it."""


def encode_v2_swap(leg: OrderLeg, recipient: Address, deadline: int) -> Call:
    """Through Router02 or SwapRouter02. Raises ValueError where the router is of another kind or a floor is missing."""
    amount, floor, path = leg.leg.sell.raw, leg.min_out.raw, [leg.leg.sell.token.address, leg.leg.buy.address]
    match leg.leg.router.kind:
        case "v2_router":
            data = calldata(_V2_SWAP, amount, floor, path, recipient, deadline)
        case "swap_router02":
            data = _timed(calldata(_V2_SWAP_02, amount, floor, path, recipient), deadline)
        case other:
            raise ValueError(f"router of {leg.leg.pool.label}: expected v2_router or swap_router02, was {other}")
    return _call(leg, data)


def encode_v3_swap(leg: OrderLeg, recipient: Address, deadline: int) -> Call:
    """Through SwapRouter, or SwapRouter02, whose swaps know no deadline of their own. Raises ValueError as above."""
    fee = ratio_to_int(leg.leg.pool.fee * 1_000_000, Rounding.DOWN)
    pair = leg.leg.sell.token.address, leg.leg.buy.address, fee, recipient
    amounts = leg.leg.sell.raw, leg.min_out.raw, _NO_PRICE_LIMIT
    match leg.leg.router.kind:
        case "swap_router":
            data = calldata(_V3_SWAP, (*pair, deadline, *amounts))
        case "swap_router02":
            data = _timed(calldata(_V3_SWAP_02, (*pair, *amounts)), deadline)
        case other:
            raise ValueError(f"router of {leg.leg.pool.label}: expected swap_router or swap_router02, was {other}")
    return _call(leg, data)


def _timed(swap: bytes, deadline: int) -> bytes:
    return calldata(_MULTICALL, deadline, [swap])


def _call(leg: OrderLeg, data: bytes) -> Call:
    # SwapRouter02 reads an amount of 0 as "all that the router holds", and a floor of 0 would take any price.
    if leg.leg.sell.raw <= 0 or leg.min_out.raw <= 0:
        raise ValueError(f"swap: expected amounts above 0, was {leg.leg.sell.raw} for at least {leg.min_out.raw}")
    pool = leg.leg.pool
    fee = f"{text.trimmed(pool.fee * 100, 4)} %"
    says = f"swap {text.amount(leg.leg.sell)} for at least {text.amount(leg.min_out)} in {pool.kind} {fee}"
    return Call(leg.leg.router.address, data, 0, Purpose.SWAP, says, leg.leg.sell)
