from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from keeper.backtest.screens import REDRAWN, Asked, Dated, Drawn, Fixed
from keeper.core.plan import Forecast, Hold, PairBand
from keeper.core.units import WHOLE_BPS
from keeper.core.weighing import Weighing
from keeper.strategies.bands import Band, Bands
from keeper.strategies.calendar import Calendar, every
from keeper.strategies.strain import strained
from keeper.strategies.weights import Weights
from tests.builders import DAI, USDC, WETH

TARGETS = {WETH: 5_000, USDC: 3_000, DAI: 2_000}
BANDS = Bands(Band(300), Band(100), {DAI: (Band(2_000, True), Band(500, True))})
TOKENS = tuple(TARGETS)
raws = st.tuples(*[st.integers(1, 10**9)] * 3)


def drifts_of(scales: Weighing) -> list[float]:
    return [float(drift) / WHOLE_BPS for drift in scales.drifts(TARGETS).values()]


@given(raws)
def test_fixed__quiet__exactly_where_the_plans_own_screen_says_inside(held: tuple[int, int, int]) -> None:
    scales = Weighing(dict(zip(TOKENS, held, strict=True)), dict.fromkeys(TOKENS, 1))
    screen = Fixed.of([BANDS.of(token, TARGETS[token]) for token in TOKENS], 0)
    if screen.is_quiet(drifts_of(scales), float(scales.total), 0):
        assert Weights(TARGETS, BANDS).is_inside(scales)


@given(st.integers(-290, 290), st.integers(-190, 190))
def test_fixed__inside_by_more_than_a_hair__is_quiet(one: int, other: int) -> None:
    screen = Fixed.of([(Fraction(300), Fraction(100))] * 3, 0)
    if abs(one + other) < 300:
        assert screen.is_quiet([one / WHOLE_BPS, other / WHOLE_BPS, -(one + other) / WHOLE_BPS], 1e6, 0)


def test_fixed__beyond_the_trigger_but_less_than_dust__is_quiet() -> None:
    screen = Fixed.of([(Fraction(300), Fraction(300))] * 2, 1_000)
    assert screen.is_quiet([0.0305, -0.0305], 1e6, 0)  # $500 beyond
    assert not screen.is_quiet([0.0320, -0.0320], 1e6, 0)  # $2,000


def band(sell: int, buy: int, trigger: int) -> PairBand:
    return PairBand(TOKENS[sell], TOKENS[buy], trigger, trigger // 2)


@given(raws, st.tuples(*[st.integers(50, 800)] * 3))
def test_drawn__quiet__only_where_no_pair_is_strained(held: tuple[int, int, int], widths: tuple[int, int, int]) -> None:
    scales = Weighing(dict(zip(TOKENS, held, strict=True)), dict.fromkeys(TOKENS, 1))
    pairs = ((0, 1), (0, 2), (1, 2))
    bands = tuple(band(*pair, width) for pair, width in zip(pairs, widths, strict=True))
    turned = tuple(band(b, a, width) for (a, b), width in zip(pairs, widths, strict=True))
    screen = Drawn({token: place for place, token in enumerate(TOKENS)}, 0)
    screen.learn(Hold("in_band", "", forecast=Forecast(bands, Fraction(3))), 0)
    if screen.is_quiet(drifts_of(scales), float(scales.total), 1):
        assert not strained(bands + turned, scales.drifts(TARGETS))


def test_drawn__without_bands_or_a_day_later__asks() -> None:
    screen = Drawn({token: place for place, token in enumerate(TOKENS)}, 0)
    assert not screen.is_quiet([0.0, 0.0, 0.0], 1e6, 5)
    screen.learn(Hold("in_band", "", forecast=Forecast((band(0, 1, 100),), Fraction(3))), 5)
    assert screen.is_quiet([0.0, 0.0, 0.0], 1e6, 6)
    assert not screen.is_quiet([0.0, 0.0, 0.0], 1e6, 5 + REDRAWN)
    screen.learn(Hold("no_price", ""), 5 + REDRAWN)
    assert not screen.is_quiet([0.0, 0.0, 0.0], 1e6, 6 + REDRAWN)


def test_dated__after_a_date_that_was_acted_on__is_quiet_until_the_next() -> None:
    screen = Dated(Calendar(every(86_400), 3_600), Asked())
    assert not screen.is_quiet([0.5, -0.5], 1e6, 100)
    screen.learn(Hold("calendar", "acted on"), 100)
    assert screen.is_quiet([0.5, -0.5], 1e6, 86_399)
    assert not screen.is_quiet([0.5, -0.5], 1e6, 86_400)
