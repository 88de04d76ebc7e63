"""Swaps in random pools of Uniswap v3's shape as cases: what the keeper quotes beside what a contract does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.pools import NoLiquidity, NoQuote
from keeper.core.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO
from keeper.core.units import Address, Token, TokenAmount
from keeper.venues.uniswap_v3 import ENOUGH
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.chain.uniswap import Position, nearest_tick


@dataclass(frozen=True)
class Case:
    state: UniswapV3State
    sell: Token
    buy: Token
    exact_in: bool
    raw: int

    @property
    def quote(self) -> TokenAmount | NoQuote:
        if self.exact_in:
            return self.state.out_for(TokenAmount(self.sell, self.raw), self.buy)
        return self.state.in_for(TokenAmount(self.buy, self.raw), self.sell)

    @property
    def is_down(self) -> bool:
        return self.sell == self.state.pool.tokens[0]


@dataclass(frozen=True)
class Told:
    """A contract's answer: the other amount, the price after, and how many initialised ticks were crossed."""

    raw: int
    price: int
    crossed: int = 0

    @property
    def is_partial(self) -> bool:
        return self.price in (MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1)


def random_positions(dice: random.Random, tick: int, spacing: int, count: int) -> list[Position]:
    """A thin one that spans many words, and others near the price: overlapping, adjacent, with gaps of whole words."""
    middle = tick // spacing
    size = 2 ** dice.uniform(50, 90)
    far = min(3_000, MAX_TICK // spacing - abs(middle) - 1)
    found = [Position((middle - far) * spacing, (middle + far) * spacing, int(size / 4))]
    most = MAX_TICK // spacing
    for _ in range(count - 1):
        spread = dice.choice((8, 40, 300, 1_200))
        low = middle + dice.randint(-spread, spread)
        high = low + dice.choice((1, 3, 17, dice.randint(1, 600)))
        if -most <= low and high <= most:
            found.append(Position(low * spacing, high * spacing, max(10**4, int(size * 2 ** dice.uniform(-8, 4)))))
    return found


def random_cases(
    dice: random.Random, states: Sequence[UniswapV3State], held: Mapping[tuple[Address, Token], int], count: int
) -> list[Case]:
    """Sizes from one raw unit to more than the pool holds, most of them near its end. `held` {raw} is what each pool
    has of its tokens."""
    cases = []
    for i in range(count):
        state = states[i % len(states)]
        sell, buy = state.pool.tokens if dice.random() < 0.5 else state.pool.tokens[::-1]
        exact_in = dice.random() < 0.6
        top = held[state.pool.address, buy]
        if exact_in:
            # {sell raw} that the pool's whole stock of `buy` costs at today's price
            price = Fraction(state.sqrt_price**2, 1 << 192)
            top = int(top / price if sell == state.pool.tokens[0] else top * price)
        raw = int(top * 10 ** dice.uniform(-5, 1)) if dice.random() < 0.8 else int((top + 1) ** dice.random())
        cases.append(Case(state, sell, buy, exact_in, max(1, raw)))
    return cases


def compare(pairs: Iterable[tuple[Case, Told | None]]) -> Counter[str]:
    """How many of each kind there were, after holding every quote against what the contract told."""
    kinds: Counter[str] = Counter()
    for case, told in pairs:
        quote = case.quote
        if isinstance(quote, TokenAmount):
            assert told is not None, (case, quote)
            assert quote.raw == told.raw, (case, told)
            assert not told.is_partial, (case, told)
            kinds["in" if case.exact_in else "out"] += 1
            kinds["down" if case.is_down else "up"] += 1
        else:
            assert isinstance(quote, NoLiquidity), (case, quote)
            kinds[_justify(case, quote, told)] += 1
    return kinds


def _justify(case: Case, quote: NoLiquidity, told: Told | None) -> str:
    """Why the keeper refuses must be seen in what the contract does."""
    if "runs out" in quote.reason:
        assert told is None or told.is_partial, (case, quote, told)
        return "runs out"
    assert "not read" in quote.reason, quote
    if told is not None and not told.is_partial:
        # A swap that the keeper did not read far enough for ends where it need not have read.
        assert abs(nearest_tick(told.price) - case.state.tick) >= ENOUGH, (case, quote, told)
    return "not read"
