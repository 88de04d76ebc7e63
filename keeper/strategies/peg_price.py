"""What a coin is worth beside its peg: each source's opinion, in the peg's unit, and what they come to together.

A price in a pool is one of two coins in the other, and cannot say which of them moved. So where the peg is in USD,
every pool's price is multiplied with the quote coin's own, as a range between that price's sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain as joined
from typing import Protocol

from keeper.core.abi import WORD, word
from keeper.core.chain import MarketPrice, Read, Unusable, VaultView
from keeper.core.pegs import PRICE_SCALE, Mean, Opinion, Trace
from keeper.core.ports import PriceSource
from keeper.core.text import trimmed
from keeper.core.units import USD, WHOLE_BPS, Address, Token, disagreement_bps

Range = tuple[Fraction, Fraction]
"""The lowest and the highest that a price may be."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The coin whose peg is kept, and what it is traded against. `in_usd`: the peg is in USD, else in the latter."""

    coin: Token
    against: Token
    in_usd: bool

    @property
    def unit(self) -> str:
        return USD.symbol if self.in_usd else self.against.symbol

    def in_unit(self, price: Range, is_usd: bool, view: VaultView) -> Range:
        """{unit per coin whole} Out of {USD} or {quote whole} per coin whole."""
        if is_usd == self.in_usd:
            return price
        quote = view.price(self.against)
        if self.in_usd:
            return price[0] * quote.low.ratio, price[1] * quote.high.ratio
        return price[0] / quote.high.ratio, price[1] / quote.low.ratio


# --- sources ---------------------------------------------------------------------------------------------------------


class Source(Protocol):
    """One opinion on the coin."""

    @property
    def name(self) -> str: ...

    def reads(self) -> tuple[Read, ...]: ...

    def opinion(self, pair: Pair, view: VaultView, trace: Trace) -> Opinion: ...


@dataclass(frozen=True, slots=True)
class PoolMean:
    """Our own mean of a pool's price, from one look to the next. Young until it has `needed` looks."""

    name: str
    pool: Address
    needed: int

    def reads(self) -> tuple[Read, ...]:
        return ()

    def opinion(self, pair: Pair, view: VaultView, trace: Trace) -> Opinion:
        mean = trace.means.get(self.pool)
        if mean is None:
            return Opinion(self.name, why_not="the pool cannot be read")
        price = Fraction(mean.price, PRICE_SCALE)
        return Opinion(self.name, *pair.in_unit((price, price), False, view), why_not=warming(mean, self.needed))


def warming(mean: Mean, needed: int) -> str:
    """`warming up 12/30`, or nothing."""
    return f"warming up {mean.looks}/{needed}" if mean.looks < needed else ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a source answers from the chain, in the quote coin: a pool's own average."""

    name: str
    source: PriceSource

    def reads(self) -> tuple[Read, ...]:
        return self.source.reads()

    def opinion(self, pair: Pair, view: VaultView, trace: Trace) -> Opinion:  # noqa: ARG002  needs no past
        found = self.source.price(view.extra, view.block.timestamp)
        if isinstance(found, Unusable):
            return Opinion(self.name, why_not=found.reason)
        return Opinion(self.name, *pair.in_unit((found.price.ratio, found.price.ratio), False, view))


@dataclass(frozen=True, slots=True)
class Known:
    """The coin's price in USD as the vault values it, by its own rule."""

    name: str

    def reads(self) -> tuple[Read, ...]:
        return ()

    def opinion(self, pair: Pair, view: VaultView, trace: Trace) -> Opinion:  # noqa: ARG002  needs no past
        found = view.price(pair.coin)
        return Opinion(self.name, *pair.in_unit((found.low.ratio, found.high.ratio), True, view))


# --- what they come to -----------------------------------------------------------------------------------------------


def speaking(opinions: Sequence[Opinion]) -> list[Range]:
    """Whoever has a price, young ones too: enough to stop for."""
    return [(each.low, each.high) for each in opinions if each.low is not None and each.high is not None]


def counting(opinions: Sequence[Opinion]) -> list[Range]:
    """Whoever may be acted on."""
    return speaking([each for each in opinions if not each.why_not])


def apart(ranges: Sequence[Range]) -> Fraction:
    """{bps} How far the sources disagree. The quote coin's own doubt is in all of them and moves them together."""
    lows, highs = zip(*ranges, strict=True)
    return max(disagreement_bps(min(lows), max(lows)), disagreement_bps(min(highs), max(highs)))


def least(ranges: Sequence[Range], peg: Fraction) -> Fraction:
    """{unit} The price nearest to the peg of all that are said, and the peg itself where it lies between them.

    So nothing is done unless every source sees a reason to (the worst-price rule of PegKeeper V2).
    """
    prices = list(joined.from_iterable(ranges))
    if min(prices) <= peg <= max(prices):
        return peg
    return max(prices) if max(prices) < peg else min(prices)


def beyond(ranges: Sequence[Range], peg: Fraction, wall: int) -> Fraction | None:
    """{unit} The price that is furthest beyond the wall, of all that are said; None where none is."""
    furthest = max(joined.from_iterable(ranges), key=lambda price: abs(price / peg - 1), default=peg)
    return furthest if abs(furthest / peg - 1) * WHOLE_BPS > wall else None


# --- the peg itself --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FixedPeg:
    """So much of the unit for one coin, written down."""

    ratio: Fraction

    def reads(self) -> tuple[Read, ...]:
        return ()

    def now(self, view: VaultView, trace: Trace | None) -> Fraction | Unusable:  # noqa: ARG002  never changes
        return self.ratio


@dataclass(frozen=True, slots=True)
class RatePeg:
    """What a rate provider says, `getRate()` in 18 decimals. A rate can be bent for the length of one call (read-only
    re-entrancy), and a broken one jumps: from one look to the next it may move by `step` bps at most."""

    read: Read
    step: int

    def reads(self) -> tuple[Read, ...]:
        return (self.read,)

    def now(self, view: VaultView, trace: Trace | None) -> Fraction | Unusable:
        answer = view.extra.get(self.read)
        if answer is None or len(answer) < WORD or not word(answer, 0):
            return Unusable(f"rate of {self.read.to}: no answer")
        rate, last = Fraction(word(answer, 0), PRICE_SCALE), Fraction(trace.rate if trace else 0, PRICE_SCALE)
        if last and (moved := disagreement_bps(rate, last)) > self.step:
            said = f"{trimmed(rate, 6)}, was {trimmed(last, 6)}"
            return Unusable(f"rate of {self.read.to}: {said}: {trimmed(moved, 1)} bps at once, {self.step} allowed")
        return rate


Goal = FixedPeg | RatePeg


def market(view: VaultView, token: Token) -> MarketPrice | Unusable:
    return view.prices.get(token, Unusable("no price source"))
