"""Draws `docs/strategies/peg.svg`: UST in May 2022, ridden without a chain. `python -m bench.peg_picture` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from keeper.core.plan import Hold, Rebalance
from tests.chain.peg_paths import UST_2022
from tests.unit.strategies.peg_rides import BLOCK_TIME, Ride, make_peg

FILE = Path(__file__).parents[1] / "docs" / "strategies" / "peg.svg"
WIDTH, HEIGHT, LEFT, TOP = 720, 300, 56, 24
TITLE = "UST, May 2022: bought (dots) inside the wall, nothing while a price is beyond it (shaded)"
HOURS, TOP_PRICE, LOW_PRICE = 54, 10_040, 9_780
"""{h, bps of the peg} What is shown; the price goes on far below."""


@dataclass(frozen=True)
class Seen:
    hour: float
    bps: float
    """{bps of the peg}"""
    what: str
    """`bought`, or the code of the hold."""


def ride() -> Iterator[Seen]:
    """One look in half an hour, with a mean of two hours, $250,000 a side and day."""
    peg = make_peg()
    belief = type(peg.belief)(peg.belief.sources, time=7_200, looks=10)
    going = Ride(type(peg)(peg.pair, peg.goal, peg.bands, belief, peg.means, peg.pace, peg.persist, Fraction(1)))
    for moment in UST_2022.moments():
        if moment.minute > HOURS * 60:
            return
        going.at(moment.coin)
        plan = going.look(UST_2022.every * 60 // BLOCK_TIME)
        what = plan.code if isinstance(plan, Hold) else "bought"
        if isinstance(plan, Rebalance):
            going.fill(plan)
        yield Seen(moment.minute / 60, float(moment.coin * 10_000), what)


def draw() -> str:
    """The picture; the same every time."""
    seen = list(ride())
    points = " ".join(f"{_x(each.hour):.1f},{_y(each.bps):.1f}" for each in seen)
    bought = [each for each in seen if each.what == "bought"]
    stopped = [each for each in seen if each.what == "beyond_wall"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" ',
        'font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *(_stripe(each) for each in stopped),
        _band(100, "#f3f6fa"),
        _band(15, "#dcebdc"),
        *(_rule(bps, text) for bps, text in ((10_000, "1 USD"), (9_985, "trigger"), (9_995, ""), (9_900, "wall"))),
        *_clock(),
        f'<polyline points="{points}" fill="none" stroke="#234" stroke-width="1.5"/>',
        *(f'<circle cx="{_x(b.hour):.1f}" cy="{_y(b.bps):.1f}" r="3.5" fill="#c60"/>' for b in bought),
        f'<text x="{LEFT}" y="14">{TITLE}</text>',
        "</svg>\n",
    ]
    return "\n".join(parts)


def _x(hour: float) -> float:
    return LEFT + hour / HOURS * (WIDTH - LEFT - 12)


def _y(bps: float) -> float:
    share = (TOP_PRICE - max(bps, LOW_PRICE)) / (TOP_PRICE - LOW_PRICE)
    return TOP + share * (HEIGHT - TOP - 24)


def _band(width: int, colour: str) -> str:
    high, low = _y(10_000 + min(width, TOP_PRICE - 10_000)), _y(10_000 - width)
    size = f'y="{high:.1f}" width="{WIDTH - LEFT - 12}" height="{low - high:.1f}"'
    return f'<rect x="{LEFT}" {size} fill="{colour}" fill-opacity="0.7"/>'


def _stripe(each: Seen) -> str:
    width = (WIDTH - LEFT - 12) / HOURS * UST_2022.every / 60
    return f'<rect x="{_x(each.hour):.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - TOP - 24}" fill="#f2d9d9"/>'


def _rule(bps: int, text: str) -> str:
    y = _y(bps)
    line = f'<line x1="{LEFT}" x2="{WIDTH - 12}" y1="{y:.1f}" y2="{y:.1f}" stroke="#999" stroke-dasharray="3 3"/>'
    return line + (f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>' if text else "")


def _clock() -> Iterator[str]:
    for hour in range(0, HOURS + 1, 6):
        yield f'<text x="{_x(hour):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{hour} h</text>'


if __name__ == "__main__":
    FILE.write_text(draw(), "utf-8")
