"""The ranges that a swap comes through, in the order and in the pieces in which the contract steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from keeper.core.pools import NoLiquidity
from keeper.core.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, get_sqrt_ratio_at_tick

MAX_UINT128 = (1 << 128) - 1
WORD_BITS = 256

sqrt_ratio = lru_cache(maxsize=1 << 16)(get_sqrt_ratio_at_tick)

Piece = tuple[int, int, int]
"""Square-root price at its start, the same at its end (Q64.96), and the liquidity in between."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """What was read of a pool's ticks: `words` maps a bitmap word's index to its bits, `nets` an initialised tick to
    its liquidityNet."""

    words: Mapping[int, int]
    nets: Mapping[int, int]
    spacing: int

    def next_tick(self, tick: int, down: bool) -> tuple[int, bool] | None:
        """The next tick in the current word (at or below, or above) and whether it is initialised; else the word's
        last one. None where that word was not read. TickBitmap.nextInitializedTickWithinOneWord."""
        index, bit = divmod(tick // self.spacing + (not down), WORD_BITS)
        bits = self.words.get(index)
        if bits is None:
            return None
        if down:
            bits &= (2 << bit) - 1
            found = bits.bit_length() - 1 if bits else 0
        else:
            bits = bits >> bit << bit
            found = (bits & -bits).bit_length() - 1 if bits else WORD_BITS - 1
        next_tick = (index * WORD_BITS + found) * self.spacing
        return min(max(next_tick, MIN_TICK), MAX_TICK), bool(bits)

    def walk(self, price: int, tick: int, liquidity: int, *, down: bool) -> Iterator[Piece | NoLiquidity]:
        """From here on, until the last price that a swap may reach, or until what was read ends: then why comes last.

        Stops at every boundary of a 256-tick word even where nothing is initialised, because each step rounds.
        """
        limit = MIN_SQRT_RATIO + 1 if down else MAX_SQRT_RATIO - 1
        while price != limit:
            found = self.next_tick(tick, down)
            if found is None:
                yield NoLiquidity(f"needs ticks {'below' if down else 'above'} {tick}, which were not read")
                return
            next_tick, is_initialised = found
            at_next = sqrt_ratio(next_tick)
            target = max(at_next, limit) if down else min(at_next, limit)
            yield price, target, liquidity
            if is_initialised:
                net = self.nets.get(next_tick)
                if net is None:
                    yield NoLiquidity(f"crosses tick {next_tick}, which was not read")
                    return
                liquidity += -net if down else net
                if not 0 <= liquidity <= MAX_UINT128:
                    yield NoLiquidity(f"liquidity after tick {next_tick} cannot be {liquidity}")
                    return
            price, tick = target, next_tick - 1 if down else next_tick
