from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from keeper.strategies.volatility import Volatility
from tests.unit.strategies.four import FOUR

A, B, C, D = FOUR
VOLATILITY = Volatility({A: 6500, B: 7500, C: 9000, D: 200}, 6000)


def test_between__two_assets__is_the_variance_of_their_difference() -> None:
    expected = 0.65**2 + 0.75**2 - 2 * 0.6 * 0.65 * 0.75
    assert float(VOLATILITY.between(A, B)) == pytest.approx(expected)
    assert VOLATILITY.between(A, A) == 0


def test_diffusion__against_drawn_returns__is_how_fast_a_weight_moves() -> None:
    """200,000 returns of a ten-thousandth of a year, from one seed; sampling error 0.3 %."""
    sigma = np.array([0.65, 0.75, 0.90, 0.02])
    alike = np.full((4, 4), 0.6) + 0.4 * np.eye(4)
    draws = np.random.default_rng(4).multivariate_normal(np.zeros(4), np.outer(sigma, sigma) * alike / 10_000, 200_000)
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    moved = weights * (1 + draws)
    moved /= moved.sum(1, keepdims=True)
    for index, token in enumerate(FOUR):
        assert float(VOLATILITY.diffusion(token, FOUR)) == pytest.approx(moved[:, index].var() * 10_000, rel=0.02)


def test_diffusion_and_harm__two_assets__are_those_of_math() -> None:
    """s² = (w(1−w)q)², q² the variance between the two."""
    two = {A: 6000, D: 4000}
    q2 = VOLATILITY.between(A, D)
    assert VOLATILITY.diffusion(A, two) == VOLATILITY.diffusion(D, two) == Fraction(24, 100) ** 2 * q2
    assert VOLATILITY.harm(A, [A, D]) == VOLATILITY.harm(D, [A, D]) == q2


def test_volatility__correlation_beyond_one__refused() -> None:
    with pytest.raises(ValueError, match=r"correlation: expected -100 % to 100 %, was 10001 bps"):
        Volatility({A: 6500}, 10_001)
