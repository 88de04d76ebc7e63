from __future__ import annotations

import pytest

from keeper.core.abi import calldata
from keeper.core.pools import Router
from keeper.guards.curve_swaps import EXCHANGE, UNDERLYING
from keeper.guards.swaps import Swap, decode_swaps
from tests.builders import address

OWN, SHARE, BELOW = address(1), address(2), (address(3), address(4), address(5))
METAPOOL = Router("curve", address(9), (OWN, SHARE, *BELOW))


@pytest.mark.parametrize(
    ("data", "tokens"),
    [
        (calldata(EXCHANGE, 0, 1, 7, 5), (OWN, SHARE)),
        (calldata(EXCHANGE, 1, 0, 7, 5), (SHARE, OWN)),
        (calldata(UNDERLYING, 0, 1, 7, 5), (OWN, BELOW[0])),
        (calldata(UNDERLYING, 3, 0, 7, 5), (BELOW[2], OWN)),
    ],
)
def test_decode__of_a_curve_swap__names_the_tokens_and_pays_the_caller(data: bytes, tokens: tuple[str, str]) -> None:
    assert decode_swaps(METAPOOL, data) == (Swap(tokens, 7, 5, None, None),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (calldata(EXCHANGE, 0, 5, 7, 5), "coins: expected two of 0 to 4, was 0 for 5"),
        (calldata(UNDERLYING, 0, 4, 7, 5), "coins: expected two of 0 to 3, was 0 for 4"),
        (calldata(EXCHANGE, -1, 1, 7, 5), "was -1 for 1"),
        (calldata(EXCHANGE, 1, 1, 7, 5), "was 1 for 1"),
        (calldata(EXCHANGE, 0, 1, 7, 5) + bytes(32), "canonical"),
        (calldata(EXCHANGE, 0, 1, 7, 5)[:-1], ""),
        (calldata("exchange(uint256,uint256,uint256,uint256)", 0, 1, 7, 5), "selector"),
        (calldata("exchange(int128,int128,uint256,uint256,address)", 0, 1, 7, 5, OWN), "selector"),
        (b"", "selector"),
    ],
)
def test_decode__of_anything_else__says_why(data: bytes, expected: str) -> None:
    found = decode_swaps(METAPOOL, data)
    assert isinstance(found, str)
    assert expected in found


def test_decode__without_the_pools_coins__is_refused() -> None:
    assert isinstance(decode_swaps(Router("curve", address(9)), calldata(EXCHANGE, 0, 1, 7, 5)), str)
