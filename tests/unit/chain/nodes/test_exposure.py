from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.exposure import Range, worst_day, worst_loss, worst_trade

WETH = Range(Fraction(2500), Fraction(3500), Fraction(3000))
USDC = Range(Fraction(98, 100), Fraction(102, 100), Fraction(1))


@pytest.mark.fault("R34")
def test_worst_loss__by_hand() -> None:
    # 10,000 USD of WETH believed at 2,500: 4 WETH, worth 12,000. USDC believed at 1.02: 9,803.92, less 1 %.
    assert worst_loss(Fraction(10_000), WETH, USDC, 100) == 12_000 - Fraction(10_000) / Fraction(102, 100) * Fraction(
        99, 100
    )


def test_worst_loss__prices_that_cannot_be_faked__is_what_the_floor_gives_up() -> None:
    fixed = Range(Fraction(1), Fraction(1), Fraction(1))
    assert worst_loss(Fraction(10_000), fixed, fixed, 130) == 130


def test_worst_day__is_the_worst_pair_as_often_as_trades_are_allowed() -> None:
    ranges = {"WETH": WETH, "USDC": USDC}
    each = [worst_loss(Fraction(1_000), *pair, 100) for pair in ((WETH, USDC), (USDC, WETH))]
    assert worst_trade(Fraction(1_000), ranges, 100) == max(each)
    assert worst_day(Fraction(1_000), 24, ranges, 100) == 24 * max(each)
    assert worst_trade(Fraction(1_000), {"WETH": WETH}, 100) == 0


@pytest.mark.parametrize("figures", [(0, 1, 1), (2, 3, 1), (1, 2, 3)])
def test_range__that_cannot_be__is_refused(figures: tuple[int, int, int]) -> None:
    low, high, true = map(Fraction, figures)
    with pytest.raises(ValueError, match="range: expected"):
        Range(low, high, true)


PRICES = st.fractions(min_value=Fraction(1, 100), max_value=10_000, max_denominator=1_000)


@pytest.mark.fault("R34")
@given(st.lists(PRICES, min_size=4, max_size=4), st.lists(PRICES, min_size=4, max_size=4), st.integers(0, 800))
def test_worst_loss__of_any_trade_within_the_floor__is_never_exceeded(
    one: list[Fraction], other: list[Fraction], given_up: int
) -> None:
    (low, true, told, high), (low2, true2, told2, high2) = sorted(one), sorted(other)
    clip = Fraction(10_000)
    sold = clip / told
    floor = sold * told / told2 * Fraction(10_000 - given_up, 10_000)
    lost = sold * true - floor * true2
    assert lost <= worst_loss(clip, Range(low, high, true), Range(low2, high2, true2), given_up)
