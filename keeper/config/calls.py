"""A contract call as it is written: `harvest()`, a function with arguments, or whole calldata."""

from __future__ import annotations

import re
from typing import Annotated, Any

from eth_abi.exceptions import ABITypeError, ParseError
from eth_abi.grammar import normalize, parse
from eth_utils.address import to_checksum_address
from pydantic import BeforeValidator, PlainValidator, model_validator

from keeper.config.fields import Part, Text, Written, Wrong, parse_address
from keeper.core.abi import calldata, selector

_SIGNATURE = re.compile(r"(?P<name>[A-Za-z_$][\w$]*)(?P<types>\(.*\))", re.ASCII)
_EXAMPLE = "a function such as harvest() or rebalance(uint256,address)"
MOST_BYTES = 10_000
"""Of calldata that a person wrote."""


def _signature(value: Any) -> str:
    found = _SIGNATURE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise Wrong(_EXAMPLE)
    types = found["types"]
    if normalize(types) != types:  # type: ignore[no-untyped-call]
        raise Wrong(f"{_EXAMPLE}: types in full, such as uint256")
    try:
        for kind in [] if types == "()" else parse(types).components:
            kind.validate()
    except (ParseError, ABITypeError):
        raise Wrong(f"{_EXAMPLE}: types without names and blanks") from None
    return str(value)


def hex_bytes(text: str, expected: str) -> bytes:
    """`0x00ff`. Raises Wrong."""
    try:
        if not text.startswith("0x"):
            raise ValueError(text)
        data = bytes.fromhex(text[2:])
    except ValueError:
        raise Wrong(expected) from None
    if len(data) > MOST_BYTES:
        raise Wrong(f"at most {MOST_BYTES:,} bytes", f"{len(data):,}")
    return data


def _data(value: Any) -> bytes:
    return hex_bytes(value if isinstance(value, str) else "", "bytes such as 0x00ff")


Signature = Annotated[str, PlainValidator(_signature)]
Data = Annotated[bytes, PlainValidator(_data), Written(lambda data: f"0x{data.hex()}")]


class FunctionCall(Part):
    """One call: a function and the values of its arguments, or its whole calldata."""

    function: Signature | None = None
    arguments: tuple[Text, ...] = ()
    data: Data | None = None

    @model_validator(mode="after")
    def _one_way(self) -> FunctionCall:
        if (self.function is None) == (self.data is None):
            raise Wrong("a function, or data", "both" if self.function else "neither")
        if self.data is not None and (self.arguments or len(self.data) < 4):
            raise Wrong("data with a selector, and no arguments", "arguments" if self.arguments else "too few bytes")
        self.calldata()
        return self

    def calldata(self) -> bytes:
        """Raises Wrong where the arguments do not fit the function."""
        if self.function is None:
            assert self.data is not None, "checked above"
            return self.data
        kinds = _types(self.function)
        if len(kinds) != len(self.arguments):
            raise Wrong(f"{len(kinds)} arguments for {self.function}", str(len(self.arguments)))
        values = [_value(kind, text) for kind, text in zip(kinds, self.arguments, strict=True)]
        try:
            return calldata(self.function, *values)
        except Exception as error:  # noqa: BLE001  eth-abi raises many kinds, and all say the same
            raise Wrong(f"arguments that fit {self.function}", type(error).__name__) from None

    @property
    def selector(self) -> bytes:
        return selector(self.function) if self.function else self.calldata()[:4]

    @property
    def text(self) -> str:
        """For people: `checker()`, or the selector where only data is given."""
        return self.function or f"0x{self.selector.hex()}"


def _types(signature: str) -> list[str]:
    types = signature[signature.index("(") :]
    return [] if types == "()" else [kind.to_type_str() for kind in parse(types).components]


def _value(kind: str, text: str) -> Any:
    """Raises Wrong."""
    expected = f"a value of type {kind}"
    if kind == "address":
        return to_checksum_address("0x" + "0" * 40) if text == "0x" + "0" * 40 else parse_address(text)
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "string":
        return text
    if re.fullmatch(r"bytes\d*", kind):
        return hex_bytes(text, expected)
    if re.fullmatch(r"u?int\d+", kind) and re.fullmatch(r"-?\d+", text, re.ASCII):
        return int(text)
    if kind.endswith(("]", ")")):
        raise Wrong("whole calldata as 0x… where a function takes lists or structs", kind)
    raise Wrong(expected, text)


def _short(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return {"data" if value.startswith("0x") else "function": value}


Call = Annotated[FunctionCall, BeforeValidator(_short)]
"""`harvest()` or `0x…` stand for the mapping."""
