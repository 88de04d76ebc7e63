"""JSON on its way out and in: parameters whose text is made once, and answers that must not exhaust us. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

MAX_DEPTH = 32
"""Nesting of an answer; honest ones have 6 or so."""


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_READER = json.JSONDecoder(parse_constant=_refuse_constant)
_WRITER = json.JSONEncoder(separators=(",", ":"))
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Written(list[Any]):
    """Parameters, and their JSON in pieces, as it goes out. A tick's calldata is that of the last one, and large:
    writing it again, or only copying it, would cost more than all else that is done for it."""

    __slots__ = ("pieces",)

    def __init__(self, values: Iterable[Any], pieces: Iterable[bytes]) -> None:
        super().__init__(values)
        self.pieces = pieces


def write(body: Any) -> list[bytes]:
    """A JSON-RPC body, or any other, in pieces."""
    if not isinstance(body, list):
        return [*_one(body)]
    pieces = [b"["]
    for call in body:
        pieces += _one(call)
        pieces.append(b",")
    pieces[-1] = b"]" if body else b"[]"
    return pieces


def _one(call: Any) -> Iterator[bytes]:
    params = call.get("params") if isinstance(call, dict) else None
    if not isinstance(params, Written):
        yield text(call)
        return
    yield text({key: value for key, value in call.items() if key != "params"})[:-1] + b',"params":'
    yield from params.pieces
    yield b"}"


def text(value: Any) -> bytes:
    return _WRITER.encode(value).encode()


def parse(data: bytes | bytearray) -> Any:
    """None where the bytes are no JSON, or nest too deep."""
    if not _is_shallow(data):
        return None
    try:
        return _READER.decode(data.decode())
    except (ValueError, RecursionError):
        return None


def _has_few(data: bytes | bytearray, bracket: bytes) -> bool:
    """At most half of what may nest. To look for the next one is ten times faster than to count them all."""
    at = -1
    for _ in range(MAX_DEPTH // 2 + 1):
        at = data.find(bracket, at + 1)
        if at < 0:
            return True
    return False


def _is_shallow(data: bytes | bytearray) -> bool:
    """Whether brackets nest no deeper than MAX_DEPTH.

    Python's JSON scanner recurses on the C stack up to the recursion limit, which libraries raise: 100,000 brackets
    from a hostile node would end the process.
    """
    if _has_few(data, b"[") and _has_few(data, b"{"):
        return True  # as a packed answer is: one long text in a few brackets
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets
