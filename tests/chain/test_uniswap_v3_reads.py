"""What a moving pool costs in requests from tick to tick, and that its state stays that of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from keeper.core.pools import Pool, Router
from keeper.core.ticks import get_sqrt_ratio_at_tick
from keeper.core.units import Token, TokenAmount
from keeper.venues.uniswap_v3 import ENOUGH, REACH, UniswapV3, UniswapV3Pin
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.chain.pools import observe, pin_pool
from tests.chain.quoter import ask
from tests.chain.uniswap import (
    Deployment,
    Position,
    add_positions,
    create_v3_pool,
    deploy_token,
    move_v3_pool,
    position_around,
    swap_v3,
)
from tests.chain.v3_cases import Case

NARROW = UniswapV3()


@dataclass(frozen=True)
class Market:
    """A pool of 18 and 6 decimals at 3,000, in which somebody else trades."""

    uniswap: Deployment
    base: Token
    quote: Token
    pool: Pool

    def look(self, last: UniswapV3State | None) -> tuple[UniswapV3State, int]:
        state, follow_ups = observe(self.uniswap.node, NARROW, self.pool, last)
        assert isinstance(state, UniswapV3State)
        return state, follow_ups

    def move(self, price: Fraction | int) -> None:
        move_v3_pool(self.uniswap, self.base, self.quote, 500, Fraction(price))

    def add(self, around: int, width: int) -> None:
        """A position somewhere else than the price, so of one token alone."""
        state, _ = self.look(None)
        middle = (state.tick + around) // 10 * 10
        position = Position(middle - width, middle + width, state.liquidity // 100)
        add_positions(self.uniswap, self.base, self.quote, 500, state.sqrt_price, [position])


@pytest.fixture
def market(uniswap: Deployment) -> Market:
    base, quote = deploy_token(uniswap, "BASE", 18), deploy_token(uniswap, "QUOTE", 6)
    amounts = TokenAmount.from_whole(base, 1_000), TokenAmount.from_whole(quote, 3_000_000)
    positions = [position_around(*amounts, 500, Fraction(3_000), width) for width in (200, 900, 60_000)]
    address = create_v3_pool(uniswap, base, quote, 500, Fraction(3_000), positions)
    router = Router("swap_router", uniswap.swap_router)
    return Market(uniswap, base, quote, pin_pool(uniswap.node, UniswapV3Pin(), address, [base, quote], router))


def test_observe__of_a_known_pool__needs_nothing_more(market: Market) -> None:
    cold, follow_ups = market.look(None)
    assert follow_ups == 2
    steady, follow_ups = market.look(cold)
    assert follow_ups == 0
    assert steady == cold


@pytest.mark.parametrize("price", [3_030, 2_970, 3_140, 2_860])
def test_observe__after_the_price_moved_less_than_enough__needs_nothing_more(market: Market, price: int) -> None:
    before, _ = market.look(None)
    market.move(price)
    after, follow_ups = market.look(before)
    assert 90 < abs(after.tick - before.tick) < ENOUGH
    assert follow_ups == 0
    fresh, _ = market.look(None)
    for sell, buy in ((market.base, market.quote), (market.quote, market.base)):
        amount = TokenAmount.from_whole(sell, 20)
        assert after.out_for(amount, buy) == fresh.out_for(amount, buy)


def test_observe__after_others_added_ticks__needs_one_more_request(market: Market) -> None:
    before, _ = market.look(None)
    market.add(around=-200, width=50)
    after, follow_ups = market.look(before)
    assert follow_ups == 1
    assert len(after.nets) == len(before.nets) + 2
    assert market.look(after) == (after, 0)


def test_observe__after_others_added_ticks_beyond_enough__reads_them_next_time(market: Market) -> None:
    before, _ = market.look(None)
    market.add(around=(ENOUGH + REACH) // 2, width=50)
    after, follow_ups = market.look(before)
    assert (after.nets, follow_ups) == (before.nets, 0)
    later, follow_ups = market.look(after)
    assert follow_ups == 0
    assert len(later.nets) == len(after.nets) + 2


@pytest.mark.parametrize("price", [3_000 * 3, 1_000])
def test_observe__after_a_jump__needs_two_more_requests(market: Market, price: int) -> None:
    before, _ = market.look(None)
    market.move(price)
    after, follow_ups = market.look(before)
    assert abs(after.tick - before.tick) > 2 * REACH
    assert follow_ups <= 2
    assert after == market.look(None)[0]


def test_state__after_swaps_that_end_on_a_tick__still_quotes_as_the_quoter(market: Market) -> None:
    """A price exactly on an initialised tick belongs to the range below it after a fall, above it after a rise."""
    state, _ = market.look(None)
    down, up = max(t for t in state.nets if t <= state.tick), min(t for t in state.nets if t > state.tick)
    token0, token1 = market.pool.tokens
    for sell, tick in ((token0, down), (token1, up)):
        buy = token1 if sell == token0 else token0
        swap_v3(market.uniswap, TokenAmount(sell, 1 << 120), buy, 500, get_sqrt_ratio_at_tick(tick))
        state, _ = market.look(None)
        assert state.sqrt_price == get_sqrt_ratio_at_tick(tick)
        assert state.tick == (tick - 1 if sell == token0 else tick)
        pairs = ((token0, token1), (token1, token0))
        cases = [Case(state, *pair, exact_in, 10**9) for pair in pairs for exact_in in (True, False)]
        for case, told in zip(cases, ask(market.uniswap, cases), strict=True):
            assert told is not None
            assert case.quote == TokenAmount(case.buy if case.exact_in else case.sell, told.raw)
