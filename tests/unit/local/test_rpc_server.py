"""The framing of JSON-RPC; sockets are in tests/chain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keeper.local.node_error import NodeError
from keeper.local.rpc_server import respond


def answer(method: str, params: list[Any]) -> Any:
    if method == "fail":
        raise NodeError(3, "execution reverted", "0x01")
    return [method, *params]


def ask(body: Any) -> Any:
    return respond(answer, json.dumps(body).encode())


def test_request__when_single__then_an_object_with_its_id() -> None:
    assert ask({"jsonrpc": "2.0", "id": 7, "method": "m", "params": [1]}) == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": ["m", 1],
    }


def test_batch__when_one_fails__then_the_others_answer_in_order() -> None:
    found = ask([{"id": 1, "method": "a"}, {"id": 2, "method": "fail"}, {"id": 3, "method": "b"}])

    assert [one["id"] for one in found] == [1, 2, 3]
    assert found[1]["error"] == {"code": 3, "message": "execution reverted", "data": "0x01"}
    assert found[2]["result"] == ["b"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", -32700),
        (b"[]", -32600),
        (b"5", -32600),
        (b'{"id": 1}', -32600),
        (b'{"id": 1, "method": "m", "params": {}}', -32600),
        (json.dumps([{"id": i, "method": "m"} for i in range(1_001)]).encode(), -32600),
    ],
)
def test_request__when_malformed__then_an_error_and_no_answer(body: bytes, code: int) -> None:
    assert respond(answer, body)["error"]["code"] == code
