"""Calldata in, words out: the little of the contract ABI that a keeper needs, without contract objects."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address

from keeper.core.units import Address

WORD = 32


@cache
def selector(signature: str) -> bytes:
    """`transfer(address,uint256)` -> its first four bytes of calldata."""
    return function_signature_to_4byte_selector(signature)


@lru_cache(maxsize=4_096)
def checksummed(address: str | bytes) -> Address:
    """An address as hex or as its 20 bytes, with its checksum. Remembered, as it takes a hash and always comes again.
    Raises ValueError where it is none."""
    return Address(to_checksum_address(address))


@cache
def _argument_types(signature: str) -> tuple[str, ...]:
    """Top-level argument types; tuples stay whole."""
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    types, depth, start = [], 0, 0
    for i, char in enumerate(inside):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            types.append(inside[start:i])
            start = i + 1
    return (*types, inside[start:]) if inside else ()


def calldata(signature: str, *arguments: Any) -> bytes:
    """Selector and arguments. Raises eth_abi.exceptions.EncodingError where an argument does not fit its type."""
    return selector(signature) + encode(_argument_types(signature), list(arguments))


def arguments(signature: str, data: bytes) -> tuple[Any, ...]:
    """What `calldata` was made from; addresses with their checksums. Raises ValueError where `data` is of another
    function or not in the form that `calldata` writes, eth_abi.exceptions.DecodingError where it is damaged."""
    if data[:4] != selector(signature):
        raise ValueError(f"selector: expected 0x{selector(signature).hex()}, found 0x{data[:4].hex()}")
    types = _argument_types(signature)
    values = decode(types, data[4:])
    if encode(types, values) != data[4:]:
        raise ValueError("calldata is not in canonical form")
    return tuple(checksummed(value) if kind == "address" else value for kind, value in zip(types, values, strict=True))


def word(data: bytes, index: int) -> int:
    """The unsigned integer in 32-byte word `index`. Raises ValueError where the answer is too short."""
    piece = data[index * WORD : (index + 1) * WORD]
    if len(piece) != WORD:
        raise ValueError(f"expected at least {index + 1} words, found {len(data)} bytes")
    return int.from_bytes(piece, "big")


def signed_word(data: bytes, index: int) -> int:
    """The two's-complement integer in word `index`."""
    value = word(data, index)
    return value - (1 << 256) if value >> 255 else value


def address_word(data: bytes, index: int) -> Address:
    """The checksummed address in word `index`. Raises ValueError where the upper bytes are not zero."""
    value = word(data, index)
    if value >> 160:
        raise ValueError(f"word {index} is no address")
    return checksummed(value.to_bytes(20, "big"))
