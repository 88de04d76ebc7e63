"""What a swap's calldata really says, decoded again from its bytes and independent of whoever encoded it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from keeper.core.abi import selector
from keeper.core.units import Address

_PPM = 10**6

V2_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
V2_SWAP02 = "swapExactTokensForTokens(uint256,uint256,address[],address)"
V3_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
V3_SWAP02 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
MULTICALL = "multicall(uint256,bytes[])"


@dataclass(frozen=True, slots=True)
class Swap:
    """Sell exactly `sell` raw of the first token for at least `min_out` raw of the last, to `recipient`, by `deadline`.

    `fee` is the pool's where the call names the pool by its fee (v3).
    """

    tokens: tuple[Address, ...]
    sell: int
    min_out: int
    recipient: Address
    deadline: int
    fee: Fraction | None = None


def decode_swap(router_kind: str, data: bytes) -> Swap | str:
    """The swap, or why these bytes are none that this kind of router may be sent."""
    try:
        if router_kind == "v2_router":
            return _v2(*_arguments(V2_SWAP, data))
        if router_kind == "swap_router":
            ((sold, bought, ppm, to, deadline, *amounts),) = _arguments(V3_SWAP, data)
            return _v3((sold, bought, ppm), to, deadline, amounts)
        if router_kind == "swap_router02":
            deadline, inner = _arguments(MULTICALL, data)
            if len(inner) != 1:
                raise ValueError(f"multicall: expected 1 call inside, found {len(inner)}")
            return _timed(inner[0], deadline)
    except (DecodingError, ValueError, OverflowError) as error:  # the last of a length beyond any memory
        return str(error)
    return f"no router of kind {router_kind} is known"


def _arguments(signature: str, data: bytes) -> tuple[Any, ...]:
    """Decodes, and encodes again: bytes that the ABI would not have written are refused. Raises ValueError."""
    if data[:4] != selector(signature):
        raise ValueError(f"selector: expected 0x{selector(signature).hex()}, found 0x{data[:4].hex()}")
    types = [_split_types(signature)] if signature.count("((") else _split_types(signature).split(",")
    values = decode(types, data[4:])
    if encode(types, values) != data[4:]:
        raise ValueError("calldata is not in canonical form")
    return values


def _split_types(signature: str) -> str:
    return signature[signature.index("(") + 1 : -1]


def _v2(sell: int, min_out: int, path: list[str], recipient: str, deadline: int) -> Swap:
    return Swap(tuple(_address(token) for token in path), sell, min_out, _address(recipient), deadline)


def _v3(key: tuple[str, str, int], recipient: str, deadline: int, amounts: Sequence[int]) -> Swap:
    (sold, bought, ppm), (sell, min_out, price_limit) = key, amounts
    if price_limit:
        # The pool would stop there half filled, where min_out makes it revert.
        raise ValueError(f"price limit: expected 0, was {price_limit}")
    return Swap((_address(sold), _address(bought)), sell, min_out, _address(recipient), deadline, Fraction(ppm, _PPM))


def _timed(data: bytes, deadline: int) -> Swap:
    """A swap of SwapRouter02, of either kind of pool; its deadline is the multicall's around it."""
    if data[:4] == selector(V2_SWAP02):
        sell, min_out, path, recipient = _arguments(V2_SWAP02, data)
        return _v2(sell, min_out, path, recipient, deadline)
    ((sold, bought, ppm, to, *amounts),) = _arguments(V3_SWAP02, data)
    return _v3((sold, bought, ppm), to, deadline, amounts)


def _address(text: str) -> Address:
    return Address(to_checksum_address(text))
