"""A plain JSON-RPC client for a local node: an independent witness, with nothing of the keeper's own transport."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from keeper.core.chain import Read
from keeper.core.units import Address

CALL_GAS, GAS = 500_000_000, 15_000_000
"""Calls may walk all ticks of a pool; a transaction must fit into an ordinary block."""
AT_ONCE = 500
"""Requests in one HTTP body, well below Anvil's 2 MB."""


class NodeError(Exception):
    """The node's own message."""


class Node:
    """One node whose accounts are unlocked. `deployer` is the first of them, and sends unless another is named."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.accounts = [Address(to_checksum_address(account)) for account in self.rpc("eth_accounts")]
        self.deployer = self.accounts[0]
        self.chain_id = int(self.rpc("eth_chainId"), 16)
        self.rpc("anvil_setBalance", self.deployer, hex(10**30))

    def rpc(self, method: str, *params: Any) -> Any:
        (answer,) = self.batch([(method, list(params))])
        if isinstance(answer, NodeError):
            raise answer
        return answer

    def batch(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """Results in order; a NodeError in the place of each that failed."""
        answers: list[Any] = []
        for start in range(0, len(requests), AT_ONCE):
            part = requests[start : start + AT_ONCE]
            body = [{"jsonrpc": "2.0", "id": i, "method": m, "params": p} for i, (m, p) in enumerate(part)]
            found = sorted(self._post(body), key=lambda answer: answer["id"])
            answers += [a["result"] if "result" in a else NodeError(a["error"]["message"]) for a in found]
        return answers

    def _post(self, body: Any) -> Any:
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.loads(response.read())

    # --- calls -------------------------------------------------------------------------------------------------------

    def calls(self, reads: Sequence[Read], sender: Address | None = None) -> list[bytes | None]:
        """What each read returns at the head; None where it reverts."""
        requests = [("eth_call", [self._message(read.to, read.data, sender, CALL_GAS), "latest"]) for read in reads]
        return [None if isinstance(a, NodeError) else bytes.fromhex(a[2:]) for a in self.batch(requests)]

    def call(self, to: Address, data: bytes, sender: Address | None = None) -> bytes:
        """Raises NodeError where it reverts."""
        return bytes.fromhex(self.rpc("eth_call", self._message(to, data, sender, CALL_GAS), "latest")[2:])

    # --- transactions ------------------------------------------------------------------------------------------------

    def send(self, to: Address, data: bytes = b"", value: int = 0, sender: Address | None = None) -> Any:
        """The receipt. Raises NodeError where the transaction fails."""
        return self._mine(self._message(to, data, sender) | {"value": hex(value)})

    def send_all(self, calls: Iterable[tuple[Address, bytes]], sender: Address | None = None) -> list[Any]:
        """Receipts, one after the other: a batch is worked on in parallel, which loses the order of nonces."""
        return [self.send(to, data, sender=sender) for to, data in calls]

    def deploy(self, bytecode: str, types: Sequence[str] = (), arguments: Sequence[Any] = ()) -> Address:
        """The new contract's address."""
        data = "0x" + bytecode.removeprefix("0x") + encode(list(types), list(arguments)).hex()
        receipt = self._mine({"from": self.deployer, "data": data, "gas": hex(GAS)})
        return Address(to_checksum_address(receipt["contractAddress"]))

    def _mine(self, message: dict[str, str]) -> Any:
        receipt = self.rpc("eth_sendTransactionSync", message)
        if receipt["status"] != "0x1":
            raise NodeError(f"transaction failed: {message['data'][:10]} to {message.get('to', 'a new contract')}")
        return receipt

    def _message(self, to: Address, data: bytes, sender: Address | None, gas: int = GAS) -> dict[str, str]:
        return {"from": sender or self.deployer, "to": to, "data": "0x" + data.hex(), "gas": hex(gas)}
