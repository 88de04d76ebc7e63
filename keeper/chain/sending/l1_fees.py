"""What a transaction costs on an L2 beside its own gas: the data that must be posted to L1, and the operator's fee.

OP-style chains charge both in wei, apart from gas; a predeploy tells them. Arbitrum and zkSync fold them into the gas
itself, so there only the node's own estimate knows how much gas a transaction needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from keeper.chain.nodes.headers import quantity, unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.core.abi import calldata
from keeper.core.errors import TransientError
from keeper.core.plan import Call, Fees
from keeper.core.units import WHOLE_BPS, Address

Kind = Literal["none", "op", "node"]
"""How a chain charges for L1: not at all, apart from gas (OP stack), or within the gas (Arbitrum, zkSync)."""

ORACLE = "0x420000000000000000000000000000000000000F"
"""GasPriceOracle, a predeploy of every OP-stack chain."""

MARGIN_BPS = 1_250
"""On top of the L1 fee: L1's base fee rises by at most 1/8 until the next L1 block (EIP-1559)."""

ANY_NONCE = 0xFFFF_FFFF
"""Four bytes, more than a nonce takes: the real one is not known yet, and the fee grows with the bytes."""


def fetch_op_fees(
    rpc: Rpc, chain_id: int, calls: Sequence[Call], gas: Sequence[int], fees: Fees, at: Any
) -> tuple[int, ...]:
    """{wei} L1 data fee, with its margin, and operator fee of each transaction at block `at`. One request.

    Raises TransientError where the oracle does not tell: a cost that is not known is not zero.
    """
    if len(gas) != len(calls):
        raise TransientError(f"L1 fee: expected the gas of {len(calls)} transactions, found {len(gas)}")
    pairs = zip(calls, gas, strict=True)
    asked = [calldata("getL1Fee(bytes)", unsigned(chain_id, call, used, fees)) for call, used in pairs]
    # Chains before the Isthmus upgrade have no operator fee, and their oracle reverts.
    asked += [calldata("getOperatorFee(uint256)", used) for used in gas]
    answers = rpc.batch([("eth_call", [{"to": ORACLE, "data": "0x" + data.hex()}, at]) for data in asked])
    data, operator = answers[: len(gas)], answers[len(gas) :]
    return tuple(
        -(-_wei(one, "L1 fee") * (WHOLE_BPS + MARGIN_BPS) // WHOLE_BPS) + _operator_fee(other)
        for one, other in zip(data, operator, strict=True)
    )


def _operator_fee(answer: Any) -> int:
    if isinstance(answer, RpcError) and "revert" in answer.message.lower():
        return 0
    return _wei(answer, "operator fee")


def _wei(answer: Any, what: str) -> int:
    if isinstance(answer, RpcError):
        raise TransientError(f"{what}: {answer.message}")
    data = unhex(answer, what)
    if len(data) != 32:
        raise TransientError(f"{what}: expected one figure from the gas price oracle, found {len(data)} bytes")
    return int.from_bytes(data, "big")


def unsigned(chain_id: int, call: Call, gas: int, fees: Fees) -> bytes:
    """The transaction as the oracle wants it: without a signature, for which it adds 68 bytes itself."""
    import rlp  # type: ignore[import-untyped]

    to, tip = bytes.fromhex(call.to[2:]), fees.tip
    if tip is None:
        return bytes(rlp.encode([ANY_NONCE, int(fees.cap), gas, to, call.value, call.data]))
    fields = [chain_id, ANY_NONCE, int(tip), int(fees.cap), gas, to, call.value, call.data, []]
    return b"\x02" + bytes(rlp.encode(fields))


def fetch_estimate(rpc: Rpc, call: Call, sender: Address, at: Any) -> int:
    """{gas} What the node itself estimates for one transaction. Raises TransientError where it does not tell.

    No price goes with it, so that a sender without gas money can be estimated for as well.
    """
    request = {"from": sender, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    try:
        return quantity(rpc.call("eth_estimateGas", [request, at]), "gas estimate")
    except RpcError as error:
        raise TransientError(f"gas estimate: {error.message}") from None
