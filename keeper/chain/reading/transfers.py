"""What transfers of a token do, measured and not believed: code of ours stands in a holder's place for the length of an
`eth_call`, and carries a part of what it has to nobody and back (contracts/Transfers.sol). Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.messages import Request
from keeper.chain.nodes.rpc import Disagreement, Rpc, RpcError
from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.chain import Unusable
from keeper.core.foreign import printable
from keeper.core.transfers import Transfer
from keeper.core.units import Address

NOBODY = Address("0x6B65657065720000000000000000000074726E73")
"""Where transfers go to: "keeper…trns"."""
MOST_TOKENS = 50
"""In one request, of which each takes 6 kB."""
MOST_GAS = 10_000_000
"""{gas} Three transfers and a dozen balances take 300,000."""

_ANSWER = ["address", "(uint256,int256,int256,int256)[]", "bool", "bytes"]


@dataclass(frozen=True, slots=True)
class Measured:
    """From a holder to nobody, from there to another account, and back: as many as were made. `refusal` is what the
    token reverted the next one with, None where it refused none."""

    made: tuple[Transfer, ...]
    refusal: bytes | None = None


def fetch_transfers(
    rpc: Rpc, holders: Mapping[Address, Sequence[Address]], code: bytes, hand: bytes
) -> dict[Address, Measured | Unusable]:
    """By token, of which `holders` names accounts that may hold some; `code` and `hand` are the two contracts'.

    A request for every MOST_TOKENS tokens. Unusable says why a token could not be measured. Raises Unreachable.
    """
    requests = [_request(token, [at for at in asked if at != token], code, hand) for token, asked in holders.items()]
    answers: list[Any] = []
    for first in range(0, len(requests), MOST_TOKENS):
        some = requests[first : first + MOST_TOKENS]
        try:
            answers += rpc.batch(some)
        except Disagreement as split:
            answers += [split] * len(some)
    return {token: parse_measured(answer) for token, answer in zip(holders, answers, strict=True)}


def _request(token: Address, holders: Sequence[Address], code: bytes, hand: bytes) -> Request:
    data = calldata("measure(address,address[])", token, holders)
    places = {NOBODY: {"code": "0x" + code.hex()}} | {holder: {"code": "0x" + hand.hex()} for holder in holders}
    return "eth_call", [{"to": NOBODY, "data": "0x" + data.hex(), "gas": hex(MOST_GAS)}, "latest", places]


def parse_measured(answer: Any) -> Measured | Unusable:
    """Of an answer, or of the error in its place."""
    if isinstance(answer, RpcError | Disagreement):
        return Unusable(printable(str(answer), 200))
    output = unhex(answer, "transfers")
    if not output:
        return Unusable("the node puts no code in an account's place (state override)")
    try:
        holder, figures, refused, refusal = decode(_ANSWER, output)
    except (DecodingError, OverflowError):
        return Unusable(f"the node answered {len(output)} bytes of something else")
    if not figures and not refused:
        return Unusable("none of the accounts that were looked at holds any")
    places = ("", " between accounts", f" to {text.short(to_checksum_address(holder))}")
    made = tuple(
        Transfer(sent, left, arrived, moved, where)
        for (sent, left, arrived, moved), where in zip(figures, places, strict=False)
    )
    return Measured(made, refusal if refused else None)
