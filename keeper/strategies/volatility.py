"""How much assets move, and together: what forecasts and budgets need, and bands do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.units import WHOLE_BPS, Token

DEFAULT_CORRELATION = 6_000
"""{bps} Between any two: daily returns of large crypto assets have been 0.5 to 0.8 correlated. It hardly matters
against an asset that barely moves."""


@dataclass(frozen=True, slots=True)
class Volatility:
    """Annual volatility of each asset in the numeraire and one correlation between any two, in bps.

    Raises ValueError where a correlation is not between −1 and 1.
    """

    of: Mapping[Token, int]
    correlation: int = DEFAULT_CORRELATION

    def __post_init__(self) -> None:
        if not -WHOLE_BPS <= self.correlation <= WHOLE_BPS:
            raise ValueError(f"correlation: expected -100 % to 100 %, was {self.correlation} bps")

    def covariance(self, one: Token, other: Token) -> Fraction:
        """Of yearly returns."""
        shared = Fraction(1) if one == other else Fraction(self.correlation, WHOLE_BPS)
        return Fraction(self.of[one] * self.of[other], WHOLE_BPS**2) * shared

    def between(self, one: Token, other: Token) -> Fraction:
        """Variance of one asset against another, q² of a vault of two."""
        return self.covariance(one, one) + self.covariance(other, other) - 2 * self.covariance(one, other)

    def diffusion(self, token: Token, targets: Mapping[Token, int]) -> Fraction:
        """s²: yearly variance of a weight, `w²` times the variance of the asset against the whole vault."""
        shares = {each: Fraction(target, WHOLE_BPS) for each, target in targets.items()}
        with_whole = sum((share * self.covariance(token, each) for each, share in shares.items()), Fraction(0))
        whole = sum((a * b * self.covariance(i, j) for i, a in shares.items() for j, b in shares.items()), Fraction(0))
        return shares[token] ** 2 * (self.covariance(token, token) - 2 * with_whole + whole)

    def harm(self, token: Token, tokens: Sequence[Token]) -> Fraction:
        """Tracking variance for each squared drift of this asset, where the others make up for it evenly."""
        others = [other for other in tokens if other != token]
        return sum((self.between(token, other) for other in others), Fraction(0)) / len(others)
