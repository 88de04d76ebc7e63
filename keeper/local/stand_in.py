"""A price feed on a fork, where nobody else answers any more: it says what it said last, or what a person wants.

The feed's own code moves aside and goes on answering everything but `latestRoundData()`, out of the feed's own storage.
A stand-in's answer is always as old as the feed's was, so that what was stale stays so, and what was fresh does not
become stale because time passes on the fork alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from eth_utils.crypto import keccak

from keeper.chain.nodes.headers import quantity, unhex
from keeper.chain.nodes.rpc import Request, Rpc, RpcError
from keeper.core.abi import calldata, signed_word, word
from keeper.core.units import Address, Rounding, ratio_to_int

LATEST_ROUND = calldata("latestRoundData()")
_WORDS = 5
_MSTORE, _JUMPI, _JUMPDEST, _PUSH1, _PUSH32, _RETURN, _REVERT = 0x52, 0x57, 0x5B, 0x60, 0x7F, 0xF3, 0xFD


def stand_in(rpc: Rpc, feeds: Sequence[Address], factors: Mapping[Address, Fraction]) -> None:
    """Puts a stand-in into the place of each feed, whose answer is multiplied by its factor. Feeds that do not answer
    stay as they are. Raises Unreachable."""
    now = quantity(rpc.call("eth_getBlockByNumber", ["latest", False])["timestamp"], "timestamp")
    asked: list[Request] = [("eth_call", [{"to": feed, "data": "0x" + LATEST_ROUND.hex()}, "latest"]) for feed in feeds]
    codes: list[Request] = [("eth_getCode", [feed, "latest"]) for feed in feeds]
    answers = rpc.batch([*asked, *codes])
    for feed, answer, code in zip(feeds, answers[: len(feeds)], answers[len(feeds) :], strict=True):
        if isinstance(answer, RpcError) or isinstance(code, RpcError):
            continue
        found = unhex(answer, "eth_call")
        if len(found) < 32 * _WORDS:
            continue
        price = ratio_to_int(signed_word(found, 1) * factors.get(feed, Fraction(1)), Rounding.DOWN)
        aside = "0x" + keccak(b"aside" + bytes.fromhex(feed[2:]))[12:].hex()
        age = max(0, now - word(found, 3))
        rpc.call("anvil_setCode", [aside, code], nullable=True)
        rpc.call("anvil_setCode", [feed, "0x" + _code(aside, word(found, 0), price, age).hex()], nullable=True)


def _code(aside: str, round_id: int, price: int, age: int) -> bytes:
    """What runs in a feed's place: five words for `latestRoundData()`, else whatever the code aside says (ERC-1167)."""
    # PUSH0 CALLDATALOAD PUSH1 224 SHR PUSH4 selector EQ PUSH1 answer JUMPI
    head = bytes.fromhex("5f3560e01c63") + LATEST_ROUND[:4] + bytes.fromhex("1460")
    other = bytes.fromhex("363d3d373d3d3d363d73") + bytes.fromhex(aside[2:]) + bytes.fromhex("5af43d82803e903d9160")
    went_well = len(head) + 2 + len(other) + 3
    start = head + bytes([went_well + 2, _JUMPI]) + other + bytes([went_well, _JUMPI, _REVERT])
    return start + bytes([_JUMPDEST, _RETURN]) + _answer(round_id, price, age)


def _answer(round_id: int, price: int, age: int) -> bytes:
    """JUMPDEST, then five words to memory, and back with them."""
    number = bytes([_PUSH32]) + round_id.to_bytes(32, "big")
    answer = bytes([_PUSH32]) + price.to_bytes(32, "big", signed=True)
    when = bytes([_PUSH32]) + age.to_bytes(32, "big") + bytes.fromhex("4203")  # TIMESTAMP SUB
    parts = (number, answer, when, when, number)
    stored = b"".join(part + bytes([_PUSH1, 32 * index, _MSTORE]) for index, part in enumerate(parts))
    return bytes([_JUMPDEST]) + stored + bytes([_PUSH1, 32 * _WORDS, _PUSH1, 0, _RETURN])
