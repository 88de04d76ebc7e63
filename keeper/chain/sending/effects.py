"""What set-up transactions must have brought about: an allowance, a wrapped balance. Pure, but for one request.

A success without these effects means that the token is not what it seemed: a person must look (FAULTS T17).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.nodes.headers import quantity
from keeper.chain.nodes.rpc import Request, Rpc
from keeper.core.abi import calldata
from keeper.core.errors import TransientError
from keeper.core.plan import Call, Purpose
from keeper.core.sending import Mined
from keeper.core.units import Address, Token

APPROVAL_ARGUMENTS = 68
WITHDRAW_ARGUMENTS = 36


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure of an account at the end of a block; None where the node does not have it any more."""

    what: str
    request: Request


def fetch_missing_effects(rpc: Rpc, call: Call, account: Address, sender: Address, mined: Mined) -> str:
    """What a successful approve, revoke, wrap or unwrap failed to bring about, or an empty string.

    At most one request. Where the node has no state of those blocks any more nothing is missed. Raises Unreachable.
    """
    figures = _figures(call, account, mined.block_number)
    if not figures:
        return ""
    answers = rpc.batch([figure.request for figure in figures])
    found = {figure.what: figure_of(answer) for figure, answer in zip(figures, answers, strict=True)}
    if call.purpose in (Purpose.APPROVE, Purpose.REVOKE):
        return _allowance(call, found["allowance"])
    return _wrapped(call, found, 0 if account != sender else mined.gas_cost)


def _figures(call: Call, account: Address, block: int) -> Sequence[_Figure]:
    if call.purpose in (Purpose.APPROVE, Purpose.REVOKE) and len(call.data) == APPROVAL_ARGUMENTS:
        spender = Address("0x" + call.data[16:36].hex())
        return [_Figure("allowance", _call(call.to, calldata("allowance(address,address)", account, spender), block))]
    if call.purpose is Purpose.WRAP or (call.purpose is Purpose.UNWRAP and len(call.data) == WITHDRAW_ARGUMENTS):
        balance = calldata("balanceOf(address)", account)
        return [
            _Figure("tokens before", _call(call.to, balance, block - 1)),
            _Figure("tokens after", _call(call.to, balance, block)),
            _Figure("coin before", ("eth_getBalance", [account, hex(block - 1)])),
            _Figure("coin after", ("eth_getBalance", [account, hex(block)])),
        ]
    return ()


def _allowance(call: Call, found: int | None) -> str:
    expected = int.from_bytes(call.data[36:68], "big")
    if found is None or found == expected:
        return ""
    return f"{call.text}: succeeded, but the allowance is {found:,} raw, expected {expected:,}"


def _wrapped(call: Call, found: Mapping[str, int | None], gas_cost: int) -> str:
    """Others may add to an account in the same block; nobody but its key takes from it."""
    wraps = call.purpose is Purpose.WRAP
    raw = call.value if wraps else int.from_bytes(call.data[4:36], "big")
    tokens, coin = _change(found, "tokens"), _change(found, "coin")
    if tokens is not None and tokens < (raw if wraps else -raw):
        return f"{call.text}: succeeded, but the tokens changed by {tokens:,} raw"
    if not wraps and coin is not None and coin + gas_cost < raw:
        return f"{call.text}: succeeded, but the coin changed by {coin + gas_cost:,} wei beside its gas"
    return ""


def _change(found: Mapping[str, int | None], what: str) -> int | None:
    before, after = found[f"{what} before"], found[f"{what} after"]
    return None if before is None or after is None else after - before


def _call(to: Address, data: bytes, block: int) -> Request:
    return ("eth_call", [{"to": to, "data": "0x" + data.hex()}, hex(block)])


def balance_request(token: Token, account: Address, block: int) -> Request:
    """The balance of a token, or of the native coin, at the end of a block."""
    if token.is_native:
        return ("eth_getBalance", [account, hex(block)])
    return _call(token.address, calldata("balanceOf(address)", account), block)


def figure_of(answer: Any) -> int | None:
    """A call's one word, or a balance; None where it is neither."""
    try:
        return quantity(answer, "figure")
    except TransientError:
        return None
