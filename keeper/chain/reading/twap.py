"""The time-weighted average price of a Uniswap v3 pool: a cross-check that one block cannot move far."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from keeper.core.abi import calldata, word
from keeper.core.chain import Answers, Read, Reading, Unusable
from keeper.core.ticks import MAX_TICK, MIN_TICK, ratio_at_tick
from keeper.core.units import Address, Price, Token

SLOT0 = calldata("slot0()")
CARDINALITY_WORD = 3
MAX_UINT160 = (1 << 160) - 1


@cache
def observe_calldata(window: int) -> bytes:
    """Cumulative ticks `window` seconds ago and now."""
    return calldata("observe(uint32[])", [window, 0])


@dataclass(frozen=True, slots=True)
class TwapSource:
    """`base` in `quote`, averaged over `window` seconds. Both are the pool's tokens, in either order.

    `min_liquidity` bounds the harmonic mean of in-range liquidity, below which moving the average is cheap. The mean
    is geometric and its tick rounded towards minus infinity, as Uniswap's OracleLibrary has it.
    """

    name: str
    pool: Address
    base: Token
    quote: Token
    window: int
    min_liquidity: int = 1
    min_cardinality: int = 2

    def __post_init__(self) -> None:
        if self.window <= 0:
            raise ValueError(f"window: expected more than 0 s, was {self.window}")

    def reads(self) -> tuple[Read, ...]:
        return self._observe, Read(self.pool, SLOT0)

    @property
    def _observe(self) -> Read:
        return Read(self.pool, observe_calldata(self.window))

    def price(self, answers: Answers, now: int) -> Reading | Unusable:  # noqa: ARG002  a mean has no age
        slot0 = answers.get(Read(self.pool, SLOT0))
        if slot0 is None or len(slot0) < 32 * 7:
            return self._no("does not answer")
        cardinality = word(slot0, CARDINALITY_WORD)
        if cardinality < self.min_cardinality:
            return self._no(f"keeps {cardinality} observations, expected at least {self.min_cardinality}")
        answer = answers.get(self._observe)
        if answer is None:
            return self._no(f"its observations do not reach {self.window} s back")
        try:
            ticks, seconds = decode(["int56[]", "uint160[]"], answer)
        except DecodingError:
            return self._no("observe() answered something else")
        if len(ticks) != 2 or len(seconds) != 2:
            return self._no("observe() answered something else")
        return self._mean(ticks[1] - ticks[0], (seconds[1] - seconds[0]) & MAX_UINT160)

    def _mean(self, tick_seconds: int, seconds_per_liquidity: int) -> Reading | Unusable:
        tick = tick_seconds // self.window
        if not MIN_TICK <= tick <= MAX_TICK:
            return self._no(f"average tick {tick} is out of range")
        # {liquidity} = {s} * 2**128 / {s / liquidity, Q128}; nothing in range for the whole window counts as 1.
        liquidity = (self.window << 128) // max(seconds_per_liquidity, 1)
        if liquidity < self.min_liquidity:
            return self._no(f"mean liquidity: expected at least {self.min_liquidity}, was {liquidity}")
        return Reading(self.name, Price(self.base, self.quote, self._ratio(tick)))

    def _ratio(self, tick: int) -> Fraction:
        """{quote whole / base whole}"""
        raw = ratio_at_tick(tick)
        is_base_first = int(self.base.address, 16) < int(self.quote.address, 16)
        scale = Fraction(10) ** (self.base.decimals - self.quote.decimals)
        return (raw if is_base_first else 1 / raw) * scale

    def _no(self, reason: str) -> Unusable:
        return Unusable(f"{self.name}: {reason}")
