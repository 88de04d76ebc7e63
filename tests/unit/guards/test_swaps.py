from __future__ import annotations

from fractions import Fraction

import pytest

from keeper.core.abi import calldata, selector
from keeper.core.pools import Router
from keeper.guards.swaps import (
    DEPOSIT,
    MULTICALL,
    PLAIN_MULTICALL,
    REDEEM,
    SLIPSTREAM_SWAP,
    V2_SWAP,
    V2_SWAP02,
    V3_PATH,
    V3_PATH02,
    V3_SWAP,
    V3_SWAP02,
    Swap,
    decode_swap,
    decode_swaps,
)
from tests.builders import ACCOUNT, DAI, NOW, USDC, WETH, address

TOKENS = (WETH.address, USDC.address)
SINGLE = calldata(V3_SWAP, (*TOKENS, 500, ACCOUNT, NOW, 7, 5, 0))
SINGLE02 = calldata(V3_SWAP02, (*TOKENS, 500, ACCOUNT, 7, 5, 0))
PLAIN = Swap(TOKENS, 7, 5, ACCOUNT, NOW, (Fraction(1, 2000),))


def only(kind: str, data: bytes) -> Swap | str:
    """The one swap that a router of this kind would make."""
    return decode_swap(Router(kind, address(0x9001)), data)


@pytest.mark.parametrize(
    ("signature", "published"),
    [
        (V2_SWAP, "38ed1739"),
        (V2_SWAP02, "472b43f3"),
        (V3_SWAP, "414bf389"),
        (V3_SWAP02, "04e45aaf"),
        (V3_PATH, "c04b8d59"),
        (V3_PATH02, "b858183f"),
        (SLIPSTREAM_SWAP, "a026383e"),
        (MULTICALL, "5ae401dc"),
        (PLAIN_MULTICALL, "ac9650d8"),
        (DEPOSIT, "6e553f65"),
        (REDEEM, "ba087652"),
    ],
)
def test_selectors__known_functions__are_the_published_ones(signature: str, published: str) -> None:
    assert selector(signature).hex() == published


def test_decode__v2__has_no_fee() -> None:
    data = calldata(V2_SWAP, 7, 5, list(TOKENS), ACCOUNT, NOW)
    assert only("v2_router", data) == Swap(TOKENS, 7, 5, ACCOUNT, NOW)


def test_decode__v2_through_the_multicall_router__takes_its_deadline() -> None:
    inner = calldata(V2_SWAP02, 7, 5, list(TOKENS), ACCOUNT)
    assert only("swap_router02", calldata(MULTICALL, NOW, [inner])) == Swap(TOKENS, 7, 5, ACCOUNT, NOW)


def test_decode__both_v3_generations__say_the_same() -> None:
    assert only("swap_router", SINGLE) == PLAIN
    assert only("swap_router02", calldata(MULTICALL, NOW, [SINGLE02])) == PLAIN


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("swap_router02", SINGLE02, "selector: expected 0x5ae401dc, found 0x04e45aaf"),
        ("swap_router02", calldata(MULTICALL, NOW, []), "expected 1 call or more inside, found 0"),
        ("swap_router02", calldata(MULTICALL, NOW, [SINGLE02, SINGLE02]), "expected 1 call inside, found 2"),
        ("swap_router02", calldata(MULTICALL, NOW, [SINGLE]), "selector: expected 0x04e45aaf"),
        ("swap_router", calldata(V3_SWAP, (*TOKENS, 500, ACCOUNT, NOW, 7, 5, 9)), "price limit: expected 0, was 9"),
        ("swap_router", b"", "selector: expected 0x414bf389, found 0x"),
        ("swap_router", SINGLE[:-32], "bytes"),
        ("swap_router", SINGLE + bytes(32), "canonical"),
        ("nowhere", SINGLE, "no router of kind nowhere is known"),
    ],
)
def test_decode__anything_else__says_what_was_expected(kind: str, data: bytes, expected: str) -> None:
    found = only(kind, data)
    assert isinstance(found, str)
    assert expected in found


@pytest.mark.parametrize("figure", [2**256 - 1, 2**255, 2**64, 2**63 - 1])
def test_decode__a_length_beyond_any_memory__is_refused(figure: int) -> None:
    data = calldata(MULTICALL, NOW, [SINGLE02])
    at = 4 + 32 * 4  # after deadline, offset, count and the first one's offset
    assert isinstance(only("swap_router02", data[:at] + figure.to_bytes(32, "big") + data[at + 32 :]), str)


# --- paths, forks and several swaps -----------------------------------------------------------------------------------

ROUTER = address(0x9007)
PATH = (WETH.address, DAI.address, USDC.address)


def packed(first: int, second: int) -> bytes:
    weth, dai, usdc = (bytes.fromhex(each[2:]) for each in PATH)
    return weth + first.to_bytes(3, "big") + dai + second.to_bytes(3, "big") + usdc


ALONG = calldata(V3_PATH, (packed(500, 100), ACCOUNT, NOW, 7, 5))
ALONG02 = calldata(V3_PATH02, (packed(500, 100), ACCOUNT, 7, 5))
HOPS = Swap(PATH, 7, 5, ACCOUNT, NOW, (Fraction(1, 2000), Fraction(1, 10_000)))


def test_decode__a_path__names_every_token_and_fee() -> None:
    assert only("swap_router", ALONG) == HOPS
    for kind in ("swap_router02", "pancake_router"):
        assert only(kind, calldata(MULTICALL, NOW, [ALONG02])) == HOPS
    v2 = calldata(V2_SWAP, 7, 5, list(PATH), ACCOUNT, NOW)
    assert only("v2_router", v2) == Swap(PATH, 7, 5, ACCOUNT, NOW)


def test_decode__slipstream__names_pools_by_spacing() -> None:
    single = calldata(SLIPSTREAM_SWAP, (*TOKENS, 200, ACCOUNT, NOW, 7, 5, 0))
    assert only("slipstream_router", single) == Swap(TOKENS, 7, 5, ACCOUNT, NOW, spacings=(200,))
    along = calldata(V3_PATH, (packed(10, 1), ACCOUNT, NOW, 7, 5))
    assert only("slipstream_router", along) == Swap(PATH, 7, 5, ACCOUNT, NOW, spacings=(10, 1))


def test_decode__several_in_a_multicall__are_all_read_back() -> None:
    v2 = calldata(V2_SWAP02, 7, 5, list(TOKENS), ACCOUNT)
    timed = calldata(MULTICALL, NOW, [SINGLE02, v2, ALONG02])
    assert decode_swaps(Router("swap_router02", ROUTER), timed) == (PLAIN, Swap(TOKENS, 7, 5, ACCOUNT, NOW), HOPS)
    assert decode_swaps(Router("swap_router", ROUTER), calldata(PLAIN_MULTICALL, [SINGLE, ALONG])) == (PLAIN, HOPS)


VAULT = Router("erc4626", ROUTER, (USDC.address, ROUTER))


def test_decode__a_vaults_calls__have_neither_floor_nor_deadline() -> None:
    deposit, redeem = calldata(DEPOSIT, 7, ACCOUNT), calldata(REDEEM, 7, ACCOUNT, ACCOUNT)
    assert decode_swaps(VAULT, deposit) == (Swap((USDC.address, ROUTER), 7, 0, ACCOUNT, None),)
    assert decode_swaps(VAULT, redeem) == (Swap((ROUTER, USDC.address), 7, 0, ACCOUNT, None),)


@pytest.mark.parametrize(
    ("router", "data", "expected"),
    [
        (Router("swap_router", ROUTER), ALONG + bytes(32), "canonical"),
        (Router("swap_router", ROUTER), calldata(V3_PATH, (b"", ACCOUNT, NOW, 7, 5)), "23 for each pool, found 0"),
        (Router("swap_router", ROUTER), calldata(V3_PATH, (packed(1, 2)[:-1], ACCOUNT, NOW, 7, 5)), "found 65"),
        (Router("swap_router", ROUTER), calldata(V3_PATH, (packed(1, 2)[:20], ACCOUNT, NOW, 7, 5)), "found 20"),
        (Router("swap_router", ROUTER), calldata(PLAIN_MULTICALL, []), "expected 1 call or more inside, found 0"),
        (Router("swap_router", ROUTER), calldata(PLAIN_MULTICALL, [SINGLE02]), "selector"),
        (Router("swap_router", ROUTER), calldata(PLAIN_MULTICALL, [calldata(PLAIN_MULTICALL, [SINGLE])]), "selector"),
        (Router("slipstream_router", ROUTER), SINGLE, "selector: expected 0xa026383e, found 0x414bf389"),
        (Router("v2_router", ROUTER), calldata(V2_SWAP, 7, 5, [PATH[0]], ACCOUNT, NOW), "expected 2 tokens or more"),
        (VAULT, calldata(REDEEM, 7, ACCOUNT, DAI.address), "expected the owner"),
        (VAULT, calldata("withdraw(uint256,address,address)", 7, ACCOUNT, ACCOUNT), "selector"),
        (Router("erc4626", ROUTER), calldata(DEPOSIT, 7, ACCOUNT), "expected asset and share, found 0"),
    ],
)
def test_decode__what_is_no_swap_of_its_router__says_why(router: Router, data: bytes, expected: str) -> None:
    found = decode_swaps(router, data)
    assert isinstance(found, str)
    assert expected in found
