from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.chain import Needs, Unusable
from keeper.core.pools import LimitExceeded, NoLiquidity, Pool
from keeper.core.units import Token, TokenAmount
from keeper.venues.facts import Facts
from keeper.venues.uniswap_v2 import MAX_RESERVE, UniswapV2, UniswapV2Pin, UniswapV2State
from tests.builders import CHAIN, DAI, V2_ROUTER, address, token

ZERO, ONE = token("ZERO", 18, 0xA0), token("ONE", 6, 0xA1)
FEES = st.sampled_from([Fraction(3, 1000), Fraction(25, 10_000), Fraction(1, 1000), Fraction(0), Fraction(1, 100)])
RESERVES = st.tuples(st.integers(1, 1 << 100), st.integers(1, 1 << 100))
AMOUNTS = st.integers(1, 1 << 100)


def v2_pool(fee: Fraction = Fraction(3, 1000)) -> Pool:
    return Pool(CHAIN, "uniswap_v2", address(0xB002), (ZERO, ONE), fee, address(0xFAC), V2_ROUTER)


def state_of(reserves: tuple[int, int], fee: Fraction = Fraction(3, 1000)) -> UniswapV2State:
    return UniswapV2State(v2_pool(fee), reserves)


def out(state: UniswapV2State, raw: int, sell: Token = ZERO, buy: Token = ONE) -> int:
    found = state.out_for(TokenAmount(sell, raw), buy)
    assert isinstance(found, TokenAmount)
    return found.raw


@given(RESERVES, AMOUNTS)
def test_out_for__at_three_per_mille__is_the_contracts_formula(reserves: tuple[int, int], a: int) -> None:
    ri, ro = reserves
    assert out(state_of(reserves), a) == a * 997 * ro // (ri * 1000 + a * 997)


@given(RESERVES, AMOUNTS, st.sampled_from([(9975, 10_000), (998, 1000), (9990, 10_000), (99, 100)]))
def test_out_for__of_a_fork__is_the_same_with_its_own_factors(
    reserves: tuple[int, int], a: int, factors: tuple[int, int]
) -> None:
    kept, whole = factors
    ri, ro = reserves
    state = state_of(reserves, 1 - Fraction(kept, whole))
    assert out(state, a) == a * kept * ro // (ri * whole + a * kept)


@given(RESERVES, AMOUNTS)
def test_in_for__at_three_per_mille__is_the_contracts_formula(reserves: tuple[int, int], wanted: int) -> None:
    ri, ro = reserves
    found = state_of(reserves).in_for(TokenAmount(ONE, wanted), ZERO)
    if wanted >= ro:
        assert isinstance(found, NoLiquidity)
        return
    expected = ri * wanted * 1000 // ((ro - wanted) * 997) + 1
    if ri + expected > MAX_RESERVE:
        assert isinstance(found, LimitExceeded)
    else:
        assert found == TokenAmount(ZERO, expected)


@given(RESERVES, AMOUNTS, AMOUNTS, FEES)
def test_out_for__of_more__is_never_less_and_never_more_than_the_parts(
    reserves: tuple[int, int], a: int, b: int, fee: Fraction
) -> None:
    state = state_of(reserves, fee)
    whole = out(state, a + b)
    assert whole >= max(out(state, a), out(state, b))
    assert whole <= out(state, a) + out(state, b) + 1
    assert whole < reserves[1]


@given(RESERVES, AMOUNTS, FEES)
def test_marginal__is_no_worse_than_the_average(reserves: tuple[int, int], a: int, fee: Fraction) -> None:
    state = state_of(reserves, fee)
    marginal = state.marginal(ZERO, ONE)
    assert isinstance(marginal, Fraction)
    assert marginal >= Fraction(out(state, a), a)


@given(RESERVES, AMOUNTS, FEES)
def test_in_for__of_what_comes_out__asks_no_more_and_suffices(reserves: tuple[int, int], a: int, fee: Fraction) -> None:
    state = state_of(reserves, fee)
    brings = out(state, a)
    if not brings:
        return
    needed = state.in_for(TokenAmount(ONE, brings), ZERO)
    assert isinstance(needed, TokenAmount)
    # The contract adds one even where its division is exact.
    exact = Fraction(reserves[0] * brings, reserves[1] - brings) / (1 - fee)
    assert needed.raw <= a + (exact.denominator == 1)
    assert out(state, needed.raw) >= brings


