from __future__ import annotations

from fractions import Fraction
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.units import Token, TokenAmount
from keeper.core.weighing import Weighing, unit_values
from keeper.strategies.netting import Pairing
from keeper.strategies.sizing import greatest, largest_sell
from tests.builders import USDC, WETH, FakePool, fake_pool, market, token, units

A, B = token("A"), token("B")


def scales(a: int, b: int, price: int) -> Weighing:
    prices = {A: market(A, price).mid, B: market(B, 1).mid}
    return Weighing({A: units(A, a).raw, B: units(B, b).raw}, unit_values(prices))


def sized(on: Weighing, pool: FakePool, sell: Token, buy: Token, floor: int, ceiling: int) -> int:
    def quote(raw: int) -> int | None:
        out = pool.out_for(units(sell, Fraction(raw, 10**sell.decimals)), buy)
        return getattr(out, "raw", None)

    return largest_sell(on, Pairing(sell, buy, Fraction(floor), Fraction(ceiling)), quote)


def test_largest_sell__worked_example__is_the_closed_form() -> None:
    """MATH 2: a=700, b=600,000, p=2000, w=.5, x=5000, y=1e7, g=.997 -> d=204.292601788; without impact 200."""
    pool = fake_pool(units(A, 5000), units(B, 10**7))
    found = sized(scales(700, 600_000, 2000), pool, A, B, 5000, 5000)
    assert abs(Fraction(found, 10**18) - Fraction("204.292601788")) < Fraction(1, 10**9)


def test_largest_sell__worked_example__solves_the_quadratic_to_the_wei() -> None:
    """u·g·d² + [u(x−g·a) + w·g(b+y)]·d − x(u·a − w·b) = 0, in raw units, root rounded down."""
    unit, g, w = 10**18, Fraction(997, 1000), Fraction(1, 2)
    a, b, x, y, u = 700 * unit, 600_000 * unit, 5000 * unit, 10**7 * unit, (1 - w) * 2000
    two, one, none = u * g, u * (x - g * a) + w * g * (b + y), -x * (u * a - w * b)
    root = Fraction(isqrt(int(one**2 - 4 * two * none)))
    exact = int((-one + root) / (2 * two))
    pool = fake_pool(units(A, 5000), units(B, 10**7))
    assert abs(sized(scales(700, 600_000, 2000), pool, A, B, 5000, 5000) - exact) <= 2


def test_largest_sell__only_the_ceiling_binds__stops_there() -> None:
    pool = fake_pool(units(A, 5000), units(B, 10**7))
    to_both = sized(scales(700, 600_000, 2000), pool, A, B, 5000, 5000)
    to_ceiling = sized(scales(700, 600_000, 2000), pool, A, B, 0, 4000)
    assert 0 < to_ceiling < to_both


def test_largest_sell__pool_fills_only_part__sells_that_part() -> None:
    most = units(A, 10).raw
    pairing = Pairing(A, B, Fraction(5000), Fraction(5000))
    found = largest_sell(scales(700, 600_000, 2000), pairing, lambda raw: 1999 * raw if raw <= most else None)
    assert found == most


def test_largest_sell__no_pool_fills_anything__is_zero() -> None:
    pairing = Pairing(A, B, Fraction(5000), Fraction(5000))
    assert largest_sell(scales(700, 600_000, 2000), pairing, lambda raw: None) == 0


@pytest.mark.parametrize(("limit", "root", "hint"), [(10, 0, 0), (10, 10, 3), (10**30, 10**29 + 7, 0), (5, 99, 5)])
def test_greatest__edges__are_exact(limit: int, root: int, hint: int) -> None:
    assert greatest(lambda x: root - x, limit, hint) == min(root, limit)


@given(st.integers(0, 10**30), st.integers(0, 10**30), st.integers(0, 10**30), st.integers(1, 10**9))
def test_greatest__any_falling_room_and_any_hint__is_found(limit: int, root: int, hint: int, curve: int) -> None:
    def room(x: int) -> int:
        return root * root * curve - x * x * curve

    assert greatest(room, limit, hint) == min(root, limit)


def test_greatest__good_hint__asks_for_few_quotes() -> None:
    asked = []

    def room(x: int) -> int:
        asked.append(x)
        return 204_292_601_788_000_000_000 - x - x * x // 10**22

    greatest(room, 10**21, 200 * 10**18)
    assert len(asked) < 20


