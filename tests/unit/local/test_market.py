from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from keeper.local.market import amount_to_price

RESERVE = st.integers(10**6, 10**28)
PRICE = st.fractions(Fraction(1, 10**14), 10**14).filter(bool)


def price_after(x: int, y: int, sold: int) -> Fraction:
    """{y raw / x raw} without rounding the output, as the formula has it."""
    g = Fraction(997, 1000)
    return (y - g * sold * y / (x + g * sold)) / (x + sold)


@given(x=RESERVE, y=RESERVE, price=PRICE)
def test_amount_to_price__when_sold__then_one_more_would_go_beyond(x: int, y: int, price: Fraction) -> None:
    sold = amount_to_price(x, y, price)

    assert sold >= 0
    if Fraction(y, x) <= price:
        assert sold == 0
    else:
        assert price_after(x, y, sold) >= price > price_after(x, y, sold + 1)


@given(x=RESERVE, y=RESERVE, price=PRICE)
def test_amount_to_price__when_asked_from_both_sides__then_at_most_one_sells(x: int, y: int, price: Fraction) -> None:
    assert not (amount_to_price(x, y, price) and amount_to_price(y, x, 1 / price))
