from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.report import format as form


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("1234567.891", 2, "1,234,567.89"),
        ("-4.35", 2, "−4.35"),
        ("-0.001", 2, "−0.0010"),
        ("0", 2, "0.00"),
        ("0.0000004567", 2, "0.00000046"),
        ("15", 0, "15"),
    ],
)
def test_amount__figure__reads_well_and_is_never_nothing(value: str, places: int, text: str) -> None:
    assert form.amount(Fraction(value), places) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [("3120", "$3,120.00"), ("1", "$1.0000"), ("0.00001234", "$0.00001234"), ("0.5", "$0.5000"), ("0", "$0.0000")],
)
def test_price__any_magnitude__keeps_four_digits(ratio: str, text: str) -> None:
    assert form.price(Fraction(ratio)) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (252, "4m"), (7_300, "2h"), (41 * 86_400, "41d"), (-90, "-1m")]
)
def test_age__seconds__is_its_largest_unit(seconds: int, text: str) -> None:
    assert form.age(seconds) == text


@pytest.mark.parametrize(("ratio", "decimals", "places"), [("3120", 18, 4), ("1", 6, 2), ("101234", 8, 6), ("5", 0, 0)])
def test_places__price_of_a_token__says_which_decimals_matter(ratio: str, decimals: int, places: int) -> None:
    assert form.places_for(Fraction(ratio), decimals) == places


def test_usd__negative__has_its_sign_first() -> None:
    assert (form.usd(Fraction("-1.2")), form.usd(Fraction(0))) == ("−$1.20", "$0.00")


def test_bands__bps__read_as_they_are_written_in_the_config() -> None:
    assert (form.band(400), form.pp(-435), form.percent(6435), form.short_percent(6000)) == (
        "±4pp",
        "−4.35pp",
        "64.35 %",
        "60 %",
    )


def test_clock__other_day__has_its_date() -> None:
    noon = 1_795_176_000
    assert (form.clock(noon, noon), form.clock(noon - 86_400, noon)) == ("12:00", "2026-11-19 12:00")


@given(st.integers(), st.integers(0, 40))
def test_exact__any_amount__has_every_digit_and_no_zero_at_the_end(raw: int, decimals: int) -> None:
    text = form.exact(raw, decimals)
    assert Fraction(text) == Fraction(raw, 10**decimals)
    assert "." not in text or text[-1] not in "0."


@given(st.integers(-(10**34), 10**34), st.integers(0, 34))
def test_decimal__what_has_few_digits__is_the_same_as_the_amount(raw: int, decimals: int) -> None:
    assert form.decimal(Fraction(raw, 10**decimals)) == form.exact(raw, decimals)


@given(st.fractions())
def test_decimal__any_ratio__is_within_a_part_in_10_to_the_35(value: Fraction) -> None:
    text = form.decimal(value)
    assert "e" not in text.lower()
    assert abs(Fraction(text) - value) <= abs(value) / 10**35
