"""What a transaction costs on an L2 beside its own gas: the data that must be posted to L1, and the operator's fee.

OP-style chains charge both in wei, apart from gas; a predeploy tells them. Arbitrum and zkSync fold them into the gas
itself, so there only the node's own estimate knows how much gas a transaction needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from keeper.chain.nodes.headers import quantity, unhex
from keeper.chain.nodes.rpc import Request, RpcError
from keeper.chain.sending.fees import TX_GAS_CAP
from keeper.core.abi import calldata
from keeper.core.calls import Call
from keeper.core.chain import Block
from keeper.core.errors import TransientError
from keeper.core.plan import Fees
from keeper.core.units import WHOLE_BPS, Address

Kind = Literal["none", "op", "node"]
"""How a chain charges for L1: not at all, apart from gas (OP stack), or within the gas (Arbitrum, zkSync)."""

ORACLE = "0x420000000000000000000000000000000000000F"
"""GasPriceOracle, a predeploy of every OP-stack chain."""

MARGIN_BPS = 1_250
"""On top of the L1 fee: L1's base fee rises by at most 1/8 until the next L1 block (EIP-1559)."""

ANY_NONCE = 0xFFFF_FFFF
"""Four bytes, more than a nonce takes: the real one is not known yet, and the fee grows with the bytes."""
ANY_GAS = 0xFF_FFFF
"""Three bytes, as every gas limit but the very largest has."""


def l1_questions(kind: Kind, block: Block, calls: Sequence[Call], sender: Address, fees: Fees) -> list[Request]:
    """What to ask of the node about L1, before the gas of `calls` is known: so it can ride with their simulation.

    `op_fees` and `estimate_of` read the answers. The estimate is of the next transaction only; no price goes with it,
    so that a sender without gas money can be estimated for as well.
    """
    at = hex(block.number)
    if kind == "op":
        # The fee grows with the bytes of the transaction, and the operator's with its gas, in a straight line.
        asked = [calldata("getL1Fee(bytes)", unsigned(block.chain_id, call, ANY_GAS, fees)) for call in calls]
        asked += [calldata("getOperatorFee(uint256)", gas) for gas in (0, TX_GAS_CAP)]
        return [("eth_call", [{"to": ORACLE, "data": "0x" + data.hex()}, at]) for data in asked]
    if kind == "node":
        call = calls[0]
        request = {"from": sender, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
        return [("eth_estimateGas", [request, at])]
    return []


def op_fees(answers: Sequence[Any], gas: Sequence[int]) -> tuple[int, ...]:
    """{wei} L1 data fee, with its margin, and operator fee of each transaction, from the answers to `l1_questions`.

    Raises TransientError where the oracle does not tell: a cost that is not known is not zero.
    """
    *data, without, most = answers
    if len(gas) != len(data):
        raise TransientError(f"L1 fee: expected the gas of {len(data)} transactions, found {len(gas)}")
    base = _operator_fee(without)
    slope = max(0, _operator_fee(most) - base)
    return tuple(
        # {wei} = {wei} + {wei} + {wei} * {gas} / {gas}
        -(-_wei(one, "L1 fee") * (WHOLE_BPS + MARGIN_BPS) // WHOLE_BPS) + base - (-slope * used // TX_GAS_CAP)
        for one, used in zip(data, gas, strict=True)
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


def estimate_of(answer: Any) -> int:
    """{gas} What the node itself estimates. Raises TransientError where it does not tell."""
    if isinstance(answer, RpcError):
        raise TransientError(f"gas estimate: {answer.message}")
    return quantity(answer, "gas estimate")
