from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.plan import PairBand
from keeper.core.units import Token
from keeper.strategies.strain import edges, half_apart, nearest, pair_up, strained
from tests.unit.strategies.four import FOUR

A, B, C, D = FOUR


def bands(trigger: int = 400, destination: int = 200) -> list[PairBand]:
    return [PairBand(one, other, trigger, destination) for one, other in permutations(FOUR, 2)]


def drifts(*figures: int) -> dict[Token, Fraction]:
    return {token: Fraction(figure) for token, figure in zip(FOUR, figures, strict=True)}


def anything(_sell: Token, _buy: Token) -> bool:
    return True


def test_strained__half_the_difference_beyond_the_trigger() -> None:
    assert strained(bands(), drifts(400, -400, 0, 0)) == [], "exactly on the edge is inside"
    (band,) = strained(bands(), drifts(401, -400, -1, 0))
    assert (band.sell, band.buy, half_apart(band, drifts(401, -400, -1, 0))) == (A, B, Fraction(801, 2))


def test_strained__both_above_their_targets__have_nothing_to_give_each_other() -> None:
    assert strained(bands(), drifts(1_000, 100, -300, -800)) != []
    assert all(band.buy in (C, D) for band in strained(bands(), drifts(1_000, 100, -300, -800)))


def test_pair_up__one_pair__meets_at_the_destination() -> None:
    (pairing,) = pair_up(bands(), drifts(500, -420, -80, 0), FOUR, anything)
    assert (pairing.sell, pairing.buy) == (A, B)
    # Half apart 460, 200 allowed: 260 move.
    assert (pairing.floor, pairing.ceiling) == (4000 + 240, 3000 - 160)


def test_pair_up__partner_with_less_to_give__stops_at_its_target() -> None:
    first, second = pair_up(bands(), drifts(900, -100, -400, -400), FOUR, anything)[:2]
    assert {first.buy, second.buy} == {C, D}
    for pairing in (first, second):
        assert pairing.ceiling <= FOUR[pairing.buy]
        assert pairing.floor >= FOUR[pairing.sell]


def test_pair_up__no_pool_for_the_most_strained__takes_the_next() -> None:
    found = pair_up(bands(), drifts(900, -800, -100, 0), FOUR, lambda sell, buy: (sell, buy) != (A, B))
    assert [(pairing.sell, pairing.buy) for pairing in found] == [(A, C)]


def test_pair_up__importance__goes_first() -> None:
    out = drifts(900, -450, -450, 0)
    assert pair_up(bands(), out, FOUR, anything)[0].buy == B
    assert pair_up(bands(), out, FOUR, anything, lambda token: 5 if token == C else 1)[0].buy == C


@st.composite
def any_drifts(draw: st.DrawFn) -> dict[Token, Fraction]:
    figures = draw(st.lists(st.integers(-2_000, 2_000), min_size=3, max_size=3))
    return drifts(*figures, -sum(figures))


@pytest.mark.fault("M20")
@given(any_drifts(), st.integers(1, 800), st.integers(0, 100))
def test_pair_up__any_drifts__leaves_no_pair_strained_and_crosses_no_target(
    before: dict[Token, Fraction], trigger: int, share: int
) -> None:
    """Traded to their ends, the pairs are inside: a second plan would hold, so nothing goes back and forth."""
    every = bands(trigger, trigger * share // 100)
    after = dict(before)
    pairings = pair_up(every, before, FOUR, anything)
    assert len(pairings) <= 3
    for pairing in pairings:
        part = after[pairing.sell] - (pairing.floor - FOUR[pairing.sell])
        assert part == pairing.ceiling - FOUR[pairing.buy] - after[pairing.buy]
        assert part > 0
        after[pairing.sell] -= part
        after[pairing.buy] += part
    assert all(old * after[token] >= 0 and abs(after[token]) <= abs(old) for token, old in before.items())
    assert strained(every, after) == []


@given(any_drifts(), st.integers(1, 800))
def test_edges__any_drifts__somebody_is_out_exactly_where_a_pair_is_strained(
    now: dict[Token, Fraction], trigger: int
) -> None:
    every = bands(trigger, trigger // 2)
    out = [token for token in FOUR if abs(now[token]) > edges(token, every, now)[0]]
    assert bool(out) == bool(strained(every, now))
    assert all(edges(token, every, now)[1] <= edges(token, every, now)[0] for token in FOUR)


def test_edges__two_assets__are_the_band_itself() -> None:
    two = [PairBand(A, B, 400, 150), PairBand(B, A, 400, 150)]
    for drift in (-900, -399, 0, 17, 400, 2_500):
        now = {A: Fraction(drift), B: Fraction(-drift)}
        assert edges(A, two, now) == edges(B, two, now) == (400, 150)


def test_nearest__is_the_pair_that_matters() -> None:
    band = nearest(bands(), drifts(300, -100, -200, 0))
    assert (band.sell, band.buy) == (A, C)
