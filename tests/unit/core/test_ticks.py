from decimal import Decimal, localcontext

import pytest

from keeper.core.ticks import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    get_sqrt_ratio_at_tick,
    get_tick_at_sqrt_ratio,
    ratio_at_tick,
)


@pytest.mark.parametrize(
    ("tick", "expected"),
    [
        (MIN_TICK, MIN_SQRT_RATIO),
        (MAX_TICK, MAX_SQRT_RATIO),
        (0, 1 << 96),
        # Uniswap v3-core's own TickMath tests.
        (MIN_TICK + 1, 4295343490),
        (MAX_TICK - 1, 1461373636630004318706518188784493106690254656249),
    ],
)
def test_sqrt_ratio__at_known_tick__is_the_contracts_own(tick: int, expected: int) -> None:
    assert get_sqrt_ratio_at_tick(tick) == expected


@pytest.mark.parametrize("tick", [sign << bit for bit in range(19) for sign in (1, -1)] + [200_311, -200_311])
def test_sqrt_ratio__at_every_bit__is_near_the_real_number(tick: int) -> None:
    with localcontext(prec=60):
        exact = (Decimal("1.0001") ** tick).sqrt() * 2**96
        found = get_sqrt_ratio_at_tick(tick)
        assert abs(found - exact) <= 1 + exact * Decimal("1e-18")


def test_ratio__at_tick__grows_with_it() -> None:
    assert ratio_at_tick(-1) < ratio_at_tick(0) == 1 < ratio_at_tick(1)


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_sqrt_ratio__outside_the_range__is_refused(tick: int) -> None:
    with pytest.raises(ValueError, match=f"was {tick}"):
        get_sqrt_ratio_at_tick(tick)


@pytest.mark.parametrize("tick", [MIN_TICK, MIN_TICK + 1, -200_311, -1, 0, 1, 200_311, MAX_TICK - 1])
def test_tick__at_a_price__is_the_last_one_reached(tick: int) -> None:
    at, above = get_sqrt_ratio_at_tick(tick), get_sqrt_ratio_at_tick(tick + 1)
    assert [get_tick_at_sqrt_ratio(price) for price in (at, (at + above) // 2, above - 1)] == [tick] * 3
    assert get_tick_at_sqrt_ratio(min(above, MAX_SQRT_RATIO - 1)) == tick + (tick < MAX_TICK - 1)


@pytest.mark.parametrize("price", [0, MIN_SQRT_RATIO - 1, MAX_SQRT_RATIO])
def test_tick__of_a_price_that_no_pool_has__is_refused(price: int) -> None:
    with pytest.raises(ValueError, match="price: expected"):
        get_tick_at_sqrt_ratio(price)
