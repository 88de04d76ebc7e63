"""What one leg costs inside its pool, split into fee and impact. Parts of MATH 9, in exact raw units of what is bought.

`q·mid = fee + impact + quote`: nothing is lost between the parts. What the pool's mid differs from the market's is no
part of this; see `report.cost`.
"""

from __future__ import annotations

from fractions import Fraction

from keeper.core.plan import Leg


def value_at_mid(leg: Leg) -> Fraction:
    """{buy raw} What the amount sold would bring without size and without fee."""
    # {buy raw} = {sell raw} * {buy raw / sell raw}
    return leg.sell.raw * leg.mid


def fee_part(leg: Leg) -> Fraction:
    """{buy raw} The pool's fee, taken from what is sold: `q·mid·φ`."""
    return value_at_mid(leg) * leg.fee


def impact_part(leg: Leg) -> Fraction:
    """{buy raw} How much worse the quote is because of its size: `q·mid·(1 − φ) − quote`. Rounding included."""
    return value_at_mid(leg) * (1 - leg.fee) - leg.quote.raw


def impact_ratio(leg: Leg) -> Fraction:
    """Impact as a share of the value at mid; 0 where there is none."""
    value = value_at_mid(leg)
    return impact_part(leg) / value if value else Fraction(0)
