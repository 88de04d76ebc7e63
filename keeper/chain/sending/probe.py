"""The probe, for nodes without `eth_simulateV1`: by code override at the sender's own address it calls the same targets
as the same sender, all in one call (contracts/Probe.sol). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.rpc import RpcError
from keeper.chain.sending.reverts import decode_revert
from keeper.chain.sending.simulated import Ran, told
from keeper.core.abi import calldata
from keeper.core.calls import Call
from keeper.core.chain import VaultView
from keeper.core.errors import TransientError
from keeper.core.units import Token

RUN = "run((address,uint256,bytes)[],address[],address)"


def probe_call(code: bytes, calls: Sequence[Call], view: VaultView, tokens: Sequence[Token], at: Any) -> list[Any]:
    """Parameters of an `eth_call`; `code` is the probe's."""
    actor = view.sender or view.account
    wanted = [(call.to, call.value, call.data) for call in calls]
    data = calldata(RUN, wanted, [token.address for token in tokens], view.account)
    override = {actor: {"code": "0x" + code.hex()}}
    return [{"from": actor, "to": actor, "data": "0x" + data.hex()}, at, override]


def read_probed(answer: Any, calls: Sequence[Call], tokens: Sequence[Token]) -> Ran:
    """Raises TransientError where the answer is an error or not what was asked for."""
    if isinstance(answer, RpcError):
        raise answer
    try:
        ok, failed, reason, used, deltas = decode(
            ["bool", "uint256", "bytes", "uint256[]", "int256[]"], unhex(answer, "probe")
        )
    except (DecodingError, OverflowError):
        raise TransientError("probe: the node ignored the code override") from None
    gas = tuple(paid_gas(call.data, inner) for call, inner in zip(calls, used, strict=False))
    if len(deltas) != len(tokens) or not gas:
        raise TransientError(f"probe: expected {len(tokens)} balances, found {len(deltas)}")
    failure = "" if ok else told(min(failed, len(calls) - 1), calls, decode_revert(reason))
    return Ran(failure, gas, gas[0], dict(zip(tokens, deltas, strict=True)))


def paid_gas(data: bytes, inner: int) -> int:
    """Gas of a transaction whose call used `inner`: 21,000, calldata at 4 a zero and 16 another byte (EIP-2028), and
    at least 10 and 40 a byte in all (EIP-7623)."""
    zeros = data.count(0)
    tokens = zeros + 4 * (len(data) - zeros)
    return 21_000 + max(4 * tokens + inner, 10 * tokens)
