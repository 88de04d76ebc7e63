"""Deploys and calls through any node, and waits for each receipt. For local chains and testnets only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

import contracts_abi
from keeper.chain.nodes.headers import quantity, unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.core.abi import calldata
from keeper.core.errors import KeeperError
from keeper.core.units import Address

POLL_SECONDS = 0.05
MAX_WAIT = 180


class DeployError(KeeperError):
    """A transaction of the market was refused, failed, or never mined."""


class Account(Protocol):
    """How a transaction leaves: by the node's own key, or signed here."""

    @property
    def address(self) -> Address: ...

    def send(self, rpc: Rpc, fields: dict[str, str]) -> str:
        """The transaction's hash. Raises RpcError."""
        ...


class UnlockedAccount:
    """The node holds the key, as Anvil and the embedded chain do."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def send(self, rpc: Rpc, fields: dict[str, str]) -> str:
        sent: str = rpc.call("eth_sendTransaction", [{"from": self.address, **fields}])
        return sent


class SignedAccount:
    """A key held here or by a signer, for a testnet. Pays twice the going price of gas at most."""

    def __init__(self, address: Address, sign: Callable[[Mapping[str, object]], bytes]) -> None:
        """`sign` gives the raw signed transaction."""
        self.address, self._sign = address, sign

    def send(self, rpc: Rpc, fields: dict[str, str]) -> str:
        chain, nonce, tip, price = rpc.batch(
            [
                ("eth_chainId", []),
                ("eth_getTransactionCount", [self.address, "pending"]),
                ("eth_maxPriorityFeePerGas", []),
                ("eth_gasPrice", []),
            ]
        )
        gas = quantity(rpc.call("eth_estimateGas", [{"from": self.address, **fields}]), "gas")
        signed = self._sign(
            {
                **({"to": fields["to"]} if "to" in fields else {}),
                "data": bytes.fromhex(fields["data"][2:]),
                "value": quantity(fields["value"], "value"),
                "chainId": quantity(chain, "chain id"),
                "nonce": quantity(nonce, "nonce"),
                "gas": gas * 5 // 4,
                "maxFeePerGas": 2 * quantity(price, "gas price"),
                "maxPriorityFeePerGas": quantity(tip, "tip"),
                "type": 2,
            }
        )
        sent: str = rpc.call("eth_sendRawTransaction", ["0x" + signed.hex()])
        return sent


class KeyAccount(SignedAccount):
    """A key held in this process."""

    def __init__(self, key: bytes) -> None:
        from eth_account import Account as Key  # slow to import, and unlocked accounts do without

        account = Key.from_key(key)
        super().__init__(
            Address(account.address), lambda fields: bytes(account.sign_transaction(dict(fields)).raw_transaction)
        )


class Deployer:
    """Puts contracts of contracts_abi on a chain and calls them. Every method raises DeployError and Unreachable."""

    def __init__(self, rpc: Rpc, account: Account) -> None:
        self.rpc, self._account = rpc, account

    @property
    def address(self) -> Address:
        return self._account.address

    def deploy(self, name: str, types: Sequence[str] = (), *arguments: Any) -> Address:
        """A contract of ours, by its name in contracts_abi."""
        code = contracts_abi.load(name)["bytecode"] + encode(list(types), list(arguments)).hex()
        return Address(to_checksum_address(self._send(f"deploying {name}", {"data": code})["contractAddress"]))

    def call(self, to: Address, signature: str, *arguments: Any, value: int = 0) -> dict[str, Any]:
        """The receipt of a transaction that calls `signature` of `to`."""
        data = "0x" + calldata(signature, *arguments).hex()
        return self._send(signature, {"to": to, "data": data, "value": hex(value)})

    def pay(self, to: Address, wei: int) -> dict[str, Any]:
        return self._send(f"paying {to}", {"to": to, "data": "0x", "value": hex(wei)})

    def read(self, requests: Sequence[tuple[Address, bytes]]) -> list[bytes]:
        """What each target answers at the head, in one request."""
        calls = [("eth_call", [{"to": to, "data": "0x" + data.hex()}, "latest"]) for to, data in requests]
        answers = self.rpc.batch([(method, list(params)) for method, params in calls])
        return [self._bytes(answer) for answer in answers]

    @staticmethod
    def _bytes(answer: Any) -> bytes:
        if isinstance(answer, RpcError):
            raise DeployError(f"reading the market: {answer}")
        return unhex(answer, "eth_call")

    def _send(self, what: str, fields: dict[str, str]) -> dict[str, Any]:
        try:
            sent = self._account.send(self.rpc, {"value": "0x0", **fields})
        except RpcError as error:
            raise DeployError(f"{what}: {error}") from None
        receipt = self._wait(what, sent)
        if quantity(receipt.get("status"), "status") != 1:
            raise DeployError(f"{what}: transaction {sent} failed")
        return receipt

    def _wait(self, what: str, sent: str) -> dict[str, Any]:
        ends = time.monotonic() + MAX_WAIT
        while time.monotonic() < ends:
            receipt = self.rpc.call("eth_getTransactionReceipt", [sent], nullable=True)
            if isinstance(receipt, dict):
                return receipt
            time.sleep(POLL_SECONDS)
        raise DeployError(f"{what}: transaction {sent} was not mined within {MAX_WAIT} s")
