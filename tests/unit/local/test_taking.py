from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account as Key

from keeper.core.units import Address
from keeper.local.evm import Evm
from keeper.local.methods import Methods
from keeper.local.node_error import NodeError
from tests.unit.local.in_memory import GWEI, OTHER, START, account

KEY = Key.from_key("0x" + "42" * 32)
SENDER = Address(KEY.address)
GOOD: dict[str, Any] = {
    "to": OTHER,
    "value": 5,
    "gas": 21_000,
    "nonce": 0,
    "maxFeePerGas": 3 * GWEI,
    "maxPriorityFeePerGas": GWEI,
    "chainId": 31_337,
}
LEGACY = {key: value for key, value in GOOD.items() if not key.startswith("max")} | {"gasPrice": 2 * GWEI}


@pytest.fixture
def methods() -> Methods:
    return Methods(Evm(31_337, {account(SENDER): 10**18}, timestamp=START, base_fee=GWEI), [], GWEI)


def send(methods: Methods, fields: dict[str, Any]) -> str:
    signed = Key.sign_transaction(fields, KEY.key)
    sent: str = methods.answer("eth_sendRawTransaction", ["0x" + bytes(signed.raw_transaction).hex()])
    assert sent == "0x" + signed.hash.hex()
    return sent


@pytest.mark.parametrize(("fields", "kind", "price"), [(GOOD, "0x2", 2 * GWEI), (LEGACY, "0x0", 2 * GWEI)])
def test_send__when_signed_for_this_chain__then_mined_at_once(
    methods: Methods, fields: dict[str, Any], kind: str, price: int
) -> None:
    sent = send(methods, fields)

    receipt = methods.answer("eth_getTransactionReceipt", [sent])
    assert (receipt["status"], receipt["type"], receipt["from"]) == ("0x1", kind, SENDER)
    assert int(receipt["effectiveGasPrice"], 16) == price
    assert methods.answer("eth_getTransactionByHash", [sent])["blockNumber"] == "0x1"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chainId": 1}, "invalid chain id for signer: have 1 want 31337"),
        ({"nonce": 2}, "nonce too high"),
        ({"maxFeePerGas": GWEI - 1, "maxPriorityFeePerGas": 1}, "max fee per gas less than block base fee"),
        ({"gas": 20_999}, "intrinsic gas too low: gas 20999, minimum needed 21000"),
        ({"gas": 30_000_001}, "exceeds block gas limit"),
        ({"value": 10**18}, "insufficient funds for gas \\* price \\+ value: balance 1000000000000000000"),
        ({"maxPriorityFeePerGas": 4 * GWEI}, "max priority fee per gas higher than max fee per gas"),
        ({"accessList": [{"address": OTHER, "storageKeys": []}]}, "access lists are not supported"),
    ],
)
def test_send__when_something_is_wrong__then_refused_in_geths_words(
    methods: Methods, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(NodeError, match=words):
        send(methods, GOOD | change)
    assert methods.evm.head.number == 0


def test_send__when_sent_again__then_known_and_its_nonce_is_used(methods: Methods) -> None:
    send(methods, GOOD)

    with pytest.raises(NodeError, match="already known"):
        send(methods, GOOD)
    with pytest.raises(NodeError, match="nonce too low: next nonce 1, tx nonce 0"):
        send(methods, GOOD | {"value": 6})


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("0x", "transaction type not supported"),
        ("0x01c0", "transaction type not supported"),
        ("0x03c0", "transaction type not supported"),
        ("0x02c0", "cannot decode"),
        ("0xc0", "cannot decode"),
        ("0x02ffff", "cannot decode"),
        ("0x02" + "00" * 140_000, "oversized data"),
    ],
)
def test_send__when_the_bytes_are_no_transaction__then_refused(methods: Methods, raw: str, words: str) -> None:
    with pytest.raises(NodeError, match=words):
        methods.answer("eth_sendRawTransaction", [raw])
