"""What a key may sign at all, whatever the rest of the keeper asks of it: the last word before a signature.

Guards judge a decision with everything that is known of it. This looks at nothing but the transaction itself, so that a
fault elsewhere cannot make the key approve a stranger, transfer a token, or give coin away (FAULTS S13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeper.chain.sending.fees import TX_GAS_CAP
from keeper.core.abi import calldata
from keeper.core.errors import SubmitError
from keeper.core.ports import Signer
from keeper.core.units import Address, Wei

_NOBODY = "0x" + "00" * 20
APPROVE = calldata("approve(address,uint256)", _NOBODY, 0)[:4]
DEPOSIT = calldata("deposit()")[:4]
WITHDRAW = calldata("withdraw(uint256)", 0)[:4]


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed on one chain: calls of routers, approvals of those routers for these tokens, wrapping and
    unwrapping, and a transfer of nothing to itself (a cancel)."""

    max_fee: Wei
    routers: frozenset[Address]
    tokens: frozenset[Address]
    wrapped: Address | None = None

    def objection(self, transaction: Mapping[str, object], sender: Address) -> str:
        """Why this must not be signed, or an empty string."""
        fee, gas = transaction.get("maxFeePerGas", transaction.get("gasPrice")), transaction.get("gas")
        if not isinstance(fee, int) or not 0 <= fee <= self.max_fee:
            return f"fee: expected at most {self.max_fee:,} wei, was {fee}"
        if not isinstance(gas, int) or not 0 < gas <= TX_GAS_CAP:
            return f"gas: expected 1 to {TX_GAS_CAP:,}, was {gas}"
        to, value, data = transaction.get("to"), transaction.get("value"), transaction.get("data")
        if not isinstance(data, bytes) or not isinstance(value, int):
            return "call: expected bytes and a value, found something else"
        if to == self.wrapped is not None and data == DEPOSIT:
            return ""  # the one call that takes coin along
        if value:
            return f"value: expected none for {to}, was {value:,} wei"
        return self._call_objection(to, data, sender)

    def _call_objection(self, to: object, data: bytes, sender: Address) -> str:
        if to == sender:
            return "" if not data else "call: expected no data for the sender itself, found some"
        if to in self.routers:
            return "" if len(data) >= 4 else "call: expected a function of the router, found none"
        if to in self.tokens and data[:4] == APPROVE and len(data) == 68:
            spender = data[16:36].hex()
            known = spender in {router[2:].lower() for router in self.routers}
            return "" if known else f"approval: expected a router of the configuration, was 0x{spender}"
        if to == self.wrapped is not None and data[:4] == WITHDRAW and len(data) == 36:
            return ""
        return f"call: expected an approval, a wrap or a router's function, was 0x{data[:4].hex()} of {to}"


@dataclass(frozen=True, slots=True)
class HeldSigner:
    """A signer that refuses what its policies do not allow; a chain without a policy is refused altogether."""

    signer: Signer
    policies: Mapping[int, Policy] = field(default_factory=dict)

    @property
    def address(self) -> Address:
        return self.signer.address

    def sign(self, transaction: Mapping[str, object]) -> bytes:
        """Raises SubmitError."""
        chain_id = transaction.get("chainId")
        policy = self.policies.get(chain_id) if isinstance(chain_id, int) else None
        if policy is None:
            raise SubmitError(f"signer {self.address}: policy: chain {chain_id} is not one of its own")
        if objection := policy.objection(transaction, self.address):
            raise SubmitError(f"signer {self.address}: policy: {objection}")
        return self.signer.sign(transaction)
