"""Roles v2 in small: whether it would take a list of conditions at all, and what a call then meets.

Written after the contract's own words (Types.sol, Integrity.sol, PermissionChecker.sol), not after our encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi.abi import decode, encode

from keeper.core.abi import arguments
from keeper.core.units import Address
from keeper.custody.scopes import SCOPE_FUNCTION

Flat = tuple[int, int, int, bytes]
"""{parent, type, operator, value}"""
NONE, STATIC, DYNAMIC, TUPLE, ARRAY, CALLDATA = range(6)
PASS, AND, OR, MATCHES, EVERY, AVATAR, EQUAL, MASK, WITHIN = 0, 1, 2, 5, 7, 15, 16, 21, 28


def conditions_of(call: bytes) -> list[Flat]:
    *_, flat, options = arguments(SCOPE_FUNCTION, call)
    assert options == 0, "neither coin nor delegatecall"
    return [tuple(each) for each in flat]


def is_sound(flat: Sequence[Flat]) -> bool:
    """Integrity: one root, level by level, and each node fits its type."""
    parents = [parent for parent, *_ in flat]
    if parents[0] != 0 or parents != sorted(parents) or any(p >= i for i, p in enumerate(parents) if i):
        return False
    for index, (_, kind, operator, value) in enumerate(flat):
        children = [flat[i] for i in _children(flat, index)]
        fits = {
            PASS: not value,
            AND: kind == NONE and len(children) > 0 and not value,
            OR: kind == NONE and len(children) > 0 and not value,
            MATCHES: kind in (TUPLE, CALLDATA) and len(children) > 0 and not value,
            EVERY: kind == ARRAY and len(children) == 1 and not value,
            AVATAR: kind == STATIC and not value,
            EQUAL: kind == STATIC and len(value) == 32,
            MASK: kind in (STATIC, DYNAMIC) and len(value) == 32,
            WITHIN: kind == STATIC and len(value) == 32,
        }
        if not fits[operator] or (kind in (STATIC, DYNAMIC) and children):
            return False
        if operator in (AND, OR) and not _alike(flat, _children(flat, index)):
            return False
    return _typed(flat, 0)[0] == CALLDATA


def _children(flat: Sequence[Flat], index: int) -> list[int]:
    return [i for i, (parent, *_) in enumerate(flat) if parent == index and i]


def _typed(flat: Sequence[Flat], index: int) -> tuple[Any, ...]:
    """The shape of what stands here; alternatives have that of the first."""
    _, kind, _, _ = flat[index]
    children = _children(flat, index)
    if kind == NONE:
        return _typed(flat, children[0])
    return (kind, *(_typed(flat, child) for child in children))


def _alike(flat: Sequence[Flat], children: Sequence[int]) -> bool:
    """A call among bytes may stand before plain bytes; else all are of one shape."""
    first, *rest = (_typed(flat, child) for child in children)
    return all(each == first or (first[0] == CALLDATA and each == (DYNAMIC,)) for each in rest)


def _abi(shape: tuple[Any, ...]) -> str:
    kind, *parts = shape
    if kind == STATIC:
        return "bytes32"
    if kind == TUPLE:
        return f"({','.join(map(_abi, parts))})"
    return f"{_abi(parts[0])}[]" if kind == ARRAY else "bytes"


def is_allowed(flat: Sequence[Flat], data: bytes, safe: Address, left: Mapping[bytes, int] | None = None) -> bool:
    """`left` {raw} is what each allowance still has."""
    return _meets(flat, 0, data, encode(["address"], [safe]), left or {})


def _meets(flat: Sequence[Flat], index: int, value: Any, safe: bytes, left: Mapping[bytes, int]) -> bool:
    _, kind, operator, wanted = flat[index]
    children = _children(flat, index)
    if operator in (AND, OR):
        found = [_meets(flat, child, value, safe, left) for child in children]
        return all(found) if operator == AND else any(found)
    if operator == MATCHES:
        parts = value
        if kind == CALLDATA:
            parts = decode([_abi(_typed(flat, child)) for child in children], value[4:])
        return all(_meets(flat, child, part, safe, left) for child, part in zip(children, parts, strict=True))
    if operator == EVERY:
        return all(_meets(flat, children[0], each, safe, left) for each in value)
    if operator == MASK:
        at, mask, expected = int.from_bytes(wanted[:2], "big"), wanted[2:17], wanted[17:]
        piece = value[at : at + 15].ljust(15, b"\0")
        return bytes(a & b for a, b in zip(piece, mask, strict=True)) == expected
    if operator == WITHIN:
        return int.from_bytes(value, "big") <= left.get(wanted, 0)
    return bool(value == {EQUAL: wanted, AVATAR: safe}.get(operator, value))