@pytest.mark.fault("M24")
@given(RESERVES, FEES)
def test_marginal__there_and_back__costs_both_fees(reserves: tuple[int, int], fee: Fraction) -> None:
    state = state_of(reserves, fee)
    there, back = state.marginal(ZERO, ONE), state.marginal(ONE, ZERO)
    assert isinstance(there, Fraction)
    assert isinstance(back, Fraction)
    assert there * back == (1 - fee) ** 2


@pytest.mark.fault("M24")
def test_quote__of_three_thousand_per_coin__is_so_in_both_directions() -> None:
    """18 and 6 decimals: a unit error is a factor of 10^12, an inversion one of 9 million."""
    state = state_of((1_000 * 10**18, 3_000_000 * 10**6), Fraction(0))
    assert out(state, 10**15) == 2_999_997
    assert out(state, 3 * 10**6, ONE, ZERO) == 999_999_000_000_999


def test_sell__to_reach_half__brings_the_weight_there() -> None:
    """MATH 2: 700 A and 600,000 B, a price of 2,000, a pool of 5,000 A and 10 million B at 0.3 %."""
    state = UniswapV2State(
        Pool(CHAIN, "uniswap_v2", address(0xB002), (ZERO, DAI), Fraction(3, 1000), address(0xFAC), V2_ROUTER),
        (5_000 * 10**18, 10**7 * 10**18),
    )
    sell = TokenAmount.from_whole(ZERO, "204.292601788")
    brings = state.out_for(sell, DAI)
    assert isinstance(brings, TokenAmount)
    held, other = (700 - sell.whole) * 2_000, 600_000 + brings.whole
    assert abs(held / (held + other) - Fraction(1, 2)) < Fraction(1, 10**11)


def test_sell__to_reach_a_price__leaves_the_pool_there() -> None:
    """MATH 2: `g·d² + (1+g)x·d + x² − x·y/P = 0`, solved here for d = 100 of 5,000."""
    x, y, d = 5_000 * 10**18, 10**7 * 10**18, 100 * 10**18
    state = state_of((x, y))
    g = Fraction(997, 1000)
    price = Fraction(x * y) / (g * d**2 + (1 + g) * x * d + x**2)
    after = Fraction(y - out(state, d), x + d)
    assert abs(after / price - 1) < Fraction(1, 10**18)


@pytest.mark.fault("M12")
@pytest.mark.parametrize("reserves", [(0, 0), (0, 10**18), (10**18, 0)])
def test_quote__of_an_empty_or_one_sided_pair__is_no_liquidity(reserves: tuple[int, int]) -> None:
    state = state_of(reserves)
    for sell, buy in ((ZERO, ONE), (ONE, ZERO)):
        assert isinstance(state.out_for(TokenAmount(sell, 1), buy), NoLiquidity)
        assert isinstance(state.in_for(TokenAmount(buy, 1), sell), NoLiquidity)
        assert isinstance(state.marginal(sell, buy), NoLiquidity)


@pytest.mark.fault("M19")
@pytest.mark.parametrize("wanted", [10**18, 10**18 + 1, 1 << 200])
def test_in_for__all_that_the_pair_holds_or_more__is_no_liquidity(wanted: int) -> None:
    assert isinstance(state_of((10**18, 10**18)).in_for(TokenAmount(ONE, wanted), ZERO), NoLiquidity)


def test_quote__beyond_uint112__is_a_limit() -> None:
    state = state_of((MAX_RESERVE - 10, 10**18))
    assert isinstance(state.out_for(TokenAmount(ZERO, 10), ONE), TokenAmount)
    assert isinstance(state.out_for(TokenAmount(ZERO, 11), ONE), LimitExceeded)
    assert isinstance(state.in_for(TokenAmount(ONE, 10**17), ZERO), LimitExceeded)


@pytest.mark.parametrize("raw", [0, -1])
def test_quote__of_nothing__is_a_limit(raw: int) -> None:
    state = state_of((10**18, 10**18))
    assert state.out_for(TokenAmount(ZERO, raw), ONE) == LimitExceeded(f"amount: expected more than 0, was {raw}")
    assert isinstance(state.in_for(TokenAmount(ONE, raw), ZERO), LimitExceeded)


def test_quote__of_another_token__is_refused() -> None:
    state = state_of((10**18, 10**18))
    assert state.out_for(TokenAmount(DAI, 1), ONE) == NoLiquidity("does not trade DAI for ONE")
    assert isinstance(state.out_for(TokenAmount(ONE, 1), ONE), NoLiquidity)


# --- reading -------------------------------------------------------------------------------------------------------


def words(*figures: int) -> bytes:
    return b"".join(figure.to_bytes(32, "big") for figure in figures)


