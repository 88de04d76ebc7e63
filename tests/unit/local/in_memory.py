"""Contracts of ours on a chain in memory, without a node around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_abi.abi import decode, encode
from eth_typing import Address as Account
from eth_utils.address import to_checksum_address

import contracts_abi
from keeper.core.abi import calldata
from keeper.core.units import Address
from keeper.local.evm import Ask, Evm, Mined, Override, Ran, Transaction, override, run

START = 1_767_225_600
GWEI = 10**9
WHO = Address("0x1111111111111111111111111111111111111111")
OTHER = Address("0x2222222222222222222222222222222222222222")


def account(address: str) -> Account:
    return Account(bytes.fromhex(address[2:]))


def runtime(name: str) -> bytes:
    return bytes.fromhex(contracts_abi.load(name)["runtime"][2:])


class Box:
    """One funded account, WHO, that deploys and calls; a transaction that fails is an assertion error."""

    def __init__(self) -> None:
        self.evm = Evm(31_337, {account(WHO): 10**24}, timestamp=START, base_fee=GWEI)
        self._nonce = 0

    def mine(self, to: str | None, data: bytes, value: int = 0) -> Mined:
        ask = Ask(account(WHO), None if to is None else account(to), data, value, 10_000_000, 2 * GWEI)
        digest = self._nonce.to_bytes(32, "big")
        sealed = self.evm.mine(Transaction(digest, ask, self._nonce, 2, 2 * GWEI, GWEI))
        self._nonce += 1
        return sealed.mined[0]

    def deploy(self, name: str, types: list[str] | None = None, *arguments: Any) -> Address:
        code = bytes.fromhex(contracts_abi.load(name)["bytecode"][2:]) + encode(types or [], arguments)
        mined = self.mine(None, code)
        assert not mined.ran.error
        assert mined.created is not None
        return Address(to_checksum_address(mined.created))

    def send(self, to: str, signature: str, *arguments: Any, value: int = 0) -> Ran:
        ran = self.mine(to, calldata(signature, *arguments), value).ran
        assert not ran.error, (signature, ran.error, ran.output)
        return ran

    def call(
        self,
        to: str,
        data: bytes,
        *,
        sender: str = WHO,
        value: int = 0,
        changes: Mapping[str, Override] | None = None,
    ) -> Ran:
        """What a call at the head would do."""
        state = self.evm.state_at(self.evm.head)
        override(state, {account(address): change for address, change in (changes or {}).items()})
        return run(state, Ask(account(sender), account(to), data, value))

    def read(self, to: str, signature: str, returns: str, *arguments: Any) -> Any:
        ran = self.call(to, calldata(signature, *arguments))
        assert not ran.error, (signature, ran.error)
        return decode([returns], ran.output)[0]

    def token(self, symbol: str, decimals: int) -> Address:
        """A demo token whose owner is WHO."""
        types = ["address", "string", "string", "uint8"]
        return self.deploy("demo_token", types, WHO, f"Demo {symbol}", symbol, decimals)


def revert_text(ran: Ran) -> str:
    assert ran.reverted
    return str(decode(["string"], ran.output[4:])[0])
