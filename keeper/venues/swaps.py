"""Uniswap's swaps and those of its forks as calls: the routers' ABI, and the floor without which no swap is encoded.

One leg is one swap, along one pool or several. Several legs through one router are one call too: a multicall in which
each has its own floor, and which reverts whole where one of them does.
"""

from __future__ import annotations

from collections.abc import Sequence

from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.plan import OrderLeg
from keeper.core.pools import Pool
from keeper.core.units import Address, Rounding, TokenAmount, ratio_to_int

V2_ROUTER, SWAP_ROUTER, SWAP_ROUTER02 = "v2_router", "swap_router", "swap_router02"
PANCAKE_ROUTER, SLIPSTREAM_ROUTER = "pancake_router", "slipstream_router"
"""PancakeSwap's SmartRouter speaks as SwapRouter02 does. Slipstream's router is a SwapRouter that names a pool by its
tick spacing, because its fee may change."""
_TIMED = SWAP_ROUTER02, PANCAKE_ROUTER
"""Their swaps know no deadline of their own; the multicall around them does."""

_V2_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
_V2_SWAP_02 = "swapExactTokensForTokens(uint256,uint256,address[],address)"
_V3_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
_V3_SWAP_02 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
_SLIPSTREAM_SWAP = "exactInputSingle((address,address,int24,address,uint256,uint256,uint256,uint160))"
_V3_PATH = "exactInput((bytes,address,uint256,uint256,uint256))"
_V3_PATH_02 = "exactInput((bytes,address,uint256,uint256))"
_TIMED_MULTICALL, _MULTICALL = "multicall(uint256,bytes[])", "multicall(bytes[])"
_NO_PRICE_LIMIT = 0
"""The routers then pass the pool its outermost price, so that only min_out bounds the swap: a price limit would end it
half filled instead of reverting it."""
_KEY_BYTES = 3
"""Of a fee or a spacing between two tokens of a packed path."""


def encode_v2_swap(leg: OrderLeg, recipient: Address, deadline: int) -> Call:
    """Through Router02, SwapRouter02 or PancakeSwap's. Raises ValueError where the router is of another kind or a floor
    is missing."""
    return swap_call([leg], _whole([_v2(leg, recipient, deadline)], leg, deadline))


def encode_v3_swap(leg: OrderLeg, recipient: Address, deadline: int) -> Call:
    """Through SwapRouter, SwapRouter02 or a fork's. Raises ValueError as above."""
    return swap_call([leg], _whole([_v3(leg, recipient, deadline)], leg, deadline))


def encode_together(legs: Sequence[OrderLeg], recipient: Address, deadline: int) -> Call:
    """Legs that sell one token through one router, as one call: all of them fill or none does. Raises ValueError where
    they do not, or where the router knows no multicall."""
    first = legs[0]
    if wrong := next((leg for leg in legs if leg.leg.router != first.leg.router), None):
        raise ValueError(f"router: expected {first.leg.router.address} for all legs, was {wrong.leg.router.address}")
    if wrong := next((leg for leg in legs if leg.leg.sell.token != first.leg.sell.token), None):
        raise ValueError(f"sell: expected {first.leg.sell.token} in all legs, was {wrong.leg.sell.token}")
    swaps = [_v2(leg, recipient, deadline) if _is_v2(leg) else _v3(leg, recipient, deadline) for leg in legs]
    return swap_call(legs, _whole(swaps, first, deadline))


# --- one swap --------------------------------------------------------------------------------------------------------


def _is_v2(leg: OrderLeg) -> bool:
    return leg.leg.pool.kind == "uniswap_v2"


def _v2(leg: OrderLeg, recipient: Address, deadline: int) -> bytes:
    amounts, path = (leg.leg.sell.raw, leg.min_out.raw), [token.address for token in leg.leg.tokens]
    if _router(leg, V2_ROUTER, *_TIMED) == V2_ROUTER:
        return calldata(_V2_SWAP, *amounts, path, recipient, deadline)
    return calldata(_V2_SWAP_02, *amounts, path, recipient)


def _v3(leg: OrderLeg, recipient: Address, deadline: int) -> bytes:
    kind = _router(leg, SWAP_ROUTER, *_TIMED, SLIPSTREAM_ROUTER)
    by_spacing = kind == SLIPSTREAM_ROUTER
    keys = [pool.spacing if by_spacing else _ppm(pool) for pool in leg.leg.pools]
    amounts, path = (leg.leg.sell.raw, leg.min_out.raw), [token.address for token in leg.leg.tokens]
    until = () if kind in _TIMED else (deadline,)
    if len(keys) > 1:
        return calldata(_V3_PATH if until else _V3_PATH_02, (_pack(path, keys), recipient, *until, *amounts))
    signature = _SLIPSTREAM_SWAP if by_spacing else _V3_SWAP if until else _V3_SWAP_02
    return calldata(signature, (*path, *keys, recipient, *until, *amounts, _NO_PRICE_LIMIT))


def _router(leg: OrderLeg, *kinds: str) -> str:
    found = leg.leg.router.kind
    if found not in kinds:
        raise ValueError(f"router of {leg.leg.label}: expected {' or '.join(kinds)}, was {found}")
    return found


def _ppm(pool: Pool) -> int:
    return ratio_to_int(pool.fee * 1_000_000, Rounding.DOWN)


def _pack(path: Sequence[Address], keys: Sequence[int]) -> bytes:
    """`token key token key token`, without padding."""
    packed = bytes.fromhex(path[0][2:])
    for key, token in zip(keys, path[1:], strict=True):
        packed += key.to_bytes(_KEY_BYTES, "big") + bytes.fromhex(token[2:])
    return packed


# --- one call --------------------------------------------------------------------------------------------------------


def _whole(swaps: Sequence[bytes], leg: OrderLeg, deadline: int) -> bytes:
    """What the router is sent: one swap as it is, unless its deadline stands around it."""
    if leg.leg.router.kind in _TIMED:
        return calldata(_TIMED_MULTICALL, deadline, swaps)
    if len(swaps) == 1:
        return swaps[0]
    _router(leg, SWAP_ROUTER, *_TIMED, SLIPSTREAM_ROUTER)
    return calldata(_MULTICALL, swaps)


def swap_call(legs: Sequence[OrderLeg], data: bytes) -> Call:
    """Legs of one router as its call. Raises ValueError where an amount or a floor is missing."""
    for leg in legs:
        # SwapRouter02 reads an amount of 0 as "all that the router holds", and a floor of 0 would take any price.
        if leg.leg.sell.raw <= 0 or leg.min_out.raw <= 0:
            raise ValueError(f"swap: expected amounts above 0, was {leg.leg.sell.raw} for at least {leg.min_out.raw}")
    spends = TokenAmount(legs[0].leg.sell.token, sum(leg.leg.sell.raw for leg in legs))
    says = f"swap {' and '.join(_told(leg) for leg in legs)}"
    parts = tuple(leg.leg.sell for leg in legs) if len(legs) > 1 else ()
    return Call(legs[0].leg.router.address, data, 0, Purpose.SWAP, says, spends, parts=parts)


def _told(leg: OrderLeg) -> str:
    along = " → ".join(f"{pool.kind} {text.trimmed(pool.fee * 100, 4)} %" for pool in leg.leg.pools)
    return f"{text.amount(leg.leg.sell)} for at least {text.amount(leg.min_out)} in {along}"
