"""What owners of a Safe sign. The hash is held against another implementation of EIP-712 (eth-account's)."""

from __future__ import annotations

from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.core.units import Address
from keeper.custody.multi_send import CALL, DELEGATECALL, Operation
from keeper.custody.safe import NOBODY
from keeper.custody.safe_tx import SafeTx, service_payload, signed_by
from tests.builders import address

SAFE, TARGET, OWNER = address(0x5AFE), address(0xBEEF), address(0xA11CE)
FIELDS = [
    ("to", "address"),
    ("value", "uint256"),
    ("data", "bytes"),
    ("operation", "uint8"),
    ("safeTxGas", "uint256"),
    ("baseGas", "uint256"),
    ("gasPrice", "uint256"),
    ("gasToken", "address"),
    ("refundReceiver", "address"),
    ("nonce", "uint256"),
]
uints = st.integers(0, 2**256 - 1)


def typed(tx: SafeTx) -> dict[str, object]:
    done = tx.operation
    values = (done.to, done.value, done.data, done.kind, 0, 0, 0, NOBODY, NOBODY, tx.nonce)
    return {
        "primaryType": "SafeTx",
        "types": {
            "EIP712Domain": [
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "SafeTx": [{"name": name, "type": kind} for name, kind in FIELDS],
        },
        "domain": {"chainId": tx.chain_id, "verifyingContract": tx.safe},
        "message": dict(zip((name for name, _ in FIELDS), values, strict=True)),
    }


@settings(max_examples=50, deadline=None)
@given(uints, st.binary(max_size=100), st.sampled_from((CALL, DELEGATECALL)), uints, st.integers(1, 2**64))
def test_hash__any_transaction__is_the_one_of_eip_712(
    value: int, data: bytes, kind: int, nonce: int, chain_id: int
) -> None:
    tx = SafeTx(chain_id, SAFE, Operation(TARGET, value, data, kind), nonce)
    said = encode_typed_data(full_message=typed(tx))
    assert tx.encoded == b"\x19\x01" + said.header + said.body
    assert tx.hash == keccak(tx.encoded)


def test_hash__another_chain_safe_or_nonce__is_another_one() -> None:
    done = Operation(TARGET, 0, b"", CALL)
    txs = [SafeTx(1, SAFE, done, 0), SafeTx(10, SAFE, done, 0), SafeTx(1, TARGET, done, 0), SafeTx(1, SAFE, done, 1)]
    assert len({tx.hash for tx in txs}) == 4


def test_service_payload__unsigned__has_every_field_and_leaves_the_sender_open() -> None:
    tx = SafeTx(1, SAFE, Operation(TARGET, 7, b"\x01\x02", DELEGATECALL), 12)
    assert service_payload(tx, "keeper") == {
        "safe": SAFE,
        "to": TARGET,
        "value": "7",
        "data": "0x0102",
        "operation": 1,
        "safeTxGas": "0",
        "baseGas": "0",
        "gasPrice": "0",
        "gasToken": NOBODY,
        "refundReceiver": NOBODY,
        "nonce": 12,
        "contractTransactionHash": "0x" + tx.hash.hex(),
        "sender": None,
        "signature": None,
        "origin": "keeper",
    }


def test_service_payload__signed__names_who_did_and_empty_data_is_null() -> None:
    tx = SafeTx(1, SAFE, Operation(TARGET, 7, b"", CALL), 12)
    found = service_payload(tx, "keeper", OWNER, b"\x01" * 65)
    assert (found["sender"], found["signature"], found["data"]) == (OWNER, "0x" + "01" * 65, None)


def test_signed_by__several_owners__are_put_in_the_order_that_a_safe_wants() -> None:
    low, high = Address("0x" + "0a" * 20), Address("0x" + "Ab" * 20)
    assert signed_by({high: b"high", low: b"low"}) == b"lowhigh"
