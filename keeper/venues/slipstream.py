"""Slipstream, the concentrated pools of Velodrome and Aerodrome: Uniswap v3's swap loop under a fee that may change.

The factory may set another fee at any time or leave it to a module that follows the price, so it is read with every
state; a pool is named by its tick spacing. slot0 lacks the protocol's share of the fee
(github.com/velodrome-finance/slipstream, CLPool.sol). A module may charge some senders less: quotes do not know that.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.core.abi import WORD, calldata, word
from keeper.core.calls import Call
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.plan import OrderLeg
from keeper.core.pools import Pool, PoolState
from keeper.core.units import Address
from keeper.venues.uniswap_v3 import ENOUGH, REACH, UniswapV3, UniswapV3Pin
from keeper.venues.uniswap_v3_math import PPM
from keeper.venues.uniswap_v3_state import UniswapV3State

KIND = "slipstream"
SLOT0_WORDS = 6
SLIPSTREAM_PIN = UniswapV3Pin(KIND, SLOT0_WORDS, "stakedLiquidity")
"""The fee that it finds is the one of that moment."""

_FEE = calldata("fee()")


class Slipstream:
    """Venue of pools whose fee is read with their state; everything else as Uniswap v3 reads it."""

    def __init__(self, reach: int = REACH, enough: int = ENOUGH) -> None:
        self._v3 = UniswapV3(reach, enough, SLOT0_WORDS)

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:
        return Read(pool.address, _FEE), *self._v3.reads(pool, last)

    def decode(self, pool: Pool, answers: Answers) -> UniswapV3State | Needs | Unusable:
        """A state whose pool has the fee of this block."""
        read = Read(pool.address, _FEE)
        if read not in answers:
            return Needs(self.reads(pool, None))
        answer = answers[read]
        if answer is None or len(answer) < WORD:
            return Unusable("fee() does not answer")
        ppm = word(answer, 0)
        if ppm >= PPM:
            return Unusable(f"fee: expected less than {PPM} ppm, was {ppm}")
        fee = Fraction(ppm, PPM)
        found = self._v3.decode(pool if fee == pool.fee else replace(pool, fee=fee), answers)
        return replace(found, fee_moves=True) if isinstance(found, UniswapV3State) else found

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:
        return self._v3.encode(leg, recipient, deadline)
