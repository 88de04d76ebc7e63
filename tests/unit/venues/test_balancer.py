from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import Needs, Unusable
from keeper.core.pools import Details, Paused, Pool
from keeper.core.units import TokenAmount
from keeper.venues.balancer import Balancer
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_traits import CLOCK, traits_of
from keeper.venues.balancer_weighted import WeightedState
from tests.builders import NOW, address
from tests.unit.venues.balancer_pools import (
    AT,
    FEE,
    HALF,
    ONE_TOKEN,
    TWO,
    ZERO,
    answers_of,
    balancer_pool,
    holdings,
    scales,
    stable_pool,
    words,
)

VENUE = Balancer()
WEIGHTED = balancer_pool()
PROVIDER = address(0xF00)
COMPOSABLE: Details = (
    ("rounding", "down"),
    ("rates", "refreshed"),
    ("pool_token", 1),
    ("rate_provider1", PROVIDER),
)
RATED = stable_pool(COMPOSABLE)
HELD = (10**24, 10**12, 10**14)
OLD, NEW = ONE * 11 // 10, ONE * 12 // 10


def decoded(pool: Pool, changes: dict[str, bytes | None] | None = None) -> WeightedState | StableState:
    found = VENUE.decode(pool, answers_of(pool, HELD[: len(pool.tokens)], changes=changes))
    assert isinstance(found, WeightedState | StableState), found
    return found


def rated(kept: bytes | None, fresh: bytes | None, pool: Pool = RATED, clock: bytes | None = b"") -> object:
    """The scales of a pool whose ONE has a rate, or why it is not usable."""
    answers = answers_of(pool, HELD, own=1 << 111)
    (rate,) = traits_of(pool).rates
    answers[rate.cached] = kept
    if rate.fresh is not None:
        answers[rate.fresh] = fresh
        answers[CLOCK] = words(NOW) if clock == b"" else clock
    found = VENUE.decode(pool, answers)
    return found.scales if isinstance(found, StableState) else found


def scales_at(rate: int) -> tuple[int, ...]:
    zero, one, two = scales((ZERO, ONE_TOKEN, TWO))
    return zero, one * rate // ONE, two


def test_decode__a_weighted_pool__is_its_state() -> None:
    pool = WEIGHTED
    assert decoded(pool) == WeightedState(pool, HELD[:2], scales(pool.tokens), FEE, "", (HALF, HALF), True)
    assert len(VENUE.reads(pool, None)) == 4


def test_decode__a_stable_pool__is_its_state() -> None:
    pool = stable_pool((("rounding", "up"),))
    assert decoded(pool) == StableState(pool, HELD, scales(pool.tokens), FEE, "", 200_000, True)
    assert len(VENUE.reads(pool, None)) == 5


def test_decode__a_composable_pool__leaves_its_own_token_out() -> None:
    kept = words(OLD, OLD, 3_600, NOW + 9)
    answers = answers_of(RATED, HELD, own=1 << 111)
    (rate,) = traits_of(RATED).rates
    found = VENUE.decode(RATED, answers | {rate.cached: kept, rate.fresh: words(OLD)})  # type: ignore[dict-item]
    assert isinstance(found, StableState)
    assert found.balances == HELD
    assert found.pool.tokens == (ZERO, ONE_TOKEN, TWO)


def test_decode__without_answers__needs_them_all() -> None:
    assert VENUE.decode(RATED, {}) == Needs(VENUE.reads(RATED, None))
    assert len(VENUE.reads(RATED, None)) == 8


def test_decode__another_fee_than_was_pinned__goes_by_the_new_one() -> None:
    state = decoded(WEIGHTED, {"fee": words(42_500_000_000_000)})
    assert state.fee == 42_500_000_000_000
    assert state.pool == replace(WEIGHTED, fee=Fraction(425, 10**7))
    assert decoded(WEIGHTED).pool is WEIGHTED


@pytest.mark.parametrize(("name", "who"), [("pause", "the pool"), ("vault_pause", "the Vault")])
def test_decode__paused__is_a_state_that_quotes_nothing(name: str, who: str) -> None:
    state = decoded(WEIGHTED, {name: words(1, NOW, NOW)})
    assert state.out_for(TokenAmount(ZERO, 1), ONE_TOKEN) == Paused(f"{who} is paused")


