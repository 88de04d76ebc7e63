from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core import text
from keeper.core.units import TokenAmount
from tests.builders import USDC, WBTC, WETH, token, units, usd


@pytest.mark.parametrize(
    ("value", "places", "sign", "expected"),
    [
        (Fraction(2469, 2), 2, False, "1,234.50"),
        (Fraction(-1, 3), 4, False, "−0.3333"),
        (Fraction(1, 1000), 2, True, "0.00"),
        (Fraction(5, 1000), 2, True, "+0.01"),
        (10**30, 0, False, "1" + ",000" * 10),
    ],
)
def test_decimal__values__are_rounded_to_the_nearest(value: Fraction, places: int, sign: bool, expected: str) -> None:
    assert text.decimal(value, places, sign) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (units(WETH, "15.06961234"), "15.0696 WETH"),
        (units(USDC, "46989.4612"), "46,989.46 USDC"),
        (units(WETH, "0.00012345678"), "0.000123457 WETH"),
        (units(WBTC, "0.00000001"), "0.00000001 WBTC"),
        (units(WETH, "0.01"), "0.0100000 WETH"),
        (units(WETH, "1.5"), "1.50000 WETH"),
        (TokenAmount(token("WHOLE", 0), 7), "7 WHOLE"),
        (TokenAmount(WETH, 0), "0.00 WETH"),
    ],
)
def test_amount__sizes__show_six_digits_that_count(value: TokenAmount, expected: str) -> None:
    assert text.amount(value) == expected


@given(st.integers(), st.integers(0, 24))
def test_amount__of_any_size__has_six_digits_that_count_or_all_of_them(raw: int, decimals: int) -> None:
    value = TokenAmount(token("ANY", decimals), raw)
    shown = text.amount(value).removesuffix(" ANY").replace(",", "").replace("−", "-")
    places = len(shown.partition(".")[2])
    if abs(value.whole) >= 1:
        wanted = 6 - len(str(int(abs(value.whole))))
    else:
        wanted = next((n for n in range(100) if abs(value.whole) * 10**n >= 1), 0) + 5 if raw else 2
    assert places == min(decimals, max(2, wanted))
    assert abs(Fraction(shown) - value.whole) * 2 * 10**places <= 1


def test_figures__of_every_kind__carry_their_units() -> None:
    assert text.usd(usd("-47017.2")) == "−$47,017.20"
    assert text.percent(6435) == "64.35 %"
    assert (text.pp(435), text.pp(-435, sign=True), text.pp(400, sign=True)) == ("4.35pp", "−4.35pp", "+4pp")
    assert (text.bps(Fraction(59, 10)), text.bps(163)) == ("5.9 bps", "163 bps")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0s"), (45, "45s"), (240, "4m"), (7500, "2h 5m"), (41 * 86_400, "41d"), (3601, "1h 1s")],
)
def test_duration__seconds__reads_short(seconds: int, expected: str) -> None:
    assert text.duration(seconds) == expected
