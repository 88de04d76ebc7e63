from typing import Any

import pytest

from keeper.chain.nodes.messages import RpcError, answers_of, bodies, result_of
from keeper.chain.nodes.transport import TransportFault


def plain(text: str) -> str:
    return text


def test_bodies__of_requests__carry_their_ids() -> None:
    assert bodies([("a", [1]), ("b", [])], [7, 8]) == [
        {"jsonrpc": "2.0", "id": 7, "method": "a", "params": [1]},
        {"jsonrpc": "2.0", "id": 8, "method": "b", "params": []},
    ]


@pytest.mark.fault("R11")
def test_answers__in_another_order__are_matched_by_id() -> None:
    said = [{"id": 8, "result": "b"}, {"id": 7, "result": None}]
    assert answers_of(said, [7, 8], "n", plain) == [None, "b"]


@pytest.mark.fault("R11")
@pytest.mark.parametrize(
    "said",
    [
        [{"id": 7, "result": 1}],
        [{"id": 7, "result": 1}, {"id": 7, "result": 2}],
        [{"id": 7, "result": 1}, {"id": True, "result": 2}],
        [{"id": 7, "result": 1}, {"id": "8", "result": 2}],
        [{"id": 7, "result": 1}, {"id": 8}],
        {"id": 7, "result": 1},
        {"id": 7, "error": {"message": "no"}},
    ],
)
def test_answers__that_do_not_fit_their_ids__are_none(said: Any) -> None:
    with pytest.raises(TransportFault, match=r"^n: "):
        answers_of(said, [7, 8], "n", plain)


@pytest.mark.fault("R11")
@pytest.mark.parametrize("number", [6, 8, "7", True, None])
def test_result__of_another_request__is_none(number: Any) -> None:
    with pytest.raises(TransportFault, match="answer id: expected 7"):
        result_of({"id": number, "result": "0x1"}, 7, "n", plain)


@pytest.mark.fault("R13")
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"code": "E1", "message": "no"}, "E1", "no"),
        ({"message": "no"}, None, "no"),
        ({"code": True, "message": 1}, None, "error without a message"),
        ("words", None, "words"),
        ([1], None, "[1]"),
    ],
)
def test_result__with_an_error_of_any_shape__is_an_error_value(error: Any, code: Any, message: str) -> None:
    found = result_of({"id": 1, "error": error}, 1, "n", plain)
    assert isinstance(found, RpcError)
    assert (found.code, found.message) == (code, message)
    assert result_of({"id": 1, "error": None, "result": 5}, 1, "n", plain) == 5
