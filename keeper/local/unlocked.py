"""Transactions of accounts whose key nobody here has, on a node that lets everybody send for everybody: a fork.

The keeper's own way to send stays as it is: bytes are signed, kept, hashed, offered and looked for. Here the bytes are
what Anvil hashes for an impersonated sender: the transaction with an empty signature, as it travels between nodes, and
the sender's twenty bytes behind it. On any other node they are no transaction at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_utils.address import to_checksum_address

from keeper.chain.nodes.health import Wire
from keeper.core.errors import SubmitError
from keeper.core.units import Address

SEND_RAW, SEND = "eth_sendRawTransaction", "eth_sendTransaction"
ADDRESS = 20
"""Bytes."""
DYNAMIC_FEE = b"\x02"


class UnlockedSigner:
    """Writes what a key would sign, without a key."""

    is_here = True

    def __init__(self, address: Address) -> None:
        self.address = address

    def sign(self, transaction: Mapping[str, object]) -> bytes:
        """Bytes whose Keccak is the hash that Anvil gives the transaction. Raises SubmitError."""
        try:
            return _encode(transaction) + bytes.fromhex(self.address[2:])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SubmitError(f"signer {self.address}: cannot write this transaction: {error!r}") from None


class UnlockedWire:
    """A node's URL: what an UnlockedSigner wrote is sent as `eth_sendTransaction`, and all else as it is."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @property
    def label(self) -> str:
        return self._wire.label

    def exchange(self, body: Any) -> Any:
        return self._wire.exchange([_opened(one) for one in body] if isinstance(body, list) else _opened(body))

    def hide(self, text: str) -> str:
        return self._wire.hide(text)

    def close(self) -> None:
        self._wire.close()


def _opened(request: dict[str, Any]) -> dict[str, Any]:
    if request["method"] != SEND_RAW:
        return request
    return request | {"method": SEND, "params": [decode_unlocked(bytes.fromhex(request["params"][0][2:]))]}


def decode_unlocked(raw: bytes) -> dict[str, str]:
    """The fields of `eth_sendTransaction`, out of an UnlockedSigner's bytes."""
    network, sender = raw[:-ADDRESS], raw[-ADDRESS:]
    decoded = rlp.decode(network)
    fields: dict[str, str] = {"from": to_checksum_address(sender)}
    if isinstance(decoded, bytes):
        _, nonce, tip, cap, gas, to, value, data, *_ = rlp.decode(decoded[1:])
        fields |= {"maxPriorityFeePerGas": _hex(tip), "maxFeePerGas": _hex(cap)}
    else:
        nonce, price, gas, to, value, data, *_ = decoded
        fields |= {"gasPrice": _hex(price)}
    named: dict[str, str] = {
        "nonce": _hex(nonce),
        "gas": _hex(gas),
        "to": to_checksum_address(to),
        "value": _hex(value),
    }
    return fields | named | {"data": "0x" + data.hex()}


def _encode(transaction: Mapping[str, Any]) -> bytes:
    """As nodes tell it to each other: a transaction with a type is a string of its own."""
    to = bytes.fromhex(transaction["to"][2:])
    call = [_bytes(transaction["gas"]), to, _bytes(transaction["value"]), transaction["data"]]
    if "gasPrice" in transaction:
        v = 35 + 2 * transaction["chainId"]
        legacy: bytes = rlp.encode(
            [_bytes(transaction["nonce"]), _bytes(transaction["gasPrice"]), *call, _bytes(v), b"", b""]
        )
        return legacy
    head = [_bytes(transaction[name]) for name in ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas")]
    typed: bytes = rlp.encode(DYNAMIC_FEE + rlp.encode([*head, *call, [], b"", b"", b""]))
    return typed


def _bytes(value: int) -> bytes:
    """Without leading zeros, as RLP writes numbers."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _hex(number: bytes) -> str:
    return hex(int.from_bytes(number, "big"))
