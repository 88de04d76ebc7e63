import pytest

from keeper.core.chain import Needs, Read, Unusable
from keeper.core.ticks import MAX_TICK, MIN_TICK
from keeper.venues.facts import Facts
from keeper.venues.pancake_v3 import PANCAKE_V3_PIN
from keeper.venues.slipstream import SLIPSTREAM_PIN
from keeper.venues.uniswap_v3 import (
    ENOUGH,
    REACH,
    UniswapV3,
    UniswapV3Pin,
    initialised,
    tick_read,
    word_read,
    words_between,
)
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.builders import address
from tests.unit.venues.v3_pools import Chain, v3_pool, words

VENUE, POOL = UniswapV3(), v3_pool()
CHAIN = Chain(POOL, 5, ((-600, 700, 10**18), (-100, 300, 10**18), (-2_500, 2_500, 10**15)))


def decode(chain: Chain, reads: tuple[Read, ...]) -> UniswapV3State | Needs | Unusable:
    return VENUE.decode(chain.pool, chain.answer(reads))


def test_decode__cold__asks_words_and_then_ticks() -> None:
    reads = VENUE.reads(POOL, None)
    assert len(reads) == 2
    needs = decode(CHAIN, reads)
    assert needs == Needs((word_read(POOL.address, -1), word_read(POOL.address, 0)))
    assert isinstance(needs, Needs)
    reads += needs.reads
    needs = decode(CHAIN, reads)
    assert isinstance(needs, Needs)
    assert set(needs.reads) == {tick_read(POOL.address, tick) for tick in (-600, -100, 300, 700)}
    state = decode(CHAIN, reads + needs.reads)
    assert isinstance(state, UniswapV3State)
    assert state.liquidity == 2 * 10**18 + 10**15
    assert state.nets == {-600: 10**18, -100: 10**18, 300: -(10**18), 700: -(10**18)}


def steady(chain: Chain) -> UniswapV3State:
    reads: tuple[Read, ...] = VENUE.reads(chain.pool, None)
    while isinstance(found := decode(chain, reads), Needs):
        reads += found.reads
    assert isinstance(found, UniswapV3State)
    return found


def test_decode__with_the_last_state__needs_nothing_more() -> None:
    last = steady(CHAIN)
    assert decode(CHAIN, VENUE.reads(POOL, last)) == last


@pytest.mark.parametrize("tick", [5 - ENOUGH + 1, 5 + ENOUGH - 1])
def test_decode__after_a_move_within_enough__needs_nothing_more(tick: int) -> None:
    last = steady(CHAIN)
    moved = Chain(POOL, tick, CHAIN.positions)
    assert isinstance(decode(moved, VENUE.reads(POOL, last)), UniswapV3State)


def test_decode__with_a_new_tick_near_the_price__asks_for_it_alone() -> None:
    last = steady(CHAIN)
    grown = Chain(POOL, 5, (*CHAIN.positions, (-200, 300, 5)))
    assert decode(grown, VENUE.reads(POOL, last)) == Needs((tick_read(POOL.address, -200),))


def test_decode__with_a_new_tick_far_off__does_without_and_reads_it_next_time() -> None:
    last = steady(CHAIN)
    far = (ENOUGH + REACH) // 20 * 10
    grown = Chain(POOL, 5, (*CHAIN.positions, (-100, far, 5)))
    state = decode(grown, VENUE.reads(POOL, last))
    assert isinstance(state, UniswapV3State)
    assert far not in state.nets
    assert tick_read(POOL.address, far) in VENUE.reads(POOL, state)


def test_decode__after_a_jump_out_of_the_words__asks_for_the_new_ones() -> None:
    last = steady(CHAIN)
    needs = decode(Chain(POOL, 20_000, CHAIN.positions), VENUE.reads(POOL, last))
    assert needs == Needs(tuple(word_read(POOL.address, index) for index in (7, 8)))


def test_decode__without_the_basis__asks_for_it() -> None:
    assert VENUE.decode(POOL, {}) == Needs(VENUE.reads(POOL, None))


SLOT0, LIQUIDITY = VENUE.reads(POOL, None)
EVEN = 1 << 96


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({SLOT0: None}, "slot0() does not answer"),
        ({SLOT0: words(EVEN, 0, 0, 1, 1, 0)}, "slot0() does not answer"),
        ({LIQUIDITY: None}, "liquidity() does not answer"),
        ({LIQUIDITY: b""}, "liquidity() does not answer"),
        ({SLOT0: words(0, 0, 0, 0, 0, 0, 0)}, "the pool has no price yet"),
        ({SLOT0: words(EVEN, 0, 0, 1, 1, 0, 0)}, "the pool is locked"),
        ({SLOT0: words(EVEN, 1, 0, 1, 1, 0, 1)}, f"price {EVEN} is not in tick 1"),
        ({SLOT0: words(EVEN, -2, 0, 1, 1, 0, 1)}, f"price {EVEN} is not in tick -2"),
        ({SLOT0: words(EVEN, MAX_TICK, 0, 1, 1, 0, 1)}, f"price {EVEN} is not in tick {MAX_TICK}"),
        ({LIQUIDITY: words(1 << 128)}, f"liquidity: expected at most 2**128 - 1, was {1 << 128}"),
        ({word_read(POOL.address, 0): None}, "tickBitmap(0) does not answer"),
        ({tick_read(POOL.address, 300): None}, "ticks(300) does not answer"),
        ({tick_read(POOL.address, 300): words(1, 2)}, "ticks(300) does not answer"),
        ({tick_read(POOL.address, 300): words(*[0] * 8)}, "tick 300 is in the bitmap and has no liquidity"),
    ],
)
def test_decode__of_a_wrong_answer__is_unusable(broken: dict[Read, bytes | None], reason: str) -> None:
    answers = CHAIN.answer(VENUE.reads(POOL, steady(CHAIN))) | broken
    assert VENUE.decode(POOL, answers) == Unusable(reason)


