"""Figures as people write them: exact, and only as people write them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.config import units
from keeper.config.units import Amount, Band, Blocks, Rate, ValueRate
from keeper.core.units import USD, TokenAmount

GOOD: list[tuple[Callable[[str], Any], str, Any]] = [
    (units.decimal, "1500.25", Fraction(150_025, 100)),
    (units.decimal, "250_000", Fraction(250_000)),
    (units.decimal, "0.1", Fraction(1, 10)),
    (units.whole, "8453", 8453),
    (units.bps, "30bps", 30),
    (units.bps, "30 bps", 30),
    (units.bps, "0.3%", 30),
    (units.weight, "60%", 6_000),
    (units.weight, "33.34%", 3_334),
    (units.band, "4pp", Band(400)),
    (units.band, "400bps", Band(400)),
    (units.band, "0.5pp", Band(50)),
    (units.band, "20% of weight", Band(2_000, of_weight=True)),
    (units.duration, "0s", 0),
    (units.duration, "45s", 45),
    (units.duration, "15m", 900),
    (units.duration, "1h30m", 5_400),
    (units.duration, "2d", 172_800),
    (units.interval, "5m", 300),
    (units.interval, "3 blocks", Blocks(3)),
    (units.interval, "1 block", Blocks(1)),
    (units.block_time, "250ms", Fraction(1, 4)),
    (units.block_time, "12s", Fraction(12)),
    (units.fee, "40 gwei", 40 * 10**9),
    (units.fee, "0.05gwei", 5 * 10**7),
    (units.fee, "7 wei", 7),
    (units.amount, "0.05 ETH", Amount(Fraction(5, 100), "ETH")),
    (units.amount, "1500.25 USDC", Amount(Fraction(150_025, 100), "USDC")),
    (units.usd, "1500.25 USD", TokenAmount(USD, 1_500_250_000_000_000_000_000)),
    (units.share_rate, "25% per 24h", Rate(2_500, 86_400, "bps")),
    (units.count_rate, "24 per 24h", Rate(24, 86_400, "times")),
    (units.value_rate, "250000 USD per 24h", ValueRate(TokenAmount.from_whole(USD, 250_000), 86_400)),
    (units.value_rate, "50 USD", ValueRate(TokenAmount.from_whole(USD, 50), 86_400)),
    (units.value_a_day, "200000 USD per 24h", ValueRate(TokenAmount.from_whole(USD, 200_000), 86_400)),
    (units.value_a_day, "200000 USD", ValueRate(TokenAmount.from_whole(USD, 200_000), 86_400)),
    (units.boolean, "true", True),
    (units.boolean, "false", False),
]

BAD: list[tuple[Callable[[str], Any], str]] = [
    *[(units.decimal, text) for text in ("", "1e18", "1E3", "0x10", "010", "+1", "-1", "1.", ".5", "1,5", "∞", "NaN")],
    *[(units.decimal, text) for text in ("1_0", "1__000", "_1", "１２", "1 000", "inf", "1/3", "9" * 81)],
    *[(units.whole, text) for text in ("1.0", "1.5", "-1", "0b1", "1e3")],
    *[(units.bps, text) for text in ("30", "0.3", "30 pp", "0.5bps", "0.001%")],
    *[(units.weight, text) for text in ("60", "0.6", "60 %%", "60bps", "-1%", "0.00001%")],
    *[(units.band, text) for text in ("5%", "5", "4 pp of weight", "-4pp", "20%of weight", "20% of value", "0.001pp")],
    *[(units.duration, text) for text in ("", "15", "m", "1.5h", "30m1h", "1h1h", "01h", "1 h", "-5m", "1w", "1500ms")],
    *[(units.interval, text) for text in ("0 blocks", "-1 blocks", "1.5 blocks", "blocks", "5")],
    *[(units.fee, text) for text in ("40", "40 ether", "0.0000000001 gwei", "4e1 gwei", "40gWei")],
    *[(units.amount, text) for text in ("5", "5 ", "ETH", "5 E T H", "5 $")],
    *[(units.usd, text) for text in ("5", "5 EUR", "$5", "5 usd", "0.0000000000000000001 USD")],
    *[
        (units.share_rate, text)
        for text in ("25%", "25% per", "25% per day", "25 per 24h", "25% per 25h", "25% per 0s")
    ],
    *[(units.count_rate, text) for text in ("24", "2.5 per 24h", "24% per 24h")],
    *[(units.value_rate, text) for text in ("50", "50 per 24h", "50 EUR per 24h")],
    *[(units.value_a_day, text) for text in ("50", "50 EUR per 24h", "50 USD per 1h", "50 USD per 7d")],
    *[(units.boolean, text) for text in ("yes", "no", "NO", "on", "True", "1", "")],
]


@pytest.mark.parametrize(("parse", "text", "expected"), GOOD, ids=lambda each: each if isinstance(each, str) else "")
def test_parser__figure_as_people_write_it__exact(parse: Callable[[str], Any], text: str, expected: Any) -> None:
    assert parse(text) == expected


@pytest.mark.fault("C7", "C10")
@pytest.mark.parametrize(("parse", "text"), BAD, ids=lambda each: each[:20] if isinstance(each, str) else each.__name__)
def test_parser__any_other_notation__refused(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value)


def test_band__bare_percentage__says_both_meanings() -> None:
    with pytest.raises(ValueError, match=r"^5pp \(of the vault\) or 5% of weight \(of the asset's own target\)$"):
        units.band("5%")


figures = st.tuples(st.integers(0, 10**30), st.integers(0, 18)).map(lambda each: Fraction(each[0], 10 ** each[1]))


@pytest.mark.fault("C7")
@given(figures)
def test_plain__any_decimal__parses_back_exactly(figure: Fraction) -> None:
    assert units.decimal(units.plain(figure)) == figure


@given(st.integers(0, 10**9))
def test_duration_text__any_duration__parses_back(seconds: int) -> None:
    assert units.duration(units.duration_text(seconds)) == seconds


@given(st.integers(0, 10_000), st.booleans())
def test_band__any_band__parses_back(bps: int, of_weight: bool) -> None:
    band = Band(bps, of_weight)
    assert units.band(str(band)) == band


@given(st.integers(0, 10**15))
def test_fee_text__any_fee__parses_back_as_an_integer(wei: int) -> None:
    found = units.fee(units.fee_text(wei))
    assert found == wei
    assert type(found) is int


@pytest.mark.fault("C1")
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_weight__any_shares__sum_without_noise(shares: list[int]) -> None:
    parsed = [units.weight(f"{units.plain(Fraction(share, 100))}%") for share in shares]
    assert sum(parsed) == sum(shares)
    assert all(type(share) is int for share in parsed)


@given(st.integers(0, 10_000), st.integers(60, 86_400), st.sampled_from(["bps", "times"]))
def test_rate__any_rate__parses_back(limit: int, seconds: int, unit: str) -> None:
    rate = Rate(limit, seconds, unit)
    assert (units.share_rate if unit == "bps" else units.count_rate)(str(rate)) == rate


@given(st.text(max_size=20))
def test_parsers__any_text__a_value_or_a_refusal_never_a_float(text: str) -> None:
    for parse in (units.decimal, units.bps, units.band, units.duration, units.fee, units.amount, units.usd):
        try:
            found = parse(text)
        except ValueError:
            continue
        assert not isinstance(found, float)


def test_amount__more_decimals_than_the_token_has__refused() -> None:
    assert units.amount("0.000001 USDC").raw(6) == 1
    with pytest.raises(ValueError, match="at most 6 decimals"):
        units.amount("0.0000001 USDC").raw(6)
