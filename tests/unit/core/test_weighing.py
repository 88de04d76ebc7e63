from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.units import USD, Price
from keeper.core.weighing import Weighing, total_drift, unit_values
from tests.builders import DAI, USDC, WETH, market, token, units

PRICES = {WETH: market(WETH, 3120).mid, USDC: market(USDC, 1).mid}
TREASURY = Weighing({WETH: units(WETH, "412.5").raw, USDC: units(USDC, 713_000).raw}, unit_values(PRICES))


def test_unit_values__prices_with_many_digits__stay_exact() -> None:
    unit = unit_values({WETH: market(WETH, Fraction(10, 3)).mid, USDC: market(USDC, Fraction(7, 9)).mid})
    assert Fraction(unit[WETH], unit[USDC]) == Fraction(10, 3) / Fraction(7, 9) / 10**12


def test_weight__treasury__is_a_share_in_bps() -> None:
    assert (TREASURY.weight(WETH), TREASURY.weight(USDC)) == (6435, 3565)


def test_after__deltas__move_only_what_is_on_the_scales() -> None:
    after = TREASURY.after({WETH: -1, DAI: 5})
    assert after.raw == {WETH: TREASURY.raw[WETH] - 1, USDC: TREASURY.raw[USDC]}
    assert TREASURY.total - after.total == TREASURY.unit[WETH]


def test_total_drift__both_sides__add_up() -> None:
    assert total_drift(TREASURY.drifts({WETH: 6000, USDC: 4000})) == 870


def test_weight__nothing_on_the_scales__is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        TREASURY.after({token: -raw for token, raw in TREASURY.raw.items()}).weight(WETH)


@pytest.mark.fault("invariant 15")
@given(st.lists(st.tuples(st.integers(0, 36), st.integers(1, 10**12), st.integers(1, 10**40)), min_size=1, max_size=6))
def test_weights__any_decimals__sum_to_the_whole_and_equal_the_plain_definition(
    parts: list[tuple[int, int, int]],
) -> None:
    tokens = [token(f"T{i}", decimals) for i, (decimals, _, _) in enumerate(parts)]
    ratios = {t: Fraction(price, 10**8) for t, (_, price, _) in zip(tokens, parts, strict=True)}
    raw = {t: held for t, (_, _, held) in zip(tokens, parts, strict=True)}
    scales = Weighing(raw, unit_values({t: Price(t, USD, ratio) for t, ratio in ratios.items()}))
    worth = {t: Fraction(raw[t], 10**t.decimals) * ratios[t] for t in tokens}
    assert sum(scales.weight(t) for t in tokens) == 10_000
    assert all(scales.weight(t) == worth[t] / sum(worth.values()) * 10_000 for t in tokens)