# Each way in which a rate may be known.
@pytest.mark.parametrize(
    ("kept", "fresh", "rate"),
    [
        (words(OLD, OLD, 3_600, NOW + 1), words(NEW), OLD),
        (words(OLD, OLD, 3_600, NOW), words(NEW), OLD),
        (words(OLD, OLD, 3_600, NOW - 1), words(NEW), NEW),
        (words(OLD, 3_600, NOW - 1), words(NEW), NEW),
        (words(OLD, 3_600, NOW), words(NEW), OLD),
        (words(OLD, OLD, 3_600, NOW + 1), None, OLD),
    ],
    ids=["young", "at its end", "expired", "expired, of three words", "young, of three words", "provider silent"],
)
def test_decode__a_cached_rate__is_refreshed_once_it_has_expired(kept: bytes, fresh: bytes | None, rate: int) -> None:
    assert rated(kept, fresh) == scales_at(rate)


def test_decode__a_phantom_pools_rate__is_the_cached_one_however_old() -> None:
    pool = stable_pool((*COMPOSABLE[:1], ("rates", "as_cached"), *COMPOSABLE[2:]))
    assert rated(words(OLD, 3_600, NOW - 1), None, pool) == scales_at(OLD)
    assert CLOCK not in VENUE.reads(pool, None)


def test_decode__the_rate_of_a_pair__is_asked_for_by_its_own_name() -> None:
    pool = stable_pool((("rounding", "up"), ("rates", "of_pair"), ("rate_provider1", PROVIDER)))
    assert rated(words(OLD, 3_600, NOW - 1), words(NEW), pool) == scales_at(NEW)
    assert traits_of(pool).rates[0].cached != traits_of(RATED).rates[0].cached


def test_decode__an_equal_rate__needs_no_time() -> None:
    assert rated(words(OLD, OLD, 3_600, NOW - 1), words(OLD), clock=None) == scales_at(OLD)


@pytest.mark.parametrize(
    ("kept", "fresh", "clock", "why"),
    [
        (None, words(NEW), words(NOW), "cached rate of token 1 does not answer"),
        (words(OLD, OLD, 1, NOW - 1), None, words(NOW), "its provider does not tell another"),
        (words(OLD, OLD, 1, NOW - 1), words(0), words(NOW), "its provider does not tell another"),
        (words(OLD, OLD, 1, NOW - 1), words(1 << 96), words(NOW), "its provider does not tell another"),
        (words(OLD, OLD, 1, NOW + 1), words(NEW), None, "does not tell the block's time"),
    ],
)
def test_decode__a_rate_that_cannot_be_known__is_unusable(
    kept: bytes | None, fresh: bytes | None, clock: bytes | None, why: str
) -> None:
    found = rated(kept, fresh, clock=clock)
    assert isinstance(found, Unusable)
    assert why in found.reason


OTHERS = holdings([ZERO.address, address(0xE1)], HELD[:2])


@pytest.mark.parametrize(
    ("name", "answer", "why"),
    [
        ("holdings", None, "getPoolTokens() does not answer"),
        ("holdings", b"", "getPoolTokens() does not answer"),
        ("holdings", holdings([ZERO.address], HELD[:1]), "getPoolTokens() does not answer"),
        ("holdings", OTHERS, "registers other tokens"),
        ("holdings", holdings([ZERO.address, ONE_TOKEN.address], (1, 1 << 112)), "at most 2**112 - 1"),
        ("fee", None, "getSwapFeePercentage()"),
        ("fee", words(ONE), "getSwapFeePercentage()"),
        ("pause", None, "getPausedState() of the pool"),
        ("vault_pause", words(0), "getPausedState() of the Vault"),
    ],
)
def test_decode__broken_answers__are_unusable(name: str, answer: bytes | None, why: str) -> None:
    found = VENUE.decode(WEIGHTED, answers_of(WEIGHTED, HELD[:2], changes={name: answer}))
    assert isinstance(found, Unusable)
    assert why in found.reason


def test_decode__a_stable_pool_without_amplification__is_unusable() -> None:
    pool = stable_pool()
    for answer in (None, words(0, 0, 1_000), words(200_000)):
        found = VENUE.decode(pool, answers_of(pool, HELD, changes={"amp": answer}))
        assert found == Unusable("getAmplificationParameter() does not answer")


def test_traits__of_a_pool_of_another_family__are_a_mistake() -> None:
    with pytest.raises(KeyError, match="pool_id"):
        traits_of(replace(WEIGHTED, details=()))
    assert traits_of(WEIGHTED).pause.to == AT
