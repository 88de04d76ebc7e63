"""What it could cost if every node lied at once, and alike. Pure.

Then holdings, pools and prices are whatever the nodes say, and only what stands in the configuration holds: the sane
range of each price, the most that one trade may be worth, how many trades a day, and the floor under each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.units import WHOLE_BPS


@dataclass(frozen=True, slots=True)
class Range:
    """{USD / whole token} The static sane range of a price, and what it really is."""

    low: Fraction
    high: Fraction
    true: Fraction

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.true <= self.high:
            raise ValueError(f"range: expected 0 < low <= true <= high, was {self.low}, {self.true}, {self.high}")


def worst_loss(clip: Fraction, sold: Range, bought: Range, given_up_bps: int) -> Fraction:
    """{USD} The most that one trade can lose, at true prices.

    The sold token is believed at its lowest and the bought one at its highest, so a clip holds most of the one and
    asks for least of the other; the floor (MATH 6) gives up `given_up_bps` at most: pool fee, impact and deviation.
    """
    # {USD} = {USD believed} * {USD / sold} / {USD believed / sold}
    given = clip * sold.true / sold.low
    # {USD} = {USD believed} * {USD / bought} / {USD believed / bought}
    received = clip * bought.true / bought.high * Fraction(WHOLE_BPS - given_up_bps, WHOLE_BPS)
    return given - received


def worst_trade(clip: Fraction, ranges: Mapping[str, Range], given_up_bps: int) -> Fraction:
    """{USD} Of all pairs of these tokens, the one that loses most."""
    pairs = ((one, other) for one in ranges for other in ranges if one != other)
    return max(
        (worst_loss(clip, ranges[one], ranges[other], given_up_bps) for one, other in pairs), default=Fraction(0)
    )


def worst_day(clip: Fraction, trades: int, ranges: Mapping[str, Range], given_up_bps: int) -> Fraction:
    """{USD} Each of the day's trades at its worst: the cap on their number needs no node to be believed."""
    return trades * worst_trade(clip, ranges, given_up_bps)
