"""A contract call with places for what changes, as a person writes it: its function, and its arguments in one line.

    function:  rebalance((address,bytes,address,uint256,address,uint256)[],uint256)
    arguments: [({target}, {data}, {sell}, {sell_amount}, {buy}, {min_out})], {deadline}

`[…]` is an array, whose one item is repeated for each swap. `(…)` is a tuple. All else stands as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode, is_encodable_type
from eth_abi.exceptions import ABITypeError, DecodingError, EncodingError, ParseError
from eth_abi.grammar import ABIType, BasicType, TupleType, parse
from eth_utils.address import to_checksum_address

from keeper.core.abi import selector
from keeper.core.units import Address

PLACES = ("target", "data", "sell", "sell_amount", "buy", "min_out")
"""Of each swap: who is called with what, raw amounts, tokens."""
DEADLINE = "deadline"
"""Unix seconds, once for all of them."""
REBALANCE = "rebalance((address,bytes,address,uint256,address,uint256)[],uint256)"
REBALANCE_ARGUMENTS = f"[({', '.join(f'{{{name}}}' for name in PLACES)})], {{{DEADLINE}}}"
"""Of our reference vault (contracts/ReferenceVault.sol)."""

_TOKEN = re.compile(r"\s*(\{\w*\}|[][(),]|[^\s\[\](){},]+)")
_ENDS = {"[": "]", "(": ")"}

Values = Mapping[str, str | bytes | int]
"""Of one swap, by place."""
Item = str | tuple[str, tuple["Item", ...]]
"""A place or a constant; or `[` or `(` with what is inside."""


@dataclass(frozen=True, slots=True)
class CallTemplate:
    """One function with the shape of its arguments. `make_template` checks it; without that nothing is promised."""

    signature: str
    arguments: tuple[Item, ...]
    types: tuple[ABIType, ...]

    @property
    def selector(self) -> bytes:
        return selector(self.signature)

    def encode(self, swaps: Sequence[Values], deadline: int) -> bytes:
        """Calldata. Raises ValueError where a value does not fit its type."""
        pairs = zip(self.types, self.arguments, strict=True)
        values = [_fill(kind, item, swaps, {DEADLINE: deadline}) for kind, item in pairs]
        try:
            return self.selector + encode([_type(kind) for kind in self.types], values)
        except EncodingError as error:
            raise ValueError(str(error)) from None

    def decode(self, data: bytes) -> tuple[list[Values], int | None] | str:
        """The swaps and the deadline (None where the template has none), or why these bytes are no such call."""
        if data[:4] != self.selector:
            return f"selector: expected 0x{self.selector.hex()}, was 0x{data[:4].hex()}"
        try:
            found = decode([_type(kind) for kind in self.types], data[4:])
            swaps: list[dict[str, Any]] = []
            once: dict[str, Any] = {}
            for kind, item, value in zip(self.types, self.arguments, found, strict=True):
                _read(kind, item, value, swaps, once)
            again = self.encode(swaps, once.get(DEADLINE, 0))
        except (DecodingError, OverflowError, ValueError) as error:
            return f"no call of {self.signature.partition('(')[0]} as configured: {error}"
        return (list(swaps), once.get(DEADLINE)) if again == data else "calldata is not what the template writes"


def argument_types(signature: str) -> tuple[ABIType, ...] | None:
    """Of a function such as `pay(address,uint256)`; None where it is written in another way."""
    if not re.fullmatch(r"[A-Za-z_]\w*\(\S+\)", signature):
        return None
    try:
        inside = parse(signature[signature.index("(") :])
        known = is_encodable_type(_type(inside))
    except (ParseError, ABITypeError):
        return None
    return tuple(inside.components) if known and isinstance(inside, TupleType) and not inside.is_array else None


def make_template(signature: str, arguments: str) -> CallTemplate | str:
    """The template, or what is wrong with it, in words that follow "expected"."""
    types = argument_types(signature)
    if types is None:
        return "a function such as rebalance((address,bytes)[],uint256)"
    items = _parse(arguments)
    if isinstance(items, str):
        return items
    if len(items) != len(types):
        return f"{len(types)} arguments, as the function has, not {len(items)}"
    template = CallTemplate(signature, items, types)
    return _problem(template) or template


def _problem(template: CallTemplate) -> str:
    """Tries the template with two swaps, and sees whether they come back."""
    names = [name for item in template.arguments for name in _names(item)]
    if unknown := [name for name in names if name not in (*PLACES, DEADLINE)]:
        known = ", ".join(f"{{{name}}}" for name in (*PLACES, DEADLINE))
        return f"only the places {known}, not {{{unknown[0]}}}"
    if missing := [name for name in PLACES[:2] if name not in names]:
        return f"a place {{{missing[0]}}}, without which no swap is made"
    try:
        data = template.encode(_SAMPLES, _SAMPLE_DEADLINE)
    except ValueError as error:
        return f"arguments that fit the function: {error}"[:200]
    swaps = [{name: sample[name] for name in PLACES if name in names} for sample in _SAMPLES]
    deadline = _SAMPLE_DEADLINE if DEADLINE in names else None
    return "" if template.decode(data) == (swaps, deadline) else "each swap's places together in one array of swaps"


_SAMPLE_DEADLINE = 1_700_000_000
_SAMPLES: tuple[dict[str, str | bytes | int], ...] = tuple(
    {
        "target": Address(to_checksum_address(bytes([n]) * 20)),
        "data": bytes([n]) * 36,
        "sell": Address(to_checksum_address(bytes([n + 1]) * 20)),
        "sell_amount": 10**24 + n,
        "buy": Address(to_checksum_address(bytes([n + 2]) * 20)),
        "min_out": 10**23 + n,
    }
    for n in (17, 34)
)

# --- the line of arguments -------------------------------------------------------------------------------------------


def _parse(text: str) -> tuple[Item, ...] | str:
    tokens, place = [], 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if not found:
            return f"names in braces such as {{target}} at {text[place:].strip()[:20]!r}"
        tokens.append(found[1])
        place = found.end()
    try:
        items = _items(tokens, "")
    except (IndexError, ValueError):
        items = ()
    return items if items and not tokens else "items in pairs of brackets, with commas between them"


def _items(tokens: list[str], end: str) -> tuple[Item, ...]:
    """Takes items off the front, as far as `end`. Raises IndexError or ValueError where they are not in order."""
    found: list[Item] = []
    while True:
        token = tokens.pop(0)
        if token in _ENDS:
            found.append((token, _items(tokens, _ENDS[token])))
        elif token in (",", *_ENDS.values()):
            raise ValueError(token)
        else:
            found.append(token)
        if not tokens and not end:
            return tuple(found)
        following = tokens.pop(0)
        if following == end:
            return tuple(found)
        if following != ",":
            raise ValueError(following)


def _type(kind: ABIType) -> str:
    return str(kind.to_type_str())  # type: ignore[no-untyped-call]


def _names(item: Item) -> list[str]:
    if isinstance(item, str):
        return [item[1:-1]] if item.startswith("{") else []
    return [name for each in item[1] for name in _names(each)]


# --- filling and reading ---------------------------------------------------------------------------------------------


def _repeats(item: Item) -> bool:
    """An array whose one item speaks of a swap."""
    return not isinstance(item, str) and item[0] == "[" and len(item[1]) == 1 and bool({*_names(item)} & {*PLACES})


def _fill(kind: ABIType, item: Item, swaps: Sequence[Values], known: Values) -> Any:
    """The value of this type. Raises ValueError where shapes differ, or a place is not known here."""
    if isinstance(item, str):
        return _known(item[1:-1], known) if item.startswith("{") else _constant(kind, item)
    if _repeats(item) and kind.is_array and "target" not in known:
        return [_fill(kind.item_type, item[1][0], swaps, {**known, **swap}) for swap in swaps]
    return [_fill(inner, each, swaps, known) for inner, each in _inside(kind, item)]


def _known(name: str, known: Values) -> str | bytes | int:
    if name not in known:
        raise ValueError(f"{{{name}}} stands outside of an array of swaps")
    return known[name]


def _read(kind: ABIType, item: Item, value: Any, swaps: list[dict[str, Any]] | None, known: dict[str, Any]) -> None:
    """The other way: puts what stands in the places into `swaps` (None inside of one) and `known`. Raises ValueError
    where shapes differ."""
    if isinstance(item, str):
        if item.startswith("{"):
            known[item[1:-1]] = to_checksum_address(value) if _type(kind) == "address" else value
        return
    if _repeats(item) and kind.is_array and swaps is not None:
        if not swaps:
            swaps.extend({} for _ in value)
        for swap, each in zip(swaps, value, strict=True):
            _read(kind.item_type, item[1][0], each, None, swap)
        return
    for (inner, each), one in zip(_inside(kind, item), value, strict=True):
        _read(inner, each, one, swaps, known)


def _inside(kind: ABIType, item: tuple[str, tuple[Item, ...]]) -> list[tuple[ABIType, Item]]:
    bracket, items = item
    if kind.is_array and bracket == "[":
        return [(kind.item_type, each) for each in items]
    if isinstance(kind, TupleType) and not kind.is_array and bracket == "(":
        return list(zip(kind.components, items, strict=True))
    raise ValueError(f"{_type(kind)} is not written in {bracket}{_ENDS[bracket]}")


def _constant(kind: ABIType, text: str) -> Any:
    if not isinstance(kind, BasicType) or kind.is_array:
        raise ValueError(f"{_type(kind)} is not {text}")
    match kind.base:
        case "uint" | "int":
            return int(text, 0)
        case "bool" if text in ("true", "false"):
            return text == "true"
        case "address" | "bytes" if text.startswith("0x"):
            return text if kind.base == "address" else bytes.fromhex(text[2:])
    raise ValueError(f"{_type(kind)} is not {text}")
