"""What a swap's calldata really says, decoded again from its bytes and independent of whoever encoded it.

One call may hold several swaps: a router's multicall runs all of them or none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from eth_abi.exceptions import DecodingError

from keeper.core.abi import arguments, checksummed, selector
from keeper.core.pools import Router
from keeper.core.units import Address
from keeper.guards.balancer_swaps import balancer_terms
from keeper.guards.curve_swaps import curve_terms

_PPM = 10**6

V2_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
V2_SWAP02 = "swapExactTokensForTokens(uint256,uint256,address[],address)"
V3_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
V3_SWAP02 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
SLIPSTREAM_SWAP = "exactInputSingle((address,address,int24,address,uint256,uint256,uint256,uint160))"
V3_PATH = "exactInput((bytes,address,uint256,uint256,uint256))"
V3_PATH02 = "exactInput((bytes,address,uint256,uint256))"
MULTICALL = "multicall(uint256,bytes[])"
PLAIN_MULTICALL = "multicall(bytes[])"
DEPOSIT = "deposit(uint256,address)"
REDEEM = "redeem(uint256,address,address)"


@dataclass(frozen=True, slots=True)
class Swap:
    """Sell exactly `sell` raw of the first token for at least `min_out` raw of the last, to `recipient`, by `deadline`.

    `tokens` are all that the swap comes through. `fees` and `spacings` are those of its pools, in order, where the call
    names them so (v3, Slipstream), `ids` those by which Balancer's Vault knows them. Where the venue's calls have no
    floor or no deadline, `min_out` is 0 and `deadline` None; where they name no recipient because they pay whoever
    calls, `recipient` is None.
    """

    tokens: tuple[Address, ...]
    sell: int
    min_out: int
    recipient: Address | None
    deadline: int | None
    fees: tuple[Fraction, ...] = ()
    spacings: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def decode_swaps(router: Router, data: bytes) -> tuple[Swap, ...] | str:
    """The swaps of one call, in order, or why these bytes are none that this kind of router may be sent.

    Remembered, as the guard asks and the signing policy asks again; it depends on nothing but these bytes.
    """
    decoder = _DECODERS.get(router.kind)
    if decoder is None:
        return f"no router of kind {router.kind} is known"
    try:
        return decoder(router, data)
    except (DecodingError, ValueError, OverflowError) as error:  # the last of a length beyond any memory
        return str(error)


def decode_swap(router: Router, data: bytes) -> Swap | str:
    """The only swap of a call, or why these bytes are not just one."""
    swaps = decode_swaps(router, data)
    if isinstance(swaps, str):
        return swaps
    return swaps[0] if len(swaps) == 1 else f"multicall: expected 1 call inside, found {len(swaps)}"


# --- by kind of router -----------------------------------------------------------------------------------------------


def _of_v2_router(router: Router, data: bytes) -> tuple[Swap, ...]:  # noqa: ARG001  all decoders are given both
    return (_v2(*arguments(V2_SWAP, data)),)


def _of_swap_router(router: Router, data: bytes) -> tuple[Swap, ...]:
    if data[:4] == selector(PLAIN_MULTICALL):
        (inner,) = arguments(PLAIN_MULTICALL, data)
        return tuple(_v3(router, each) for each in _some(inner))
    return (_v3(router, data),)


def _of_timed_router(router: Router, data: bytes) -> tuple[Swap, ...]:
    """SwapRouter02 and PancakeSwap's: swaps of either kind of pool; their deadline is the multicall's around them."""
    deadline, inner = arguments(MULTICALL, data)
    return tuple(_timed(router, each, deadline) for each in _some(inner))


def _of_vault(router: Router, data: bytes) -> tuple[Swap, ...]:
    """ERC-4626, whose calls name no token: `router.coins` are asset and share."""
    if len(router.coins) != 2:
        raise ValueError(f"coins of {router.address}: expected asset and share, found {len(router.coins)}")
    asset, share = router.coins
    if data[:4] == selector(DEPOSIT):
        assets, receiver = arguments(DEPOSIT, data)
        return (Swap((asset, share), assets, 0, receiver, None),)
    shares, receiver, owner = arguments(REDEEM, data)
    if owner != receiver:
        raise ValueError(f"redeem: expected the owner {owner} as receiver, was {receiver}")
    return (Swap((share, asset), shares, 0, receiver, None),)


def _of_curve(router: Router, data: bytes) -> tuple[Swap, ...]:
    tokens, sell, min_out = curve_terms(router.coins, data)
    return (Swap(tokens, sell, min_out, None, None),)


def _of_balancer(router: Router, data: bytes) -> tuple[Swap, ...]:  # noqa: ARG001
    tokens, sell, min_out, account, deadline, ids = balancer_terms(data)
    return (Swap(tokens, sell, min_out, account, deadline, ids=ids),)


_DECODERS: Mapping[str, Callable[[Router, bytes], tuple[Swap, ...]]] = {
    "v2_router": _of_v2_router,
    "swap_router": _of_swap_router,
    "swap_router02": _of_timed_router,
    "pancake_router": _of_timed_router,
    "slipstream_router": _of_swap_router,
    "erc4626": _of_vault,
    "curve": _of_curve,
    "balancer_vault": _of_balancer,
}


# --- one swap --------------------------------------------------------------------------------------------------------


def _v2(sell: int, min_out: int, path: list[str], recipient: Address, deadline: int) -> Swap:
    if len(path) < 2:
        raise ValueError(f"path: expected 2 tokens or more, found {len(path)}")
    return Swap(tuple(checksummed(token) for token in path), sell, min_out, recipient, deadline)


def _v3(router: Router, data: bytes) -> Swap:
    """A swap with its own deadline."""
    if data[:4] == selector(V3_PATH):
        ((path, to, deadline, sell, min_out),) = arguments(V3_PATH, data)
        tokens, keys = _unpack(path)
    else:
        signature = SLIPSTREAM_SWAP if router.kind == "slipstream_router" else V3_SWAP
        ((sold, bought, key, to, deadline, sell, min_out, price_limit),) = arguments(signature, data)
        tokens, keys = _single(sold, bought, key, price_limit)
    return _pooled(router, Swap(tokens, sell, min_out, checksummed(to), deadline), keys)


def _timed(router: Router, data: bytes, deadline: int) -> Swap:
    if data[:4] == selector(V2_SWAP02):
        sell, min_out, path, recipient = arguments(V2_SWAP02, data)
        return _v2(sell, min_out, path, recipient, deadline)
    if data[:4] == selector(V3_PATH02):
        ((path, to, sell, min_out),) = arguments(V3_PATH02, data)
        tokens, keys = _unpack(path)
    else:
        ((sold, bought, key, to, sell, min_out, price_limit),) = arguments(V3_SWAP02, data)
        tokens, keys = _single(sold, bought, key, price_limit)
    return _pooled(router, Swap(tokens, sell, min_out, checksummed(to), deadline), keys)


def _single(sold: str, bought: str, key: int, price_limit: int) -> tuple[tuple[Address, ...], tuple[int, ...]]:
    if price_limit:
        # The pool would stop there half filled, where min_out makes it revert.
        raise ValueError(f"price limit: expected 0, was {price_limit}")
    return (checksummed(sold), checksummed(bought)), (key,)


def _pooled(router: Router, swap: Swap, keys: tuple[int, ...]) -> Swap:
    """With the pools as this router names them."""
    known = swap.tokens, swap.sell, swap.min_out, swap.recipient, swap.deadline
    if router.kind == "slipstream_router":
        return Swap(*known, spacings=keys)
    return Swap(*known, fees=tuple(Fraction(key, _PPM) for key in keys))


# --- words -----------------------------------------------------------------------------------------------------------


def _some(inner: Sequence[bytes]) -> Sequence[bytes]:
    if not inner:
        raise ValueError("multicall: expected 1 call or more inside, found 0")
    return inner


_ADDRESS, _HOP = 20, 23
"""{bytes} Of a token in a packed path; of a token and the key of the pool behind it."""


def _unpack(path: bytes) -> tuple[tuple[Address, ...], tuple[int, ...]]:
    """Tokens and pools' keys of `token key token key token`. Raises ValueError where it is no such path."""
    hops, rest = divmod(len(path) - _ADDRESS, _HOP)
    if hops < 1 or rest:
        raise ValueError(f"path: expected {_ADDRESS} bytes and {_HOP} for each pool, found {len(path)}")
    starts = range(0, len(path), _HOP)
    tokens = tuple(checksummed(path[at : at + _ADDRESS]) for at in starts)
    keys = tuple(int.from_bytes(path[at + _ADDRESS : at + _HOP], "big") for at in starts[:-1])
    return tokens, keys
