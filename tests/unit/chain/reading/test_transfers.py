from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import decode, encode

from keeper.chain.nodes.messages import Request
from keeper.chain.nodes.rpc import Disagreement, RpcError
from keeper.chain.reading.transfers import MOST_TOKENS, NOBODY, Measured, fetch_transfers, parse_measured
from keeper.core.chain import Unusable
from keeper.core.transfers import Transfer
from keeper.core.units import Address
from tests.builders import address

HOLDER = address(0x401)
TYPES = ["address", "(uint256,int256,int256,int256)[]", "bool", "bytes"]
CODE, HAND = b"\x01", b"\x02"


def answer(*made: tuple[int, int, int, int], refusal: bytes | None = None) -> str:
    return "0x" + encode(TYPES, [HOLDER, list(made), refusal is not None, refusal or b""]).hex()


class Node:
    """Answers every call alike, and keeps what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.batches: list[Sequence[Request]] = []

    def batch(self, requests: Sequence[Request]) -> list[Any]:
        self.batches.append(requests)
        if isinstance(self.answer, Disagreement):
            raise self.answer
        return [self.answer] * len(requests)


def fetch(node: Node, holders: dict[Address, list[Address]]) -> dict[Address, Measured | Unusable]:
    return fetch_transfers(node, holders, CODE, HAND)  # type: ignore[arg-type]


def test_fetch__of_many_tokens__is_one_request_for_fifty_and_puts_code_only_in_place_of_holders() -> None:
    tokens = [address(0xA000 + index) for index in range(MOST_TOKENS + 1)]
    node = Node(answer((100, 100, 100, 0)))
    found = fetch(node, {token: [HOLDER, token] for token in tokens})
    assert [len(batch) for batch in node.batches] == [MOST_TOKENS, 1]
    assert list(found) == tokens
    method, (call, at, places) = node.batches[0][0]
    assert (method, call["to"], at) == ("eth_call", NOBODY, "latest")
    assert places == {NOBODY: {"code": "0x01"}, HOLDER: {"code": "0x02"}}, "never in the token's own place"
    asked, holders = decode(["address", "address[]"], bytes.fromhex(call["data"][10:]))
    assert (asked, holders) == (tokens[0].lower(), (HOLDER.lower(),))


def test_fetch__of_no_token__asks_nobody() -> None:
    node = Node("0x")
    assert fetch(node, {}) == {} and node.batches == []


def test_parse__of_three_transfers__says_between_whom() -> None:
    found = parse_measured(answer((100, 101, 99, 0), (49, 49, 48, -1), (49, 49, 49, 0)))
    assert found == Measured(
        (
            Transfer(100, 101, 99),
            Transfer(49, 49, 48, -1, " between accounts"),
            Transfer(49, 49, 49, 0, f" to {HOLDER[:6]}…{HOLDER[-4:]}"),
        )
    )


def test_parse__of_a_token_that_refuses__keeps_its_words_and_what_was_measured_before() -> None:
    assert parse_measured(answer(refusal=b"no")) == Measured((), b"no")
    assert parse_measured(answer((9, 9, 9, 0), refusal=b"")) == Measured((Transfer(9, 9, 9),), b"")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("0x", "the node puts no code in an account's place (state override)"),
        ("0x1234", "the node answered 2 bytes of something else"),
        (answer(), "none of the accounts that were looked at holds any"),
        (
            RpcError(-32602, "too many arguments\n, want at most 2"),
            "too many arguments\\n, want at most 2 (code -32602)",
        ),
    ],
)
def test_parse__of_no_figures__says_why(said: Any, reason: str) -> None:
    assert parse_measured(said) == Unusable(reason)


def test_fetch__where_nodes_disagree__measures_nothing_and_goes_on() -> None:
    token = address(0xA000)
    assert fetch(Node(Disagreement("a and b differ")), {token: [HOLDER]}) == {token: Unusable("a and b differ")}
