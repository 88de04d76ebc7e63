"""What calldata for a Curve pool really says: it counts coins, and names neither a recipient nor a deadline."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.core.abi import arguments, selector
from keeper.core.units import Address

EXCHANGE = "exchange(int128,int128,uint256,uint256)"
UNDERLYING = "exchange_underlying(int128,int128,uint256,uint256)"
_SHARE = 1
"""Where a metapool holds its base pool's share; underlying coins are counted without it."""

Terms = tuple[tuple[Address, Address], int, int]
"""Token sold and bought, amount sold, least bought."""


def curve_terms(coins: Sequence[Address], data: bytes) -> Terms:
    """The terms of a swap whose output goes to whoever calls. `coins` are the pool's own, then its base pool's.

    Raises ValueError, or eth_abi's DecodingError, where it is no such swap.
    """
    is_underlying = data[:4] == selector(UNDERLYING)
    i, j, sell, min_out = arguments(UNDERLYING if is_underlying else EXCHANGE, data)
    if is_underlying:
        coins = [coin for k, coin in enumerate(coins) if k != _SHARE]
    if not 0 <= i < len(coins) or not 0 <= j < len(coins) or i == j:
        raise ValueError(f"coins: expected two of 0 to {len(coins) - 1}, was {i} for {j}")
    return (coins[i], coins[j]), sell, min_out
