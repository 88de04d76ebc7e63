"""Our hash of a Safe's transaction against the real Safe's own, and signatures over it that the real Safe takes."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode
from eth_account import Account

from keeper.core.abi import calldata
from keeper.core.units import Address
from keeper.custody.multi_send import CALL, DELEGATECALL, Operation
from keeper.custody.safe import EXECUTE, NOBODY
from keeper.custody.safe_tx import SafeTx, signed_by
from tests.chain.node import Node
from tests.chain.safes import deploy_safes

ARGUMENTS = "(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)"
OWNERS = [Account.from_key(bytes([n]) * 32) for n in (0x31, 0x32, 0x33)]


@pytest.mark.parametrize("version", ["1.4.1", "1.3.0"])
def test_hash__real_safe_of_each_version__is_its_own_and_two_owners_signatures_execute_it(
    node: Node, version: str
) -> None:
    safes = deploy_safes(node, version)
    safe = safes.create([Address(owner.address) for owner in OWNERS], threshold=2)
    coin = 10**16
    node.send(safe, value=coin)
    for nonce, operation in (
        (0, Operation(NOBODY, coin, b"", CALL)),
        (7, Operation(safes.multi_send, 0, bytes(range(200)), DELEGATECALL)),
    ):
        tx = SafeTx(node.chain_id, safe, operation, nonce)
        asked = operation.to, operation.value, operation.data, operation.kind, 0, 0, 0, NOBODY, NOBODY, nonce
        assert node.call(safe, calldata(f"getTransactionHash{ARGUMENTS}", *asked)) == tx.hash
        (encoded,) = decode(["bytes"], node.call(safe, calldata(f"encodeTransactionData{ARGUMENTS}", *asked)))
        assert encoded == tx.encoded
    tx = SafeTx(node.chain_id, safe, Operation(NOBODY, coin, b"", CALL), 0)
    signatures = {Address(owner.address): owner.unsafe_sign_hash(tx.hash).signature for owner in OWNERS[1:]}
    done = NOBODY, coin, b"", CALL, 0, 0, 0, NOBODY, NOBODY
    node.send(safe, calldata(EXECUTE, *done, signed_by(signatures)))
    assert int(node.rpc("eth_getBalance", safe, "latest"), 16) == 0
