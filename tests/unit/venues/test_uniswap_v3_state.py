from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.pools import LimitExceeded, NoLiquidity
from keeper.core.units import TokenAmount
from keeper.venues.uniswap_v3 import UniswapV3
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.builders import DAI, USDC, WETH
from tests.unit.venues.v3_contract import NotReadError, run, swap
from tests.unit.venues.v3_pools import ONE, ZERO, Chain, v3_pool

WIDE = UniswapV3(reach=60_000, enough=60_000)
DIRECTIONS = st.sampled_from([(ZERO, ONE), (ONE, ZERO)])
AMOUNTS = st.integers(1, 10**18)


def look(chain: Chain, venue: UniswapV3 = WIDE) -> UniswapV3State:
    answers = chain.answer(venue.reads(chain.pool, None))
    while not isinstance(found := venue.decode(chain.pool, answers), UniswapV3State):
        answers |= chain.answer(found.reads)  # type: ignore[union-attr]
    return found


@st.composite
def states(draw: st.DrawFn) -> UniswapV3State:
    """A wide position and up to six others, around a price within some hundreds of ticks of 1."""
    spacing, fee = draw(st.sampled_from([(1, 100), (10, 500), (60, 3_000), (200, 10_000)]))
    positions = [(-200 * spacing, 200 * spacing, draw(st.integers(10**15, 10**21)))]
    for _ in range(draw(st.integers(0, 6))):
        lower = draw(st.integers(-150, 149))
        upper = draw(st.integers(lower + 1, 150))
        positions.append((lower * spacing, upper * spacing, draw(st.integers(1, 10**21))))
    return look(Chain(v3_pool(fee, spacing), draw(st.integers(-100, 100)), tuple(positions)))


def steps(state: UniswapV3State) -> int:
    """Each range and each word rounds for itself."""
    return 2 * (len(state.nets) + len(state.words)) + 2


@given(states(), DIRECTIONS, AMOUNTS, AMOUNTS)
def test_out_for__of_more__is_never_less_and_never_more_than_the_parts(state, direction, a, b) -> None:  # type: ignore[no-untyped-def]
    sell, buy = direction
    one, other, whole = (state.out_for(TokenAmount(sell, raw), buy) for raw in (a, b, a + b))
    if isinstance(whole, TokenAmount):
        assert isinstance(one, TokenAmount)
        assert isinstance(other, TokenAmount)
        assert whole >= one
        assert whole.raw <= one.raw + other.raw + steps(state)


@given(states(), DIRECTIONS, AMOUNTS)
def test_marginal__is_no_worse_than_the_average(state, direction, a) -> None:  # type: ignore[no-untyped-def]
    sell, buy = direction
    brings, marginal = state.out_for(TokenAmount(sell, a), buy), state.marginal(sell, buy)
    assert isinstance(marginal, Fraction)
    assert isinstance(brings, NoLiquidity) or marginal >= Fraction(brings.raw, a)


@given(states(), DIRECTIONS, AMOUNTS)
def test_in_for__of_what_comes_out__asks_no_more_and_suffices(state, direction, a) -> None:  # type: ignore[no-untyped-def]
    sell, buy = direction
    brings = state.out_for(TokenAmount(sell, a), buy)
    if isinstance(brings, NoLiquidity) or not brings:
        return
    needed = state.in_for(brings, sell)
    assert isinstance(needed, TokenAmount)
    assert needed.raw <= a
    again = state.out_for(needed, buy)
    assert isinstance(again, TokenAmount)
    assert again >= brings


@pytest.mark.fault("M24")
@given(states())
def test_marginal__there_and_back__costs_both_fees(state) -> None:  # type: ignore[no-untyped-def]
    there, back = state.marginal(ZERO, ONE), state.marginal(ONE, ZERO)
    assert there * back == (1 - state.pool.fee) ** 2


@pytest.mark.fault("M24")
@pytest.mark.parametrize(("tokens", "tick"), [((WETH, USDC), -196_257), ((USDC, WETH), 196_256)])
def test_quote__of_three_thousand_per_coin__is_so_in_both_orders(tokens, tick) -> None:  # type: ignore[no-untyped-def]
    """1.0001 ** -196,257 is 3,000 USDC for one WETH in raw units; an inverted price would be 10^24 or 10^5 away."""
    state = look(Chain(v3_pool(100, 1, tokens), tick, ((tick - 500, tick + 500, 10**18),)))
    dollars = state.out_for(TokenAmount.from_whole(WETH, 1), USDC)
    coins = state.out_for(TokenAmount.from_whole(USDC, 3_000), WETH)
    assert isinstance(dollars, TokenAmount)
    assert isinstance(coins, TokenAmount)
    assert abs(dollars.whole - 3_000) < 2
    assert abs(coins.whole - 1) < Fraction(1, 1_000)


