"""What set-up transactions must have brought about: an allowance, a wrapped balance. Pure, but for one request.

A success without these effects means that the token is not what it seemed: a person must look (FAULTS T17).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keeper.chain.nodes.headers import quantity
from keeper.chain.nodes.rpc import Request, Rpc
from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.errors import TransientError
from keeper.core.sending import Mined
from keeper.core.units import NATIVE, Address, Token
from keeper.core.wrapping import wrapped_by

APPROVAL_ARGUMENTS = 68
"""Bytes of `approve(address,uint256)` with its selector."""

_ALLOWANCE = "allowance(address,address)"


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure of an account at the end of a block; None where the node does not have it any more."""

    what: str
    request: Request


def fetch_missing_effects(rpc: Rpc, call: Call, account: Address, sender: Address, nonce: int, mined: Mined) -> str:
    """What successful approvals, revokes, wraps and unwraps failed to bring about, or an empty string; of several in
    one call what they come to together.

    A reorg may put an approval and the swap that uses it up into one block: where `nonce` is not the sender's last of
    that block, figures of its end say nothing of this one. At most one request. Where the node has no state of those
    blocks any more nothing is missed. Raises Unreachable.
    """
    allowances, wrapped = _allowances(call), wrapped_by(call)
    at = mined.block_number
    figures = []
    for token, spender in allowances:
        request = _call(token, calldata(_ALLOWANCE, account, spender), at)
        figures.append(_Figure(f"allowance {token} {spender}", request))
    for token in wrapped:
        figures += [_Figure(f"{token} {block - at}", _balance(token, account, block)) for block in (at - 1, at)]
    if not figures:
        return ""
    figures.append(_Figure("nonces", ("eth_getTransactionCount", [sender, hex(at)])))
    answers = rpc.batch([figure.request for figure in figures])
    found = {figure.what: figure_of(answer) for figure, answer in zip(figures, answers, strict=True)}
    if (found["nonces"] or 0) > nonce + 1:
        return ""
    for (token, spender), expected in allowances.items():
        if (raw := found[f"allowance {token} {spender}"]) is not None and raw != expected:
            return f"{call.text}: succeeded, but the allowance is {raw:,} raw, expected {expected:,}"
    return _unwrapped(call, found, wrapped, 0 if account != sender else mined.gas_cost)


def _allowances(call: Call) -> Mapping[tuple[Address, Address], int]:
    """{raw} By (token, spender): what the last approval or revoke of each sets."""
    return {
        (step.to, Address("0x" + step.data[16:36].hex())): int.from_bytes(step.data[36:68], "big")
        for step in call.steps
        if step.purpose in (Purpose.APPROVE, Purpose.REVOKE) and len(step.data) == APPROVAL_ARGUMENTS
    }


def _unwrapped(call: Call, found: Mapping[str, int | None], wrapped: Mapping[Address, int], gas_cost: int) -> str:
    """Others may add to an account in the same block; nobody but its key takes from it."""
    for token, raw in wrapped.items():
        change = _change(found, token)
        if change is None:
            continue
        if token == NATIVE and raw > 0 and change + gas_cost < raw:
            return f"{call.text}: succeeded, but the coin changed by {change + gas_cost:,} wei beside its gas"
        if token != NATIVE and change < raw:
            return f"{call.text}: succeeded, but the tokens changed by {change:,} raw"
    return ""


def _change(found: Mapping[str, int | None], token: Address) -> int | None:
    before, after = found[f"{token} -1"], found[f"{token} 0"]
    return None if before is None or after is None else after - before


def _call(to: Address, data: bytes, block: int) -> Request:
    return ("eth_call", [{"to": to, "data": "0x" + data.hex()}, hex(block)])


def balance_request(token: Token, account: Address, block: int) -> Request:
    """The balance of a token, or of the native coin, at the end of a block."""
    return _balance(token.address, account, block)


def _balance(token: Address, account: Address, block: int) -> Request:
    if token == NATIVE:
        return ("eth_getBalance", [account, hex(block)])
    return _call(token, calldata("balanceOf(address)", account), block)


def figure_of(answer: Any) -> int | None:
    """A call's one word, or a balance; None where it is neither."""
    try:
        return quantity(answer, "figure")
    except TransientError:
        return None
