"""What stands for a signature on a fork, and how it is opened again. Whether Anvil hashes it so: tests/chain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.errors import SubmitError
from keeper.core.units import Address
from keeper.local.unlocked import UnlockedSigner, UnlockedWire, decode_unlocked

SENDER = Address("0x00000000000000000000000000000000000dE907")
TO = Address("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2")
WORD = st.integers(0, (1 << 256) - 1)


@given(nonce=st.integers(0, 1 << 63), gas=st.integers(0, 1 << 63), value=WORD, fee=WORD, data=st.binary(max_size=200))
def test_unlocked__when_written__then_it_says_what_was_asked(
    nonce: int, gas: int, value: int, fee: int, data: bytes
) -> None:
    call = {"chainId": 1, "nonce": nonce, "to": TO, "value": value, "data": data, "gas": gas}
    said = {
        "from": SENDER,
        "to": TO,
        "nonce": hex(nonce),
        "value": hex(value),
        "gas": hex(gas),
        "data": "0x" + data.hex(),
    }
    signer = UnlockedSigner(SENDER)
    typed = signer.sign(call | {"type": 2, "maxFeePerGas": fee, "maxPriorityFeePerGas": 7})
    assert decode_unlocked(typed) == said | {"maxFeePerGas": hex(fee), "maxPriorityFeePerGas": "0x7"}
    assert decode_unlocked(signer.sign(call | {"gasPrice": fee})) == said | {"gasPrice": hex(fee)}


def test_unlocked__when_a_field_is_missing__then_it_is_refused() -> None:
    with pytest.raises(SubmitError, match="cannot write this transaction"):
        UnlockedSigner(SENDER).sign({"to": TO})


class Heard:
    """A node that keeps what it hears."""

    label = "http://node"

    def __init__(self) -> None:
        self.bodies: list[Any] = []

    def exchange(self, body: Any) -> Any:
        self.bodies.append(body)
        return {}

    def hide(self, text: str) -> str:
        return text

    def close(self) -> None:
        self.bodies.clear()


def test_wire__when_something_is_sent__then_it_goes_out_unlocked_and_all_else_as_it_is() -> None:
    node = Heard()
    wire = UnlockedWire(node)
    raw = UnlockedSigner(SENDER).sign(
        {"chainId": 1, "nonce": 0, "to": TO, "value": 0, "data": b"", "gas": 21_000, "gasPrice": 1}
    )
    send = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x" + raw.hex()]}
    read = {"jsonrpc": "2.0", "id": 2, "method": "eth_chainId", "params": []}
    wire.exchange([read, send])
    ((kept, sent),) = node.bodies
    assert kept == read
    assert (sent["id"], sent["method"], sent["params"][0]["from"]) == (1, "eth_sendTransaction", SENDER)