def test_decode__of_reserves__is_a_state() -> None:
    venue, pool = UniswapV2(), v2_pool()
    (read,) = venue.reads(pool, None)
    state = venue.decode(pool, {read: words(5, 7, 1_790_000_000)})
    assert state == UniswapV2State(pool, (5, 7))
    assert isinstance(state, UniswapV2State)
    assert venue.reads(pool, state) == (read,)
    assert venue.decode(pool, {}) == Needs((read,))


@pytest.mark.parametrize("answer", [None, b"", words(1, 2), words(1 << 112, 2, 3)])
def test_decode__of_a_wrong_answer__is_unusable(answer: bytes | None) -> None:
    venue, pool = UniswapV2(), v2_pool()
    (read,) = venue.reads(pool, None)
    assert isinstance(venue.decode(pool, {read: answer}), Unusable)


FACTORY = address(0xFAC)
GOOD = words(0xA0), words(0xA1), words(0xFAC), words(1, 2, 3), None


ROUTER = address(0x2007)
SALE, DEEP = 10**12, 10**30
"""What a router is asked of."""


def told(kept: int, whole: int) -> bytes:
    return words(SALE * kept * DEEP // (DEEP * whole + SALE * kept))


@pytest.mark.parametrize(
    ("answer", "fee"),
    [
        (told(997, 1000), 3_000),
        (told(9975, 10_000), 2_500),
        (told(9980, 10_000), 2_000),
        (told(1, 1), 0),
        (words(SALE * 997 // 1000), None),
        (words(SALE + 1), None),
        (words(0), None),
        (None, None),
        (b"", None),
    ],
)
def test_pin__of_a_pair__knows_its_fee_by_its_router(answer: bytes | None, fee: int | None) -> None:
    at = address(0xB002)
    tokens = address(0xA0), address(0xA1)
    pin = UniswapV2Pin({FACTORY: ROUTER})
    answers = dict(zip(pin.reads(at), [*GOOD, answer], strict=True))
    assert pin.pin(at, answers) == Facts("uniswap_v2", tokens, fee, FACTORY)
    assert UniswapV2Pin({address(0xFAD): ROUTER}).pin(at, answers) == Facts("uniswap_v2", tokens, None, FACTORY)
    assert UniswapV2Pin().pin(at, answers) == Facts("uniswap_v2", tokens, None, FACTORY)


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("wrong", [None, b"", words(0), words(1 << 161)])
def test_pin__of_a_wrong_answer__is_none(index: int, wrong: bytes | None) -> None:
    pin, at = UniswapV2Pin(), address(0xB002)
    answers = [*GOOD[:index], wrong, *GOOD[index + 1 :]]
    assert pin.pin(at, dict(zip(pin.reads(at), answers, strict=True))) is None


def test_pin__of_unsorted_tokens__is_none() -> None:
    pin, at = UniswapV2Pin(), address(0xB002)
    answers = [GOOD[1], GOOD[0], *GOOD[2:]]
    assert pin.pin(at, dict(zip(pin.reads(at), answers, strict=True))) is None


@pytest.mark.parametrize("stable", [0, 1])
def test_pin__of_a_pair_that_may_be_stable__is_none(stable: int) -> None:
    """Both kinds of pairs of Solidly and its forks."""
    pin, at = UniswapV2Pin(), address(0xB002)
    answers = dict(zip(pin.reads(at), [*GOOD[:4], words(stable)], strict=True))
    assert pin.pin(at, answers) is None


def test_pin__of_a_pair_with_four_words_of_reserves__is_none() -> None:
    """As Camelot's, whose fees differ by direction."""
    pin, at = UniswapV2Pin(), address(0xB002)
    answers = dict(zip(pin.reads(at), [*GOOD[:3], words(1, 2, 3, 4), None], strict=True))
    assert pin.pin(at, answers) is None


@given(RESERVES, AMOUNTS, FEES, st.booleans())
def test_after__of_a_sale__has_all_of_it_and_not_what_it_brought(
    reserves: tuple[int, int], a: int, fee: Fraction, is_first: bool
) -> None:
    state = state_of(reserves, fee)
    sell, buy = (ZERO, ONE) if is_first else (ONE, ZERO)
    brings, after = state.out_for(TokenAmount(sell, a), buy), state.after(TokenAmount(sell, a), buy)
    assert isinstance(brings, TokenAmount)
    if not brings.raw:
        assert after == NoLiquidity(f"brings nothing for {a} raw {sell.symbol}")
        return
    assert isinstance(after, UniswapV2State)
    moved = (a, -brings.raw) if is_first else (-brings.raw, a)
    assert after.reserves == (reserves[0] + moved[0], reserves[1] + moved[1])
    assert after.pool == state.pool
