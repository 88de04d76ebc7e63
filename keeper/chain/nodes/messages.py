"""JSON-RPC as text: requests with fresh ids, answers matched to them, errors however they are written. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keeper.chain.nodes.transport import TransportFault
from keeper.core.errors import TransientError

Request = tuple[str, list[Any]]
"""Method and parameters."""

Hide = Callable[[str], str]
"""Makes a node's words fit for a log."""


class RpcError(TransientError):
    """A node answered with an error. `code` is whatever it sent: codes clash between clients, and some are strings."""

    def __init__(self, code: int | str | None, message: str, data: Any = None) -> None:
        super().__init__(f"{message} (code {code})" if code is not None else message)
        self.code, self.message, self.data = code, message, data


def bodies(requests: Sequence[Request], ids: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in zip(ids, requests, strict=True)
    ]


def answers_of(answer: Any, ids: Sequence[int], label: str, hide: Hide) -> list[Any]:
    """The results of a batch in the order of `ids`, each id exactly once. Raises TransportFault."""
    if isinstance(answer, dict):
        # A node that refuses the batch as a whole says so once, with a null id.
        refusal = _error(answer, hide)
        if refusal is None or answer.get("id") is not None:
            raise TransportFault(f"{label}: expected {len(ids)} answers, found one object")
        return [refusal] * len(ids)
    by_id = {item["id"]: item for item in answer if isinstance(item, dict) and type(item.get("id")) is int}
    if len(answer) != len(ids) or by_id.keys() != set(ids):
        raise TransportFault(f"{label}: batch ids: expected {len(ids)} known ones once each, found others")
    return [result_of(by_id[number], number, label, hide) for number in ids]


def result_of(answer: Any, expected: int, label: str, hide: Hide) -> Any:
    """A result, None for null, or an RpcError value. Raises TransportFault where this is no answer to `expected`."""
    if not isinstance(answer, dict):
        raise TransportFault(f"{label}: expected one answer, found a list")
    error = _error(answer, hide)
    number = answer.get("id")
    # A node that could not read the request answers with a null id (JSON-RPC 2.0, section 5).
    if not (type(number) is int and number == expected) and not (error is not None and number is None):
        raise TransportFault(f"{label}: answer id: expected {expected}, was another")
    if error is not None:
        return error
    if "result" not in answer:
        raise TransportFault(f"{label}: answer has neither result nor error")
    return answer["result"]


def _error(answer: dict[str, Any], hide: Hide) -> RpcError | None:
    """The error of an answer, however it is written: an object with or without code, or a bare string."""
    error = answer.get("error")
    if error is None:
        return None
    if not isinstance(error, dict):
        return RpcError(None, hide(str(error)))
    code = error.get("code")
    message = error.get("message")
    return RpcError(
        code if type(code) in (int, str) else None,
        hide(message if isinstance(message, str) and message else "error without a message"),
        error.get("data"),
    )
