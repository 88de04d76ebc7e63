"""A transaction of a Safe as its owners sign it: what is done, at which nonce, and the hash of both (EIP-712).

Safe 1.3.0 and 1.4.1 hash alike: the domain is the chain and the Safe, so a signature is good for nothing elsewhere.
With safeTxGas, baseGas and gasPrice zero the Safe reverts where the operation fails, and pays nobody back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from keeper.core.units import Address
from keeper.custody.multi_send import Operation
from keeper.custody.safe import NOBODY

_DOMAIN_TYPE = keccak(text="EIP712Domain(uint256 chainId,address verifyingContract)")
_TYPE = keccak(
    text="SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,"
    "uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)"
)
_FIELDS = ["bytes32", "address", "uint256", "bytes32", "uint8", *["uint256"] * 3, *["address"] * 2, "uint256"]


@dataclass(frozen=True, slots=True)
class SafeTx:
    """One operation of one Safe at one of its nonces. Nobody is refunded."""

    chain_id: int
    safe: Address
    operation: Operation
    nonce: int

    @property
    def encoded(self) -> bytes:
        """What is hashed: EIP-712's 0x1901, the domain's hash, and the transaction's."""
        done = self.operation
        what = done.to, done.value, keccak(done.data), done.kind
        body = keccak(encode(_FIELDS, [_TYPE, *what, 0, 0, 0, NOBODY, NOBODY, self.nonce]))
        domain = keccak(encode(["bytes32", "uint256", "address"], [_DOMAIN_TYPE, self.chain_id, self.safe]))
        return b"\x19\x01" + domain + body

    @property
    def hash(self) -> bytes:
        """{32 bytes} What owners sign, and what the Safe's log of the execution names."""
        return keccak(self.encoded)


def service_payload(
    tx: SafeTx, origin: str, sender: Address | None = None, signature: bytes = b""
) -> dict[str, object]:
    """The body of the Safe Transaction Service's `POST /safes/{safe}/multisig-transactions/`.

    `sender` is an owner, or a delegate of one, who has signed the hash; both are left open where nobody has. `origin`
    says what proposed it.
    """
    done = tx.operation
    return {
        "safe": tx.safe,
        "to": done.to,
        "value": str(done.value),
        "data": "0x" + done.data.hex() if done.data else None,
        "operation": done.kind,
        "safeTxGas": "0",
        "baseGas": "0",
        "gasPrice": "0",
        "gasToken": NOBODY,
        "refundReceiver": NOBODY,
        "nonce": tx.nonce,
        "contractTransactionHash": "0x" + tx.hash.hex(),
        "sender": sender,
        "signature": "0x" + signature.hex() if signature else None,
        "origin": origin,
    }


def signed_by(signatures: Mapping[Address, bytes]) -> bytes:
    """Owners' signatures as `execTransaction` takes them: one after another, by ascending address."""
    return b"".join(signatures[owner] for owner in sorted(signatures, key=lambda each: int(each, 16)))
