from __future__ import annotations

import re

import pytest
from eth_abi.abi import decode

from keeper.config.calls import MOST_BYTES, FunctionCall, hex_bytes
from keeper.config.fields import Wrong
from keeper.core.abi import calldata
from tests.builders import address

TO = address(0x70)


@pytest.mark.parametrize(
    ("function", "arguments", "values"),
    [
        ("harvest()", (), []),
        ("set(uint256,bool)", ("5", "true"), [5, True]),
        ("set(int8)", ("-5",), [-5]),
        ("say(string,address)", ("a b", TO), ["a b", TO]),
        ("put(bytes32,bytes)", ("0x" + "11" * 32, "0x00ff"), [b"\x11" * 32, b"\x00\xff"]),
        ("own(address)", ("0x" + "0" * 40,), ["0x" + "0" * 40]),
    ],
)
def test_call__function_and_arguments__are_their_calldata(
    function: str, arguments: tuple[str, ...], values: list[object]
) -> None:
    call = FunctionCall(function=function, arguments=arguments)
    assert call.calldata() == calldata(function, *values)
    assert (call.selector, call.text) == (call.calldata()[:4], function)


def test_call__data__is_taken_as_it_stands() -> None:
    call = FunctionCall.model_validate({"data": "0xdeadbeef00"})
    assert (call.calldata(), call.selector, call.text) == (
        bytes.fromhex("deadbeef00"),
        b"\xde\xad\xbe\xef",
        "0xdeadbeef",
    )


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({}, "a function, or data"),
        ({"function": "a()", "data": "0xdeadbeef"}, "a function, or data"),
        ({"data": "0xdead"}, "data with a selector"),
        ({"data": "0xdeadbeef", "arguments": ("1",)}, "data with a selector"),
        ({"function": "harvest"}, "a function such as"),
        ({"function": "harvest(uint)"}, "types in full"),
        ({"function": "harvest(uint256 amount)"}, "types without names"),
        ({"function": "harvest(uint7)"}, "types without names"),
        ({"function": "set(uint256)"}, "1 arguments for set(uint256)"),
        ({"function": "set(uint8)", "arguments": ("256",)}, "arguments that fit set(uint8)"),
        ({"function": "set(uint8)", "arguments": ("1.5",)}, "a value of type uint8"),
        ({"function": "set(bool)", "arguments": ("yes",)}, "a value of type bool"),
        ({"function": "set(bytes4)", "arguments": ("0xzz",)}, "a value of type bytes4"),
        (
            {"function": "set(address)", "arguments": (address(0xABCDEF).lower(),)},
            "an address with its EIP-55 checksum",
        ),
        ({"function": "set(uint256[])", "arguments": ("1",)}, "whole calldata as 0x… where"),
    ],
)
def test_call__that_is_none__says_what_was_expected(written: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        FunctionCall.model_validate(written)


def test_hex_bytes__more_than_a_person_writes__is_refused() -> None:
    with pytest.raises(Wrong, match="at most 10,000 bytes"):
        hex_bytes("0x" + "00" * (MOST_BYTES + 1), "bytes")


def test_calldata__list_argument_as_data__can_still_be_called() -> None:
    data = calldata("set(uint256[])", [1, 2])
    call = FunctionCall.model_validate({"data": "0x" + data.hex()})
    assert decode(["uint256[]"], call.calldata()[4:]) == ((1, 2),)
