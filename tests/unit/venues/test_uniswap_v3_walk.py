from keeper.core.pools import NoLiquidity
from keeper.core.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO, get_sqrt_ratio_at_tick
from keeper.venues.uniswap_v3_walk import Ticks, sqrt_ratio

EVEN = 1 << 96


def test_walk__over_words_and_ticks__stops_at_both() -> None:
    """Tick -10 is initialised; the word below ends at -2560 = -256 * 10."""
    ticks = Ticks({-1: 1 << 255, 0: 0}, {-10: 7}, 10)
    *pieces, end = ticks.walk(EVEN, 5, 20, down=True)
    at = [get_sqrt_ratio_at_tick(tick) for tick in (0, -10, -2_560)]
    assert pieces == [(EVEN, at[0], 20), (at[0], at[1], 20), (at[1], at[2], 13)]
    assert end == NoLiquidity("needs ticks below -2561, which were not read")


def test_walk__upwards__counts_a_tick_from_its_own_price() -> None:
    ticks = Ticks({0: 1 << 3}, {30: -5}, 10)
    *pieces, end = ticks.walk(EVEN, 0, 20, down=False)
    assert pieces == [(EVEN, sqrt_ratio(30), 20), (sqrt_ratio(30), sqrt_ratio(2_550), 15)]
    assert end == NoLiquidity("needs ticks above 2550, which were not read")


def test_walk__over_a_tick_that_was_not_read__says_so() -> None:
    *_, end = Ticks({0: 1 << 3}, {}, 10).walk(EVEN, 0, 20, down=False)
    assert end == NoLiquidity("crosses tick 30, which was not read")


def test_walk__over_a_tick_that_cannot_be__says_so() -> None:
    *_, end = Ticks({0: 1 << 3}, {30: -21}, 10).walk(EVEN, 0, 20, down=False)
    assert end == NoLiquidity("liquidity after tick 30 cannot be -1")


def test_walk__where_every_word_is_known__ends_at_the_last_price() -> None:
    words = dict.fromkeys(range(-20, 20), 0)
    for down, last in ((True, MIN_SQRT_RATIO + 1), (False, MAX_SQRT_RATIO - 1)):
        *_, piece = Ticks(words, {}, 200).walk(EVEN, 0, 20, down=down)
        assert not isinstance(piece, NoLiquidity)
        assert piece[1] == last
