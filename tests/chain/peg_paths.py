"""What happened to coins that should have been worth a dollar, in round figures of the public record.

Each path is points in hours; between two of them prices go in a straight line. `coin` is the price of the coin where
the keeper trades, `elsewhere` what others pay for it, `against` the price of what it is traded for, all in USD.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise


@dataclass(frozen=True)
class Moment:
    minute: int
    coin: Fraction
    elsewhere: Fraction
    against: Fraction
    sequencer: bool = True
    """Whether it is up."""


@dataclass(frozen=True)
class Path:
    name: str
    every: int
    """{minutes} From look to look."""
    points: tuple[tuple[float, float, float, float], ...]
    """(hour, coin, elsewhere, against)"""
    silent: tuple[float, float] | None = None
    """{hours} No block at all between these: the sequencer stands still."""

    def moments(self) -> Iterator[Moment]:
        for (start, *before), (end, *after) in pairwise(self.points):
            for minute in range(round(start * 60), round(end * 60), self.every):
                share = Fraction(minute - round(start * 60), round(end * 60) - round(start * 60))
                prices = [_exact(a) + (_exact(b) - _exact(a)) * share for a, b in zip(before, after, strict=True)]
                hour = minute / 60
                if self.silent is None or not self.silent[0] <= hour < self.silent[1]:
                    yield Moment(minute, *prices)


def _exact(price: float) -> Fraction:
    return Fraction(round(price * 10_000), 10_000)


USDC_2023 = Path(
    "USDC, March 2023",
    30,
    (
        (0, 1, 1, 1),
        (12, 0.9998, 0.9998, 1),  # Friday the 10th: a bank that holds reserves is closed
        (16, 0.9975, 0.9975, 1),
        (18, 0.9900, 0.9900, 1),
        (22, 0.9600, 0.9600, 1),
        (27, 0.8800, 0.8800, 1),  # Saturday morning
        (30, 0.9200, 0.9200, 1),
        (36, 0.9600, 0.9600, 1),
        (44, 0.9650, 0.9650, 1),
        (52, 0.9900, 0.9900, 1),  # Sunday night: deposits are guaranteed
        (56, 0.9980, 0.9980, 1),
        (64, 1, 1, 1),
    ),
)
"""The coin that was bought by whoever believed that a dollar is a dollar, at 0.99, 0.95 and 0.90."""

AGAINST_USDC_2023 = Path(
    "a coin against USDC, March 2023",
    30,
    tuple((hour, 1.0, 1.0, coin) for hour, coin, _, _ in USDC_2023.points),
)
"""The same days for a coin that kept its dollar: in the pool it seems to rise to 1.14 USDC."""

UST_2022 = Path(
    "UST, May 2022",
    30,
    (
        (0, 1, 1, 1),
        (10, 0.9990, 0.9990, 1),
        (14, 0.9970, 0.9970, 1),  # Saturday the 7th: large sales
        (17, 0.9900, 0.9900, 1),
        (19, 0.9860, 0.9860, 1),
        (24, 0.9945, 0.9945, 1),  # defended
        (40, 0.9955, 0.9955, 1),
        (46, 0.9700, 0.9700, 1),  # Monday the 9th
        (49, 0.8500, 0.8500, 1),
        (51, 0.6500, 0.6500, 1),
        (56, 0.9000, 0.9000, 1),
        (66, 0.4500, 0.4500, 1),
        (72, 0.2500, 0.2500, 1),
    ),
)

USDE_2025 = Path(
    "a wick on one venue, as USDe in October 2025",
    5,
    (
        (0, 1, 1, 1),
        (3, 0.9992, 0.9996, 1),
        (3.4, 0.9960, 0.9985, 1),
        (3.6, 0.6500, 0.9960, 1),  # on this venue only
        (3.8, 0.8800, 0.9955, 1),
        (4.2, 0.9800, 0.9970, 1),
        (5, 0.9980, 0.9985, 1),
        (8, 0.9995, 0.9995, 1),
    ),
)

SEQUENCER = Path(
    "a sequencer that stops for 45 minutes",
    3,
    (
        (0, 1, 1, 1),
        (1, 0.9995, 0.9995, 1),
        (1.5, 0.9988, 0.9988, 1),  # still inside its band when the blocks stop
        (2.25, 0.9700, 0.9700, 1),  # the world goes on; the first block brings all of it at once
        (2.6, 0.9860, 0.9860, 1),
        (3.2, 0.9975, 0.9975, 1),
        (4.5, 0.9990, 0.9990, 1),
    ),
    silent=(1.5, 2.25),
)
