"""When to trade and how far: the band that costs least, of tracking loss and trading cost together (MATH 1).

Drift does no harm at the target and ever more the further away it is, at the rate `G/2 · q² · drift²` a year. Trading
costs `f` for its gas, `c` for each unit traded, and `k·x²` by its own impact. Outside the trigger h it pays to trade,
back to the destination m. The volatility that makes weights drift also makes drift harmful, so it cancels: no estimate
is needed.

Everything here is in integers and fractions: the same figures give the same band on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from keeper.core.units import WHOLE_BPS

FINE = 10**12
"""Costs and bands are taken to so many parts of the vault: a hundred-millionth of a bp."""

DEFAULT_AVERSION = Fraction(3)
"""G. A loss of G/2 a year for each unit of tracking variance: an investor of average caution (MATH)."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of trading a share x of the vault, as a share of the vault: `fixed + proportional·x + impact·x²`."""

    fixed: Fraction
    """f: gas of one rebalance."""
    proportional: Fraction
    """c, one way: pool fee and half the spread."""
    impact: Fraction
    """k: for a constant-product pool the vault's value over one side of the pool."""

    def of(self, share: Fraction) -> Fraction:
        return self.fixed + self.proportional * share + self.impact * share**2


@dataclass(frozen=True, slots=True)
class Region:
    """No trade while |drift| <= trigger (h); beyond it, back to the destination (m). Shares of the vault."""

    trigger: Fraction
    destination: Fraction

    @property
    def step(self) -> Fraction:
        """d: what one trade moves."""
        return self.trigger - self.destination

    def rounded(self) -> tuple[int, int]:
        """{bps} Trigger up, so that it is never nothing; destination to the nearest, but at most the trigger.

        The loss is flat around its least, so half a bp more or less does not matter.
        """
        trigger = max(1, -(-self.trigger * WHOLE_BPS // 1))
        return trigger, min(trigger, round(self.destination * WHOLE_BPS))

    def within(self, least: Fraction, most: Fraction) -> Region:
        """The same shape with its trigger between these two."""
        trigger = min(max(self.trigger, least), most)
        return Region(trigger, self.destination * trigger / self.trigger if self.trigger else self.destination)


def spread_of_weight(weight: Fraction) -> Fraction:
    """w²(1 − w)²: how one asset's weight diffuses against the rest, for a volatility of 1 against the rest."""
    return (weight * (1 - weight)) ** 2


def spread_of_pair(one: int, other: int, weights: Sequence[Fraction]) -> Fraction:
    """How half the difference of two drifts diffuses, for a volatility of 1 between these two assets.

    A swap moves two assets at once, so its band is that of the pair. With `dy_i = w_i (dr_i − Σ w_k dr_k)` and returns
    alike and independent but for a common part, the variance of `(y_i − y_j)/2` over that of `r_i − r_j` is
    `(w_i² + w_j² − 2D²(w_i + w_j) + D² Σw²)/8` with `D = w_i − w_j`. With two assets it is `w²(1 − w)²`.
    """
    w, u = weights[one], weights[other]
    apart = (w - u) ** 2
    return (w * w + u * u - 2 * apart * (w + u) + apart * sum(each * each for each in weights)) / 8


def best_region(spread: Fraction, costs: Costs, aversion: Fraction = DEFAULT_AVERSION) -> Region:
    """The band of least loss and cost: `h·m·(h + m) = (3·spread/G)·C'` and `4hm(f − kd²) = C'd³`, C' = c + 2kd.

    One root in d on (0, √(f/k)): with `p = hm = C'd³/(4r)`, r = f − kd² and S = h + m = √(d² + 4p), `p·S = A·C'`
    becomes `d³·S = 4A·r`, squared `d⁸·r + C'·d⁹ = 16·A²·r³`. The left side rises with d and the right one falls, so
    bisection finds it. Without gas it is d = 0 and the cube-root rule.
    """
    scale = 3 * spread / aversion
    fixed, proportional, impact = (round(cost * FINE) for cost in (costs.fixed, costs.proportional, costs.impact))
    if not fixed:
        edge = Fraction(_root(scale * costs.proportional / 2 * FINE**3, 3), FINE)
        return Region(edge, edge)

    def left(d: int) -> int:
        """{1/FINE³} r = f − kd²"""
        return fixed * FINE**2 - impact * d * d

    def slope(d: int) -> int:
        """{1/FINE²} C' = c + 2kd"""
        return proportional * FINE + 2 * impact * d

    def fits(d: int) -> bool:
        r = left(d)
        if r <= 0:
            return False
        # {1/FINE^11} on both sides, denominators of the scale multiplied out
        value = d**8 * r + slope(d) * d**9
        return value * scale.denominator**2 <= 16 * scale.numerator**2 * r**3 * FINE**2

    step = _greatest(fits, FINE)
    total = isqrt(step**2 + slope(step) * step**3 // left(step))
    return Region(Fraction(total + step, 2 * FINE), Fraction(total - step, 2 * FINE))


def _greatest(fits: Callable[[int], bool], limit: int) -> int:
    """The greatest integer in 0..limit that fits, where all below it do."""
    low, high = 0, limit + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _root(value: Fraction, degree: int) -> int:
    """The greatest integer whose power is at most `value`."""
    whole = int(value)
    return _greatest(lambda x: x**degree <= whole, 1 << (whole.bit_length() // degree + 1))


def without_estimates(weight: Fraction) -> Region:
    """Where nothing is known of costs: h = max(4 %, w/5), m = h/2 (MATH 1)."""
    trigger = max(Fraction(4, 100), weight / 5)
    return Region(trigger, trigger / 2)
