from __future__ import annotations

from fractions import Fraction

import pytest

from keeper.core.abi import calldata
from keeper.guards.swaps import MULTICALL, V2_SWAP, V2_SWAP02, V3_SWAP, V3_SWAP02, Swap, decode_swap
from tests.builders import ACCOUNT, NOW, USDC, WETH

TOKENS = (WETH.address, USDC.address)
SINGLE = calldata(V3_SWAP, (*TOKENS, 500, ACCOUNT, NOW, 7, 5, 0))
SINGLE02 = calldata(V3_SWAP02, (*TOKENS, 500, ACCOUNT, 7, 5, 0))
PLAIN = Swap(TOKENS, 7, 5, ACCOUNT, NOW, Fraction(1, 2000))


def test_selectors__known_functions__are_the_published_ones() -> None:
    published = {V2_SWAP: "38ed1739", V3_SWAP: "414bf389", V3_SWAP02: "04e45aaf", MULTICALL: "5ae401dc"}
    for signature, expected in published.items():
        types = {V2_SWAP: (7, 5, list(TOKENS), ACCOUNT, NOW), MULTICALL: (NOW, [b""])}
        single = {V3_SWAP: SINGLE, V3_SWAP02: SINGLE02}
        data = single[signature] if signature in single else calldata(signature, *types[signature])
        assert data[:4].hex() == expected


def test_decode__v2__has_no_fee() -> None:
    data = calldata(V2_SWAP, 7, 5, list(TOKENS), ACCOUNT, NOW)
    assert decode_swap("v2_router", data) == Swap(TOKENS, 7, 5, ACCOUNT, NOW, None)


def test_decode__v2_through_the_multicall_router__takes_its_deadline() -> None:
    inner = calldata(V2_SWAP02, 7, 5, list(TOKENS), ACCOUNT)
    assert decode_swap("swap_router02", calldata(MULTICALL, NOW, [inner])) == Swap(TOKENS, 7, 5, ACCOUNT, NOW, None)


def test_decode__both_v3_generations__say_the_same() -> None:
    assert decode_swap("swap_router", SINGLE) == PLAIN
    assert decode_swap("swap_router02", calldata(MULTICALL, NOW, [SINGLE02])) == PLAIN


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("swap_router02", SINGLE02, "selector: expected 0x5ae401dc, found 0x04e45aaf"),
        ("swap_router02", calldata(MULTICALL, NOW, []), "expected 1 call inside, found 0"),
        ("swap_router02", calldata(MULTICALL, NOW, [SINGLE02, SINGLE02]), "expected 1 call inside, found 2"),
        ("swap_router02", calldata(MULTICALL, NOW, [SINGLE]), "selector: expected 0x04e45aaf"),
        ("swap_router", calldata(V3_SWAP, (*TOKENS, 500, ACCOUNT, NOW, 7, 5, 9)), "price limit: expected 0, was 9"),
        ("swap_router", b"", "selector: expected 0x414bf389, found 0x"),
        ("swap_router", SINGLE[:-32], "bytes"),
        ("swap_router", SINGLE + bytes(32), "canonical"),
        ("curve", SINGLE, "no router of kind curve is known"),
    ],
)
def test_decode__anything_else__says_what_was_expected(kind: str, data: bytes, expected: str) -> None:
    found = decode_swap(kind, data)
    assert isinstance(found, str)
    assert expected in found


@pytest.mark.parametrize("figure", [2**256 - 1, 2**255, 2**64, 2**63 - 1])
def test_decode__a_length_beyond_any_memory__is_refused(figure: int) -> None:
    data = calldata(MULTICALL, NOW, [SINGLE02])
    at = 4 + 32 * 4  # after deadline, offset, count and the first one's offset
    assert isinstance(decode_swap("swap_router02", data[:at] + figure.to_bytes(32, "big") + data[at + 32 :]), str)
