"""Several calls in one, and back from bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.abi import calldata
from keeper.core.calls import Inner
from keeper.custody.multi_send import CALL, DELEGATECALL, MULTI_SEND, Operation, bundle, unbundle
from tests.builders import address

BATCHER = address(0xBA7C)
ONE: Inner = (address(1), 0, b"\x01\x02\x03\x04")
TWO: Inner = (address(2), 7, b"")
INNER = st.tuples(st.integers(1, 2**160 - 1).map(address), st.integers(0, 2**256 - 1), st.binary(max_size=70))


def test_bundle__one_call__is_made_directly() -> None:
    assert bundle([ONE], BATCHER) == Operation(address(1), 0, b"\x01\x02\x03\x04", CALL)


def test_bundle__several__are_packed_for_a_delegatecall_without_coin() -> None:
    operation = bundle([ONE, TWO], BATCHER)
    assert (operation.to, operation.value, operation.kind) == (BATCHER, 0, DELEGATECALL)
    first = b"\x00" + bytes(19) + b"\x01" + bytes(32) + (4).to_bytes(32, "big") + b"\x01\x02\x03\x04"
    second = b"\x00" + bytes(19) + b"\x02" + (7).to_bytes(32, "big") + bytes(32)
    assert operation.data == calldata(MULTI_SEND, first + second)


@given(st.lists(INNER, min_size=1, max_size=6))
def test_unbundle__whatever_was_bundled__comes_back(calls: list[Inner]) -> None:
    assert unbundle(bundle(calls, BATCHER), BATCHER) == tuple(calls)


@given(st.lists(INNER, min_size=2, max_size=3), st.data())
def test_unbundle__one_byte_changed__says_something_else_or_nothing(calls: list[Inner], data: st.DataObject) -> None:
    operation = bundle(calls, BATCHER)
    at = data.draw(st.integers(0, len(operation.data) - 1))
    spoiled = bytearray(operation.data)
    spoiled[at] ^= data.draw(st.integers(1, 255))
    assert unbundle(replace(operation, data=bytes(spoiled)), BATCHER) != tuple(calls)


PACKED_DELEGATECALL = b"\x01" + bytes(84)


@pytest.mark.parametrize(
    ("spoiled", "expected"),
    [
        ({"to": address(0xBAD)}, "operation: expected a call, or a delegatecall of"),
        ({"kind": 2}, "operation: expected a call"),
        ({"value": 1}, "not in the form"),
        ({"data": calldata("multiSend(string)", "")}, "selector: expected 0x8d80ff0a"),
        ({"data": calldata(MULTI_SEND, PACKED_DELEGATECALL)}, "not in the form"),
        ({"data": calldata(MULTI_SEND, bytes(60))}, "cut short at byte 0"),
        ({"data": calldata(MULTI_SEND, bytes(84) + b"\x01")}, "cut short at byte 0"),
        ({"data": calldata(MULTI_SEND, b"")}, "not in the form"),
        ({"data": calldata(MULTI_SEND, bytes(85)) + b"\0"}, "canonical"),
    ],
)
def test_unbundle__anything_that_bundle_does_not_write__is_refused(spoiled: dict[str, object], expected: str) -> None:
    found = unbundle(replace(bundle([ONE, TWO], BATCHER), **spoiled), BATCHER)  # type: ignore[arg-type]
    assert isinstance(found, str) and expected in found