def test_decode__of_a_price_on_its_ticks_upper_edge__is_a_state() -> None:
    """A swap that ended exactly on tick 0 coming from above left the pool in tick -1."""
    answers = CHAIN.answer(VENUE.reads(POOL, steady(CHAIN))) | {SLOT0: words(EVEN, -1, 0, 1, 1, 0, 1)}
    assert isinstance(VENUE.decode(POOL, answers), UniswapV3State)


@pytest.mark.parametrize(("spacing", "most"), [(1, 9), (10, 2), (60, 2), (200, 2)])
def test_reach__at_each_spacing__costs_few_words(spacing: int, most: int) -> None:
    counts = {len(words_between(tick - REACH, tick + REACH, spacing)) for tick in range(-60_000, 60_000, 37)}
    assert max(counts) == most


def test_words__at_the_ends__stop_where_the_ticks_do() -> None:
    assert words_between(MIN_TICK - REACH, MIN_TICK, 1) == range(-3_466, -3_465)
    assert words_between(MAX_TICK, MAX_TICK + REACH, 1) == range(3_465, 3_466)


def test_initialised__of_words__are_the_ticks_of_their_bits() -> None:
    bits = {-1: 1 << 255 | 1, 0: 0b101}
    assert list(initialised(bits, -10_000, 10_000, 10)) == [-2_560, -10, 0, 20]
    assert list(initialised(bits, -10, 10, 10)) == [-10, 0]


def test_venue__with_less_reach_than_enough__is_refused() -> None:
    with pytest.raises(ValueError, match="reach: expected at least 500 ticks, was 10"):
        UniswapV3(reach=10, enough=500)


NO_MARKS = (None, None, None)
GOOD = (words(0xA0), words(0xA1), words(0xFAC), words(500), words(10), words(EVEN, 0, 0, 1, 1, 0, 1), *NO_MARKS)


def test_pin__of_a_pool__knows_its_fee_and_spacing() -> None:
    pin, at = UniswapV3Pin(), address(0xB003)
    answers = dict(zip(pin.reads(at), GOOD, strict=True))
    assert pin.pin(at, answers) == Facts("uniswap_v3", (address(0xA0), address(0xA1)), 500, address(0xFAC), 10)


@pytest.mark.parametrize(
    ("index", "wrong"),
    [
        *((index, wrong) for index in range(6) for wrong in (None, b"", words(1, 2))),
        (0, words(0xA2)),
        (1, words(0)),
        (2, words(0)),
        (3, words(1_000_000)),
        (4, words(0)),
        (4, words(-1)),
    ],
)
def test_pin__of_a_wrong_answer__is_none(index: int, wrong: bytes | None) -> None:
    pin, at = UniswapV3Pin(), address(0xB003)
    answers = [*GOOD[:index], wrong, *GOOD[index + 1 :]]
    assert pin.pin(at, dict(zip(pin.reads(at), answers, strict=True))) is None


LIKE_PANCAKE = (*GOOD[:5], words(EVEN, 0, 0, 1, 1, 216_272_100, 1), words(0), None, None)
LIKE_SLIPSTREAM = (*GOOD[:5], words(EVEN, 0, 0, 1, 1, 1), None, words(0), None)
PINS = (UniswapV3Pin(), PANCAKE_V3_PIN, SLIPSTREAM_PIN)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (GOOD, "uniswap_v3"),
        (LIKE_PANCAKE, "pancake_v3"),
        ((*LIKE_PANCAKE[:5], words(EVEN, 0, 0, 1, 1, 0, 1), words(0xFA12), None, None), "pancake_v3"),
        (LIKE_SLIPSTREAM, "slipstream"),
        ((*GOOD[:6], words(0), words(0), None), None),
        ((*GOOD[:6], None, words(0), None), None),
        ((*LIKE_SLIPSTREAM[:6], None, None, None), None),
        ((*GOOD[:6], None, None, words(300)), None),
        ((*GOOD[:5], words(EVEN, 0, 500, 1), *NO_MARKS), None),
    ],
    ids=[
        "uniswap",
        "pancake",
        "pancake without protocol fee",
        "slipstream",
        "two marks",
        "mark of another shape",
        "shape without its mark",
        "fee that is not fee()",
        "slot0 of four words",
    ],
)
def test_pins__of_a_fork__are_never_two(answers: tuple[bytes | None, ...], kind: str | None) -> None:
    at = address(0xB003)
    found = [pin.pin(at, dict(zip(pin.reads(at), answers, strict=True))) for pin in PINS]
    assert [facts.kind for facts in found if facts] == ([kind] if kind else [])