@pytest.mark.fault("M18")
def test_swap__over_an_empty_gap_of_words__continues_beyond_it() -> None:
    chain = Chain(v3_pool(500, 10), 0, ((-10, 10, 10**18), (9_000, 9_010, 10**18)))
    state = look(chain)
    inside, beyond = (state.out_for(TokenAmount(ONE, raw), ZERO) for raw in (4 * 10**14, 8 * 10**14))
    assert isinstance(inside, TokenAmount)
    assert isinstance(beyond, TokenAmount)
    assert 0 in state.words.values()
    # Beyond the gap the coin costs 1.0001 ** 9000 = 2.46 as much.
    assert inside.raw * Fraction(11, 10) < beyond.raw < inside.raw * Fraction(17, 10)


@pytest.mark.fault("M19")
def test_swap__beyond_what_was_read__is_refused_not_guessed() -> None:
    chain = Chain(v3_pool(500, 10), 0, ((-2_000, 2_000, 10**18), (-200_000, 200_000, 10**18)))
    narrow, wide = look(chain, UniswapV3()), look(chain)
    small, large = TokenAmount(ZERO, 10**15), TokenAmount(ZERO, 5 * 10**17)
    assert narrow.out_for(small, ONE) == wide.out_for(small, ONE)
    assert narrow.out_for(large, ONE) == NoLiquidity("crosses tick -2000, which was not read")
    assert isinstance(wide.out_for(large, ONE), TokenAmount)
    most = wide.out_for(TokenAmount(ZERO, 1 << 200), ONE)
    assert isinstance(most, NoLiquidity)
    assert "not read" in most.reason


@pytest.mark.fault("M12")
def test_quote__where_nothing_is_in_range__is_no_liquidity() -> None:
    state = look(Chain(v3_pool(), 0, ((100, 200, 10**18),)))
    for sell, buy in ((ZERO, ONE), (ONE, ZERO)):
        assert state.out_for(TokenAmount(sell, 10**6), buy) == NoLiquidity("no liquidity at the pool's price")
        assert isinstance(state.in_for(TokenAmount(buy, 10**6), sell), NoLiquidity)
        assert isinstance(state.marginal(sell, buy), NoLiquidity)


@pytest.mark.parametrize("raw", [0, -1, 1 << 255])
def test_quote__outside_int256__is_a_limit(raw: int) -> None:
    state = look(Chain(v3_pool(), 0, ((-100, 100, 10**18),)))
    assert isinstance(state.out_for(TokenAmount(ZERO, raw), ONE), LimitExceeded)
    assert isinstance(state.in_for(TokenAmount(ONE, raw), ZERO), LimitExceeded)


def test_quote__of_another_token__is_refused() -> None:
    state = look(Chain(v3_pool(), 0, ((-100, 100, 10**18),)))
    assert state.out_for(TokenAmount(DAI, 1), ONE) == NoLiquidity("does not trade DAI for ONE")


@pytest.mark.parametrize("net", [10**19, -(1 << 128)])
def test_swap__over_a_tick_that_cannot_be__is_refused(net: int) -> None:
    state = look(Chain(v3_pool(), 0, ((-100, 100, 10**18), (-2_000, 2_000, 10**18))))
    broken = replace(state, nets={**state.nets, -100: net})
    found = broken.out_for(TokenAmount(ZERO, 10**17), ONE)
    assert isinstance(found, NoLiquidity)
    assert "liquidity after tick -100 cannot be" in found.reason


@given(states(), DIRECTIONS, DIRECTIONS, AMOUNTS, AMOUNTS, st.booleans())
def test_after__of_a_swap__is_where_the_contracts_loop_ends(state, direction, other, a, b, on_edge) -> None:  # type: ignore[no-untyped-def]
    """And the next swap is quoted there, whichever way it goes."""
    sell, buy = direction
    ladder = state.side(sell, buy)
    if on_edge and len(ladder.paid) > 1 and ladder.paid[1]:
        a = ladder.paid[1 + b % (len(ladder.paid) - 1)]
    after = state.after(TokenAmount(sell, a), buy)
    try:
        out, price, tick, liquidity = run(state, a, sell == ZERO, exact_in=True)
    except NotReadError:
        assert isinstance(after, NoLiquidity)
        return
    if liquidity is None or not out or (not liquidity and isinstance(after, NoLiquidity)):
        assert isinstance(after, NoLiquidity)
        return
    assert (after.sqrt_price, after.tick, after.liquidity) == (price, tick, liquidity)
    quote = after.out_for(TokenAmount(other[0], b), other[1])
    if isinstance(quote, TokenAmount):
        assert quote.raw == swap(after, b, other[0] == ZERO, exact_in=True)


def test_after__where_the_fee_may_follow_the_price__is_not_told() -> None:
    state = look(Chain(v3_pool(), 5, ((-600, 700, 10**18),)))
    sell = TokenAmount(ZERO, 10**15)
    assert isinstance(state.after(sell, ONE), UniswapV3State)
    found = replace(state, fee_moves=True).after(sell, ONE)
    assert found == NoLiquidity("its fee may follow the price, which the swap moves")
