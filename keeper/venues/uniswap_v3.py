"""Uniswap v3: what to read of a pool, tick by tick, and what the answers mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from keeper.core.abi import WORD, calldata, signed_word, word
from keeper.core.calls import Call
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.plan import OrderLeg
from keeper.core.pools import Pool, PoolState
from keeper.core.ticks import MAX_TICK, MIN_TICK
from keeper.core.units import Address
from keeper.venues.facts import Facts, parse_address, parse_pair
from keeper.venues.swaps import encode_v3_swap
from keeper.venues.uniswap_v3_math import PPM
from keeper.venues.uniswap_v3_state import UniswapV3State
from keeper.venues.uniswap_v3_walk import MAX_UINT128, WORD_BITS, sqrt_ratio

KIND = "uniswap_v3"

ENOUGH = 500
"""{ticks} to each side that must be known. The guards' ceiling of 500 bps of impact is ln 1.05 / ln 1.0001 = 488
ticks, so a trade that leaves them would be refused anyway."""
REACH = 2 * ENOUGH
"""{ticks} to each side that are read: the price may move by ENOUGH, about 5 %, from one look to the next before a
second request is needed. A bitmap word covers 256 · spacing ticks, so REACH spans up to 9 words at spacing 1, at most
2 at spacing 10, and 1 or 2 at 60 and 200."""

_SLOT0, _LIQUIDITY = calldata("slot0()"), calldata("liquidity()")
SLOT0_WORDS, _TICK_WORDS = 7, 8
_PRICE, _TICK = 0, 1
"""Of slot0, whose last word says in every fork whether the pool is unlocked."""
_GROSS, _NET = 0, 1


class UniswapV3:
    """Venue of concentrated-liquidity pools.

    A steady tick needs no further read; ticks that others initialised since need one follow-up; a pool whose last
    state is unknown, or whose price left the words that were read, needs two: words, then ticks.
    """

    def __init__(self, reach: int = REACH, enough: int = ENOUGH, slot0_words: int = SLOT0_WORDS) -> None:
        """`reach` and `enough` in ticks to each side; `enough` of `reach` must be known for a state."""
        if not 0 < enough <= reach:
            raise ValueError(f"reach: expected at least {enough} ticks, was {reach}")
        self._reach, self._enough, self._slot0_words = reach, enough, slot0_words

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:
        always = Read(pool.address, _SLOT0), Read(pool.address, _LIQUIDITY)
        if not isinstance(last, UniswapV3State):
            return always
        low, high = last.tick - self._reach, last.tick + self._reach
        words = [word_read(pool.address, index) for index in words_between(low, high, pool.spacing)]
        ticks = [tick_read(pool.address, tick) for tick in initialised(last.words, low, high, pool.spacing)]
        return *always, *words, *ticks

    def decode(self, pool: Pool, answers: Answers) -> UniswapV3State | Needs | Unusable:
        basis = _decode_basis(pool, answers, self._slot0_words)
        if isinstance(basis, Needs | Unusable):
            return basis
        _, tick, _ = basis
        words = self._words(pool, answers, tick)
        if isinstance(words, Needs | Unusable):
            return words
        nets = self._nets(pool, answers, tick, words)
        if isinstance(nets, Needs | Unusable):
            return nets
        return UniswapV3State(pool, *basis, words, nets)

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:
        return encode_v3_swap(leg, recipient, deadline)

    def _words(self, pool: Pool, answers: Answers, tick: int) -> dict[int, int] | Needs | Unusable:
        needed = words_between(tick - self._enough, tick + self._enough, pool.spacing)
        words, missing, must = {}, [], False
        for index in words_between(tick - self._reach, tick + self._reach, pool.spacing):
            read = word_read(pool.address, index)
            if read not in answers:
                missing.append(read)
                must = must or index in needed
                continue
            answer = answers[read]
            if answer is None or len(answer) < WORD:
                return Unusable(f"tickBitmap({index}) does not answer")
            words[index] = word(answer, 0)
        return Needs(tuple(missing)) if must else words

    def _nets(
        self, pool: Pool, answers: Answers, now: int, words: Mapping[int, int]
    ) -> dict[int, int] | Needs | Unusable:
        nets, missing, must = {}, [], False
        for tick in initialised(words, now - self._reach, now + self._reach, pool.spacing):
            read = tick_read(pool.address, tick)
            if read not in answers:
                missing.append(read)
                must = must or abs(tick - now) <= self._enough
                continue
            answer = answers[read]
            if answer is None or len(answer) < _TICK_WORDS * WORD:
                return Unusable(f"ticks({tick}) does not answer")
            if not word(answer, _GROSS):
                return Unusable(f"tick {tick} is in the bitmap and has no liquidity")
            nets[tick] = signed_word(answer, _NET)
        return Needs(tuple(missing)) if must else nets


def _decode_basis(pool: Pool, answers: Answers, slot0_words: int) -> tuple[int, int, int] | Needs | Unusable:
    """Square-root price, tick and liquidity in range."""
    reads = Read(pool.address, _SLOT0), Read(pool.address, _LIQUIDITY)
    if absent := tuple(read for read in reads if read not in answers):
        return Needs(absent)
    slot0, in_range = (answers[read] for read in reads)
    if slot0 is None or len(slot0) < slot0_words * WORD:
        return Unusable("slot0() does not answer")
    if in_range is None or len(in_range) < WORD:
        return Unusable("liquidity() does not answer")
    price, tick, liquidity = word(slot0, _PRICE), signed_word(slot0, _TICK), word(in_range, 0)
    if not price:
        return Unusable("the pool has no price yet")
    if not word(slot0, slot0_words - 1):
        return Unusable("the pool is locked")
    # A price may stand on its tick's upper edge: a swap that ends there has crossed it downwards.
    if not MIN_TICK <= tick < MAX_TICK or not sqrt_ratio(tick) <= price <= sqrt_ratio(tick + 1):
        return Unusable(f"price {price} is not in tick {tick}")
    if liquidity > MAX_UINT128:
        return Unusable(f"liquidity: expected at most 2**128 - 1, was {liquidity}")
    return price, tick, liquidity


# --- words and ticks -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def word_read(pool: Address, index: int) -> Read:
    return Read(pool, calldata("tickBitmap(int16)", index))


@lru_cache(maxsize=1 << 16)
def tick_read(pool: Address, tick: int) -> Read:
    return Read(pool, calldata("ticks(int24)", tick))


def words_between(low: int, high: int, spacing: int) -> range:
    """Indices of the bitmap words that hold the ticks from `low` to `high`, as far as there are ticks."""
    first, last = max(low, MIN_TICK) // spacing, min(high, MAX_TICK) // spacing
    return range(first // WORD_BITS, last // WORD_BITS + 1)


def initialised(words: Mapping[int, int], low: int, high: int, spacing: int) -> Iterator[int]:
    """The ticks from `low` to `high` whose bit is set."""
    for index, bits in words.items():
        for tick in _ticks_of(index, bits, spacing):
            if low <= tick <= high:
                yield tick


@lru_cache(maxsize=1 << 12)
def _ticks_of(index: int, bits: int, spacing: int) -> tuple[int, ...]:
    return tuple((index * WORD_BITS + bit) * spacing for bit in range(WORD_BITS) if bits >> bit & 1)


# --- recognising ---------------------------------------------------------------------------------------------------

_ASKED = tuple(calldata(f"{name}()") for name in ("token0", "token1", "factory", "fee", "tickSpacing", "slot0"))
_MARKS = {name: calldata(f"{name}()") for name in ("lmPool", "stakedLiquidity", "currentFee")}
"""Getters of PancakeSwap v3, of Slipstream, and of forks (Ramses) whose fee() is not what a swap takes."""


@dataclass(frozen=True, slots=True)
class UniswapV3Pin:
    """Recognises a pool by its own words; a fork that keeps slot0's shape and the swap loop counts as one.

    Forks that are known by a name of their own differ by `marks`, getters that only they have: what has a foreign
    mark is none of this kind, whatever else it answers.
    """

    kind: str = KIND
    slot0_words: int = SLOT0_WORDS
    mark: str = ""

    def reads(self, address: Address) -> tuple[Read, ...]:
        return tuple(Read(address, data) for data in (*_ASKED, *_MARKS.values()))

    def pin(self, address: Address, answers: Answers) -> Facts | None:
        token0, token1, factory, fee, spacing, slot0 = (answers.get(Read(address, data)) for data in _ASKED)
        pair, made_by = parse_pair(token0, token1), parse_address(factory)
        if pair is None or made_by is None or fee is None or spacing is None or slot0 is None:
            return None
        if len(fee) != WORD or len(spacing) != WORD or len(slot0) != self.slot0_words * WORD:
            return None
        if [name for name, data in _MARKS.items() if answers.get(Read(address, data))] != [self.mark] * bool(self.mark):
            return None
        ppm, gap = word(fee, 0), word(spacing, 0)
        if ppm >= PPM or not 0 < gap < 1 << 15:
            return None
        return Facts(self.kind, pair, ppm, made_by, gap)
