"""The demo's weather: what the market does for some days, the same for the same seed. Integers and fractions only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256

TICK = 1_800
"""{s} From one moment to the next: half an hour."""
DAY = 86_400
SLOW = "slow ETH/USD"
"""A second opinion on ETH: the mean of the last two hours."""
SLOW_TICKS = 4
"""So many moments are those two hours."""

START: Mapping[str, Fraction] = {"ETH": Fraction(3_000), "BTC": Fraction(60_000), "USDC": Fraction(1)}
"""{USD} Before anything moves."""
CALM: Mapping[str, int] = {"ETH": 12, "BTC": 8, "USDC": 0}
"""{bps} How far noise moves a price from one moment to the next, at most."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One kind of weather. `move` is what each price has gained when the phase ends, in bps, spread over `over` of it.

    `silent` feeds say nothing; where `pools_sleep`, pools stay where they were until the phase ends.
    """

    note: str
    share: Fraction
    """Of the whole path."""
    move: Mapping[str, int] = field(default_factory=dict)
    over: Fraction = Fraction(1)
    silent: frozenset[str] = frozenset()
    pools_sleep: bool = False


PHASES = (
    Phase("calm", Fraction(1, 20)),
    Phase("ETH climbs", Fraction(5, 20), {"ETH": 2_200, "BTC": 500}),
    Phase("ETH falls within an hour", Fraction(3, 20), {"ETH": -1_400, "BTC": -600}, over=Fraction(1, 14)),
    Phase(
        "the ETH/USD feed goes silent while BTC climbs", Fraction(1, 20), {"BTC": 900}, silent=frozenset({"ETH/USD"})
    ),
    Phase("BTC climbs, ETH slides", Fraction(4, 20), {"ETH": -1_000, "BTC": 1_200}),
    Phase("feeds fall, pools stay behind", Fraction(1, 20), {"ETH": -1_200}, over=Fraction(1, 2), pools_sleep=True),
    Phase("calm again", Fraction(5, 20), {"ETH": 100}),
)
"""A jump that an average cannot follow, a stale feed, a pool apart from its feeds: each is a reason to refuse."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the market says `at` seconds after the start, in USD."""

    at: int
    note: str
    prices: Mapping[str, Fraction]
    """What feeds are told."""
    slow: Mapping[str, Fraction]
    """What the slow feeds are told: the mean of the last two hours."""
    traded: Mapping[str, Fraction]
    """What the pools trade at."""
    silent: frozenset[str] = frozenset()


def price_path(seed: int, days: int, phases: tuple[Phase, ...] = PHASES) -> Iterator[Moment]:
    """Every moment of `days` days, first to last. Raises ValueError where the phases are not one whole."""
    if sum(phase.share for phase in phases) != 1:
        raise ValueError(f"phases: expected shares that sum to 1, was {sum(phase.share for phase in phases)}")
    ticks = days * DAY // TICK
    base, prices = dict(START), dict(START)
    past: list[Mapping[str, Fraction]] = []
    traded: Mapping[str, Fraction] = prices
    tick, ends = 0, Fraction(0)
    for phase in phases:
        ends += phase.share * ticks
        first, count = tick, max(1, int(ends) - tick)
        for tick in range(first, first + count):
            done = min(Fraction(tick - first + 1, count) / phase.over, Fraction(1))
            prices = {coin: _price(seed, coin, tick, base[coin], phase.move.get(coin, 0), done) for coin in base}
            past = [*past[1 - SLOW_TICKS :], prices]
            slow = {coin: Fraction(sum(then[coin] for then in past), len(past)) for coin in prices}
            traded = traded if phase.pools_sleep else prices
            yield Moment(tick * TICK, phase.note, prices, slow, traded, phase.silent)
        tick = first + count
        base = {coin: base[coin] * (10_000 + phase.move.get(coin, 0)) / 10_000 for coin in base}


def _price(seed: int, coin: str, tick: int, base: Fraction, move: int, done: Fraction) -> Fraction:
    """The phase's own line, with noise on it, in whole cents or finer."""
    line = base * (1 + done * Fraction(move, 10_000))
    return round(line * (1 + Fraction(_noise(seed, coin, tick), 10_000)), 6)


def _noise(seed: int, coin: str, tick: int) -> int:
    """{bps} From −CALM to CALM: drawn from a hash, so that it is the same wherever and whenever it is asked."""
    reach = CALM[coin]
    drawn = int.from_bytes(sha256(f"{seed} {coin} {tick}".encode()).digest()[:8], "big")
    return drawn % (2 * reach + 1) - reach
