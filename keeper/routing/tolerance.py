"""How much worse than its quote a fill may be: enough for noise, too little for a sandwich. MATH 6, in exact fractions.

Whoever orders the block can push the pool until our fill is just at min_out, and take what we lost back out of it. That
pays only if our tolerance is worth more than two swaps' fees and gas.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from keeper.core import text
from keeper.core.chain import Unusable, VaultView
from keeper.core.depth import input_reserve
from keeper.core.plan import Leg
from keeper.core.units import WHOLE_BPS, Rounding, TokenAmount, ratio_to_int

YEAR = 365 * 86_400
"""{s}"""

NOISE = 3
"""Standard deviations (z): of fills that only noise moves, one in 740 falls below; it is planned anew next cycle."""

ATTACK_GAS = 160_000
"""{gas} Two swaps of a contract made for it. Less than any that was seen, so that we err on the safe side."""

_FINE = 10**12
_MARGIN = Fraction(999, 1000)
"""Of u*, where a trade is cut: a measured depth is right to a few digits only."""


def harmless_share(fee: Fraction) -> Fraction:
    """u* = [−g²(1+g) + √(g⁴(1+g)² + 4g³(1−g²))]/(2g³), g = 1 − φ: below this share of the pool's own side no tolerance
    can be exploited, because the attacker's two fees exceed all there is to gain. Rounded down; about φ."""
    g = 1 - fee
    square = g**4 * (1 + g) ** 2 + 4 * g**3 * (1 - g**2)
    return Fraction(isqrt(int(square * _FINE**2)), _FINE) / (2 * g**3) - (1 + g) / (2 * g)


def safe_tolerance(gas: Fraction, depth: Fraction, share: Fraction, fee: Fraction) -> Fraction:
    """s_safe, for u above u*: where a sandwich earns just its gas. `gas` and `depth` (L) in USD.

    To first order an attacker who sells e·L before us costs us s = e(g + 1/(1+gu)) and earns e(g²(1+u)(1+gu) − 1)·L,
    which is zero at u*. So s_safe = gas/(L·earned/lost); for small u that is about gas/(L(u − φ)).
    """
    g, u = 1 - fee, share
    lost, earned = g + 1 / (1 + g * u), g**2 * (1 + u) * (1 + g * u) - 1
    return gas * lost / (depth * earned)


def noise(volatility: Fraction, seconds: int, deviations: int = NOISE) -> Fraction:
    """s_min = z·σ·√t: what the price does by itself until we are mined. `volatility` is a year's."""
    return Fraction(isqrt(int(deviations**2 * volatility**2 * seconds / YEAR * _FINE**2)), _FINE)


@dataclass(frozen=True, slots=True)
class Tolerable:
    """What one leg may lose to others: `bps` of its quote, and why so much; `fits` is the share of the leg that may be
    sold at once, 1 where all of it."""

    bps: int
    fits: Fraction
    why: str


@dataclass(frozen=True, slots=True)
class Tolerance:
    """`most` {bps} is never exceeded, whatever the noise. `seconds` is how long a transaction waits to be mined,
    `private` whether nobody sees it before that. Guarantees: a leg that is too large to be safe gets no wider
    tolerance, it gets smaller. Does not know of liquidity that somebody adds for one block."""

    volatility: Fraction
    seconds: int
    most: int
    private: bool = False

    def of(self, leg: Leg, view: VaultView) -> Tolerable:
        wanted = noise(self.volatility, self.seconds)
        bps = min(max(1, ratio_to_int(wanted * WHOLE_BPS, Rounding.UP)), self.most)
        asked = f"noise asks for {text.bps(wanted * WHOLE_BPS)}"
        if bps < wanted * WHOLE_BPS:
            asked += f", {text.bps(bps)} is the most allowed"
        share, harmless = input_share(leg), harmless_share(leg.fee)
        if share <= harmless:
            return Tolerable(bps, Fraction(1), f"{asked}; too small to be sandwiched at a profit")
        depth = view.price(leg.sell.token).mid.value(leg.sell).whole / share
        safe = safe_tolerance(attack_gas(view), depth, share, leg.fee) * WHOLE_BPS if depth else Fraction(0)
        limit = f"{text.bps(safe)} is safe for {text.percent(share * WHOLE_BPS)} of the pool"
        if bps <= safe:
            return Tolerable(bps, Fraction(1), f"{asked}; {limit}")
        if self.private:
            return Tolerable(bps, Fraction(1), f"{asked}; sent privately, as {limit}")
        return Tolerable(bps, harmless / share * _MARGIN, f"{asked}; {limit}")


def input_share(leg: Leg) -> Fraction:
    """u = v/x: what is sold, over what the pool has of it; 0 where the pool does not feel it."""
    reserve = input_reserve(leg.sell.raw, leg.quote.raw, leg.mid * (1 - leg.fee), leg.fee)
    return Fraction(0) if not reserve else leg.sell.raw / reserve


def attack_gas(view: VaultView) -> Fraction:
    """{USD} What a sandwich burns at least: the base fee, without any tip. Nothing where it cannot be valued, so that
    every exploitable trade becomes a smaller one."""
    if isinstance(view.native_price, Unusable):
        return Fraction(0)
    price = view.tip or 0 if view.block.base_fee is None else view.block.base_fee
    return view.native_price.low.value(TokenAmount(view.native.token, ATTACK_GAS * price)).whole
