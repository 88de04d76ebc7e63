"""PancakeSwap v3: Uniswap's pool with another share of the fee for the protocol, which no quote depends on.

Its slot0 keeps that share in 32 bits instead of 8, so its words lie where Uniswap's do. What differs is where it is
traded: another factory, and a router of its own (github.com/pancakeswap/pancake-v3-contracts, PancakeV3Pool.sol).
"""

from __future__ import annotations

from keeper.venues.uniswap_v3 import UniswapV3Pin

KIND = "pancake_v3"
PANCAKE_V3_PIN = UniswapV3Pin(KIND, mark="lmPool")
"""`lmPool()` is where its pools keep their farm: no other pool of this shape answers it."""
