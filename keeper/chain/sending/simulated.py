"""`eth_simulateV1`: balances, the transactions one after another, balances again, in one call; and what it answers.

Pure. `Ran` is what any way of simulating comes to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from keeper.chain.nodes.headers import quantity, unhex
from keeper.chain.nodes.rpc import RpcError
from keeper.chain.sending.fees import TX_GAS_CAP
from keeper.chain.sending.reverts import decode_revert
from keeper.core.abi import calldata
from keeper.core.calls import Call
from keeper.core.chain import VaultView
from keeper.core.errors import TransientError
from keeper.core.foreign import printable
from keeper.core.module_calls import FAILED_QUIETLY, says_it_failed
from keeper.core.units import Address, Token

NOBODY = Address("0x0000000000000000000000000000000000000000")
SCALE = "0x6b65657065720000000000000000000062616c61"
"""Where the code below is put for the length of a simulation: "keeper…bala", nobody's address."""
BALANCE_CODE = "0x6000" + "35" + "31" + "6000" + "52" + "6020" + "6000" + "f3"
"""Returns the native balance of the address in its first word: BALANCE(CALLDATALOAD(0))."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What the node said. `needed` is what the first transaction needs at its peak, refunds not yet given back."""

    failure: str
    gas: tuple[int, ...] = ()
    needed: int = 0
    deltas: Mapping[Token, int] | None = None


def script(calls: Sequence[Call], view: VaultView, tokens: Sequence[Token]) -> dict[str, Any]:
    """Balances, the transactions, balances. Without validation no gas is charged, so the sender may have no gas money
    and the native balance moves by values alone; it must still own what it sends along."""
    actor = view.sender or view.account
    balances = [_balance_call(token, view.account) for token in tokens]
    gas = hex(min(TX_GAS_CAP, view.block.gas_limit // 2))
    wanted = [
        {"from": actor, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value), "gas": gas}
        for call in calls
    ]
    block = {
        # Some nodes simulate at time 1; deadlines, feeds and accruals need the time of a next block.
        "blockOverrides": {"time": hex(view.block.timestamp + 1)},
        "stateOverrides": {SCALE: {"code": BALANCE_CODE}},
        "calls": [*balances, *wanted, *balances],
    }
    return {"blockStateCalls": [block], "validation": False, "traceTransfers": False}


@lru_cache(maxsize=4_096)
def _balance_call(token: Token, account: Address) -> Mapping[str, str]:
    if token.is_native:
        return {"from": NOBODY, "to": SCALE, "data": "0x" + bytes(12).hex() + account[2:].lower()}
    return {"from": NOBODY, "to": token.address, "data": "0x" + calldata("balanceOf(address)", account).hex()}


def read_simulated(answer: Any, calls: Sequence[Call], tokens: Sequence[Token]) -> Ran:
    """Raises TransientError where the answer is an error or not what was asked for."""
    if isinstance(answer, RpcError):
        raise answer
    ends = _ends(answer)
    count = len(tokens)
    if len(ends) != 2 * count + len(calls):
        raise TransientError(f"eth_simulateV1: expected {2 * count + len(calls)} results, found {len(ends)}")
    before, ours, after = ends[:count], ends[count:-count], ends[-count:]
    gas = tuple(quantity(end.get("gasUsed"), "gas used") for end in ours)
    reasons = [_why_failed(call, end) for call, end in zip(calls, ours, strict=True)]
    failure = next((told(i, calls, reason) for i, reason in enumerate(reasons) if reason), "")
    deltas = {token: _balance(a, token) - _balance(b, token) for token, b, a in zip(tokens, before, after, strict=True)}
    return Ran(failure, gas, _peak(ours[0], gas[0]), deltas)


def _ends(answer: Any) -> list[dict[str, Any]]:
    try:
        ends = answer[0]["calls"]
    except (KeyError, IndexError, TypeError):
        ends = None
    if not isinstance(ends, list) or not all(isinstance(end, dict) for end in ends):
        raise TransientError("eth_simulateV1: expected one block of calls, found something else")
    return ends


def _peak(end: Mapping[str, Any], used: int) -> int:
    """Gas before refunds. Refunds are at most 1/5 of what was used before them (EIP-3529), so 5/4 bounds it where the
    node does not tell."""
    peak = end.get("maxUsedGas")
    return max(used, quantity(peak, "max used gas")) if peak is not None else -(-used * 5 // 4)


def _balance(end: Mapping[str, Any], token: Token) -> int:
    data = unhex(end.get("returnData"), f"balance of {token.symbol}")
    if quantity(end.get("status"), "status") != 1 or len(data) < 32:
        raise TransientError(f"balance of {token.symbol} cannot be read")
    return int.from_bytes(data[:32], "big")


def _why_failed(call: Call, end: Mapping[str, Any]) -> str:
    """Empty where it succeeded, and does not say otherwise by what it returned."""
    if quantity(end.get("status"), "status") != 1:
        return _reason(end)
    return FAILED_QUIETLY if says_it_failed(call, unhex(end.get("returnData") or "0x", "answer")) else ""


def _reason(end: Mapping[str, Any]) -> str:
    data = unhex(end.get("returnData") or "0x", "revert data")
    if data:
        return decode_revert(data)
    error = end.get("error")
    message = str(error.get("message", "")) if isinstance(error, dict) else ""
    return printable(message, 200) or decode_revert(b"")


def told(index: int, calls: Sequence[Call], reason: str) -> str:
    place = f"transaction {index + 1} of {len(calls)}, " if len(calls) > 1 else ""
    return f"{place}{calls[index].text}: {reason}"
