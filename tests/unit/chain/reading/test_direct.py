from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from keeper.chain.nodes.rpc import Disagreement, RpcError
from keeper.chain.nodes.sight import NOBODY
from keeper.chain.reading.direct import MOST_GAS, fetch_replies, revert_data
from keeper.core.abi import calldata
from keeper.core.chain import Read
from keeper.core.replies import ERROR, MOST, Reverted, TooLarge, parse_reply
from tests.builders import address, make_block

READ = Read(address(0xC0), calldata("checkUpkeep(bytes)", b""))
OTHER = Read(address(0xC1), b"\x01\x02\x03\x04")
SAID = ERROR + encode(["string"], ["not now"])


class Node:
    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = answers, list[tuple[str, list[Any]]]()

    def batch(self, requests: list[tuple[str, list[Any]]]) -> list[Any]:
        self.asked += requests
        return list(self.answers)


def reply(answer: Any) -> Any:
    found = fetch_replies(Node(answer), [READ], make_block())[READ]  # type: ignore[arg-type]
    return None if found is None else parse_reply(found)


def test_fetch__several__one_request_from_nobody_at_the_blocks_hash() -> None:
    node, block = Node("0x01", "0x02"), make_block()
    found = fetch_replies(node, [READ, OTHER], block)  # type: ignore[arg-type]
    assert [parse_reply(found[read] or b"") for read in (READ, OTHER)] == [b"\x01", b"\x02"]
    assert [params for _, params in node.asked] == [
        [
            {"from": NOBODY, "to": read.to, "data": "0x" + read.data.hex(), "gas": hex(MOST_GAS)},
            {"blockHash": block.hash},
        ]
        for read in (READ, OTHER)
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("0x", b""),
        ("0x" + "ff" * (MOST + 5), TooLarge()),
        (RpcError(3, "execution reverted", "0x" + SAID.hex()), Reverted(SAID)),
        (RpcError(-32000, "execution reverted", {"data": "0x" + SAID.hex()}), Reverted(SAID)),
        (RpcError(3, "execution reverted: hm"), Reverted(ERROR + encode(["string"], ["execution reverted: hm"]))),
        (RpcError(-32000, "out of gas"), Reverted(ERROR + encode(["string"], ["out of gas"]))),
        (RpcError(-32000, "header not found"), None),
        ("zz", None),
        (5, None),
    ],
)
def test_fetch__each_answer__is_kept_as_it_ended(answer: Any, expected: Any) -> None:
    assert reply(answer) == expected


def test_fetch__nodes_disagree_on_one__only_that_one_has_no_answer() -> None:
    class Divided(Node):
        def batch(self, requests: list[tuple[str, list[Any]]]) -> list[Any]:
            if any(params[0]["to"] == OTHER.to for _, params in requests):
                raise Disagreement("nodes disagree on eth_call")
            return ["0x01"] * len(requests)

    found = fetch_replies(Divided(), [READ, OTHER], make_block())  # type: ignore[arg-type]
    assert parse_reply(found[READ] or b"") == b"\x01"
    assert found[OTHER] is None


def test_revert_data__control_characters_of_a_node__are_made_harmless() -> None:
    assert b"\x1b" not in revert_data(RpcError(3, "revert \x1b[2J"))
