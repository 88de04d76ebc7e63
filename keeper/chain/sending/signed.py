"""What a signed transaction really says, and who signed it: an answer is believed only after this (FAULTS S11).

A transaction is what `sending.submitter.transaction` makes: EIP-1559 where it has `maxFeePerGas`, else legacy with its
chain id (EIP-155).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import rlp  # type: ignore[import-untyped]
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.core.errors import SubmitError
from keeper.core.foreign import printable
from keeper.core.units import Address

if TYPE_CHECKING:
    from coincurve import PublicKey

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1: private keys lie between zero and this (SEC 2)."""
LARGEST_S = CURVE_ORDER // 2
"""Of each signature there is a twin with the other s; nodes take only the smaller (EIP-2)."""

Signature = tuple[int, int, int]
"""Parity (0 or 1), r and s."""

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_SIGNATURE_BYTES = 96
"""More than v, r and s take, with the list around them."""

_FEE_MARKET = ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data")
_LEGACY = ("nonce", "gasPrice", "gas", "to", "value", "data")


def digest(transaction: Mapping[str, object]) -> bytes:
    """The 32 bytes that are signed. Raises SubmitError where a field is missing or is no such thing."""
    if is_typed(transaction):
        return keccak(_encode(transaction, []))
    return keccak(_encode(transaction, [_field(transaction, "chainId"), b"", b""]))


def assemble(transaction: Mapping[str, object], parity: int, r: int, s: int) -> bytes:
    """The raw transaction with this signature."""
    chain_id = transaction.get("chainId")
    v = parity if is_typed(transaction) else parity + 35 + 2 * (chain_id if isinstance(chain_id, int) else 0)
    return _encode(transaction, [_number(v), _number(r), _number(s)])


def verify(raw: bytes, transaction: Mapping[str, object], address: Address) -> None:
    """Raises SubmitError unless `raw` is exactly `transaction`, signed by `address`, with the smaller s."""
    v, r, s = _compare(raw, transaction, address)
    parity = v
    if not is_typed(transaction):
        # EIP-155: v = 35 or 36 + 2 * chain id
        chain, parity = divmod(v - 35, 2)
        if chain != transaction.get("chainId"):
            raise SubmitError(f"signer {address}: chain id: expected {transaction.get('chainId')}, was {chain}")
    if min(r, s) < 0 or parity not in (0, 1) or raw != assemble(transaction, parity, r, s):
        raise SubmitError(f"signer {address}: expected the one encoding of this transaction, was another")
    check_signature((parity, r, s), digest(transaction), address)


def check_signature(signature: Signature, message: bytes, address: Address) -> None:
    """Raises SubmitError unless it is `address`'s, of these 32 bytes, with the smaller s."""
    import coincurve

    parity, r, s = signature
    if parity not in (0, 1) or not 0 < r < CURVE_ORDER or not 0 < s <= LARGEST_S:
        raise SubmitError(f"signer {address}: signature: expected r and s in their ranges, the smaller s of the two")
    recoverable = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = coincurve.PublicKey.from_signature_and_message(recoverable, message, hasher=None)
    except ValueError:
        raise SubmitError(f"signer {address}: signature: expected one that leads to a key, was none") from None
    if (signer := address_of(key)).lower() != address.lower():
        raise SubmitError(f"signer {address}: signed by {signer}")


def address_of(key: PublicKey) -> Address:
    """The last 20 bytes of the hash of a public key without its first byte, which tells its form."""
    return Address(to_checksum_address(keccak(key.format(compressed=False)[1:])[-20:]))


def is_typed(transaction: Mapping[str, object]) -> bool:
    return "maxFeePerGas" in transaction


def _compare(raw: bytes, transaction: Mapping[str, object], address: Address) -> tuple[int, int, int]:
    """v, r and s, after each other field was found to be as it was asked for."""
    is_mine = is_typed(transaction)
    names = _FEE_MARKET if is_mine else _LEGACY
    fields = _decode(raw, is_mine, len(_encode(transaction, [])) + _SIGNATURE_BYTES)
    if fields is None:
        raise SubmitError(f"signer {address}: expected a signed transaction, found {len(raw)} bytes of something else")
    for name, found in zip(names, fields, strict=False):
        expected = _field(transaction, name)
        if found != expected:
            was = f"0x{found.hex()}" if isinstance(found, bytes) else "a list"
            raise SubmitError(f"signer {address}: {name}: expected 0x{expected.hex()}, was {was}")
    rest = fields[len(names) :]
    if is_mine and rest[:1] != [[]]:
        raise SubmitError(f"signer {address}: access list: expected none, found some")
    v, r, s = (int.from_bytes(each, "big") if isinstance(each, bytes) else -1 for each in rest[-3:])
    return v, r, s


def _decode(raw: bytes, typed: bool, longest: int) -> list[object] | None:
    if len(raw) > longest or (raw[:1] == b"\x02") != typed:
        return None
    try:
        fields = rlp.decode(raw[1:] if typed else raw)
    except (rlp.exceptions.RLPException, RecursionError):
        return None
    count = len(_FEE_MARKET) + 4 if typed else len(_LEGACY) + 3
    return fields if isinstance(fields, list) and len(fields) == count else None


def _encode(transaction: Mapping[str, object], end: Sequence[bytes]) -> bytes:
    if is_typed(transaction):
        return b"\x02" + _list_of([*(_field(transaction, name) for name in _FEE_MARKET), [], *end])
    return _list_of([_field(transaction, name) for name in _LEGACY] + list(end))


def _list_of(fields: Sequence[object]) -> bytes:
    return bytes(rlp.codec.encode_raw(fields))


def _field(transaction: Mapping[str, object], name: str) -> bytes:
    """As RLP holds it: integers without leading zeros."""
    value = transaction.get(name)
    if name == "to" and name not in transaction:
        return b""  # a new contract
    if name == "to" and isinstance(value, str) and _ADDRESS.fullmatch(value):
        return bytes.fromhex(value[2:])
    if name == "data" and isinstance(value, bytes):
        return value
    if name not in ("to", "data") and isinstance(value, int) and value >= 0:
        return _number(value)
    raise SubmitError(f"cannot sign: {name}: found {printable(str(value), 100)}")


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