@given(
    st.integers(0, 18),
    st.integers(1, 10**6),
    st.integers(1, 5_000),
    st.integers(0, 10_000),
    st.integers(-3, 3) | st.integers(-(10**20), 10**20),
)
def test_largest_sell__stairs_of_any_size_and_edges_however_wrong__is_what_halving_finds(
    decimals: int, depth: int, price: int, floor: int, wrong: int
) -> None:
    coarse = token("COARSE", decimals)
    prices = {A: market(A, price).mid, coarse: market(coarse, 1).mid}
    on = Weighing({A: units(A, 700).raw, coarse: 0}, unit_values(prices))
    pool = fake_pool(units(A, depth), units(coarse, depth * price))

    def quote(raw: int) -> int:
        found = pool.out_for(TokenAmount(A, raw), coarse)
        assert isinstance(found, TokenAmount)
        return found.raw

    def edge(raw: int) -> int:
        found = pool.in_for(TokenAmount(coarse, quote(raw)), A)
        assert isinstance(found, TokenAmount)
        return found.raw + wrong

    pairing = Pairing(A, coarse, Fraction(floor), Fraction(10_000))
    low, high = 0, on.raw[A] + 1
    while high - low > 1:
        middle = (low + high) // 2
        after = on.after({A: -middle, coarse: quote(middle)})
        low, high = (middle, high) if after.value(A) * 10_000 >= floor * after.total else (low, middle)
    assert largest_sell(on, pairing, quote, edge=edge) == largest_sell(on, pairing, quote) == low


def test_largest_sell__coarse_units__never_passes_the_goal() -> None:
    coarse = token("COARSE", 0)
    on = Weighing({coarse: 7, USDC: 0}, unit_values({coarse: market(coarse, 100).mid, USDC: market(USDC, 1).mid}))
    assert largest_sell(on, Pairing(coarse, USDC, Fraction(5000), Fraction(5000)), lambda raw: raw * 100 * 10**6) == 3
    assert WETH not in on.raw


# --- MATH 2, each formula beside a search on the pool itself ---------------------------------------------------------


@given(
    st.integers(100, 10_000),
    st.integers(100, 10**7),
    st.integers(1, 5_000),
    st.integers(500, 9_500),
    st.integers(1_000, 10**6),
)
def test_largest_sell__any_vault_and_pool__is_the_closed_form(
    a: int, b: int, price: int, target: int, depth: int
) -> None:
    """`u·g·d² + [u(x − g·a) + w·g(b + y)]·d − x(u·a − w·b) = 0`, u = (1 − w)p, where A is above its target."""
    unit, g, w = 10**18, Fraction(997, 1000), Fraction(target, 10_000)
    x, y, u = depth * unit, depth * price * unit, (1 - w) * price
    two, one, none = u * g, u * (x - g * a * unit) + w * g * (b * unit + y), -x * (u * a - w * b) * unit
    if none >= 0:
        return
    fine = 10**12
    root = Fraction(isqrt(int((one**2 - 4 * two * none) * fine**2)), fine)
    exact = (-one + root) / (2 * two)
    pool = fake_pool(units(A, depth), units(B, depth * price))
    # The pool keeps back less than one unit of B, which leaves room for w/u units of A.
    assert abs(sized(scales(a, b, price), pool, A, B, target, 10_000 - target) - exact) <= 2 + w / u


def test_closed_form__weight_at_the_pools_own_price__is_where_a_search_ends() -> None:
    """`w·g(b+y)·d² + [w·x(b+g(b+y)) + (1−w)x·y]·d + w·b·x² − (1−w)x·y·a = 0`, against bisection on the pool."""
    a, b, x, y, g, w = 700, 600_000, 5_000, 10**7, 0.997, 0.5

    def weight(d: float) -> float:
        out = g * d * y / (x + g * d)
        price = (y - out) / (x + d)
        return (a - d) * price / ((a - d) * price + b + out)

    low, high = 0.0, float(a)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if weight(middle) > w else (low, middle)
    two, one = w * g * (b + y), w * x * (b + g * (b + y)) + (1 - w) * x * y
    none = w * b * x**2 - (1 - w) * x * y * a
    assert low == pytest.approx((-one + (one**2 - 4 * two * none) ** 0.5) / (2 * two), rel=1e-9)


def test_closed_form__move_a_pool_to_a_price__is_where_a_search_ends() -> None:
    """`g·d² + (1+g)x·d + x² − x·y/P = 0`, P the price (y − out)/(x + d) of the reserves after it, fee included."""
    x, y, g, wanted = 5_000.0, 10_000_000.0, 0.997, 1_950.0

    def price(d: float) -> float:
        return (y - g * d * y / (x + g * d)) / (x + d)

    low, high = 0.0, x
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if price(middle) > wanted else (low, middle)
    none = x * x - x * y / wanted
    assert low == pytest.approx((-(1 + g) * x + (((1 + g) * x) ** 2 - 4 * g * none) ** 0.5) / (2 * g), rel=1e-9)
