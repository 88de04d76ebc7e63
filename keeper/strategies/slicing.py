"""Into how many slices, how far apart, how large: the arithmetic of MATH 5, in integers and fractions throughout.

No float takes part, so the same history gives the same schedule on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

YEAR = 365 * 86_400
"""{s}"""
PI_SQUARED = Fraction(9_869_604_401, 10**9)
_FINE = 10**6
"""Roots are taken to so many parts of one."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Selling `value` into a pool of `depth` (one side), at pool fee `fee`, with `gas` for each slice. All in USD.

    Between slices arbitrage brings the pool back to the edge of its fee band only, so each slice but the first also
    pays one fee's worth of basis: `cost(n) = Qφ + Qφ(1 − 1/n) + Q²/(nL) + nF`.
    """

    value: Fraction
    depth: Fraction
    fee: Fraction
    gas: Fraction

    def of(self, slices: int) -> Fraction:
        """{USD}"""
        basis = self.value * self.fee * (1 - Fraction(1, slices))
        impact = self.value**2 / (slices * self.depth)
        return self.value * self.fee + basis + impact + slices * self.gas

    def ideal(self) -> Fraction:
        """n* = √(Q(Q/L − φ)/F), where the derivative of the cost is zero; 1 where slicing saves nothing: Q/L <= φ."""
        beyond = self.value / self.depth - self.fee
        if beyond <= 0:
            return Fraction(1)
        return max(Fraction(1), root(self.value * beyond / self.gas)) if self.gas else Fraction(_FINE)

    def best(self) -> int:
        """The whole number next to n* that costs less."""
        low = int(self.ideal())
        return min(low, low + 1, key=self.of)


def root(square: Fraction) -> Fraction:
    """Its square root, rounded down to a millionth."""
    return Fraction(isqrt(int(square * _FINE**2)), _FINE)


def settling_time(fee: Fraction, volatility: Fraction) -> Fraction:
    """{s} τ = 8φ²/(π²σ²): how fast a price inside the fee band forgets where it was. `volatility` is a year's."""
    return 8 * fee**2 / (PI_SQUARED * volatility**2 / YEAR)


# --- a deadline ----------------------------------------------------------------------------------------------------


def urgency(risk: Fraction, volatility: Fraction, spacing: int, depth: Fraction) -> Fraction:
    """κ̃²τ² of Almgren and Chriss, 2000: λσ²τ²/η̃. A slice of d costs d²/L in a pool, so η̃ = τ/L and this is λσ²τL.

    `risk` is their λ {1/USD}; `volatility` a year's; `spacing` their τ {s}; `depth` {USD}.
    """
    return risk * volatility**2 / YEAR * spacing * depth


def share_now(slots: int, urgent: Fraction) -> Fraction:
    """What part of the rest the next of `slots` slices takes: 1 − sinh(κτ(slots − 1))/sinh(κτ·slots).

    `2·cosh κτ = urgent + 2` by their κ, and the quotients of neighbouring sinh follow `r(m + 1) = 1/(2·cosh κτ − r(m))`
    from r(1) = 0: no hyperbolic function is needed. Without urgency it is 1/slots.
    """
    kept, double_cosh = Fraction(0), urgent + 2
    for _ in range(slots - 1):
        kept = Fraction(int(_FINE**2 / (double_cosh - kept)), _FINE**2)
    return 1 - kept


# --- jitter --------------------------------------------------------------------------------------------------------


def draws(*salt: int) -> Iterator[Fraction]:
    """Numbers from 0 to 1 that follow from `salt` alone, and from which nobody can tell the next."""
    count = 0
    while True:
        digest = hashlib.sha256(":".join(map(str, (*salt, count))).encode()).digest()
        yield Fraction(int.from_bytes(digest[:7], "big"), 1 << 56)
        count += 1


def wait(mean: int, drawn: Fraction) -> int:
    """{s} An exponential waiting time, truncated to half the mean and twice the mean. Memoryless in between: having
    waited says nothing of when it ends."""
    # With y = e^(-x), x in [1/2, 2] is y in [e^-2, e^-1/2], on which an exponential's y is uniform.
    low, high = Fraction(135_335_283, 10**9), Fraction(606_530_660, 10**9)
    return int(mean * -_log(low + (high - low) * drawn))


def resized(mean: Fraction, variation: Fraction, drawn: Fraction) -> Fraction:
    """`mean` with a coefficient of variation: uniform within ±√3 of it, so all slices together cost (1 + CV²) in
    impact. Raises ValueError where a slice could become negative."""
    if not 0 <= variation <= Fraction(1, 2):
        raise ValueError(f"variation: expected 0 to 50 %, was {variation}")
    return mean * (1 + variation * root(Fraction(3)) * (2 * drawn - 1))


def _log(of: Fraction) -> Fraction:
    """Natural logarithm by ln y = 2·artanh((y − 1)/(y + 1)), to about nine digits between 1/8 and 1."""
    ratio = (of - 1) / (of + 1)
    step = int(ratio * _FINE**2)
    total, power = 0, step
    for odd in range(1, 90, 2):
        total += power // odd
        power = power * step // _FINE**2 * step // _FINE**2
    return Fraction(2 * total, _FINE**2)
