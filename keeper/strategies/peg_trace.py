"""A peg's past, one look further: means of prices, how long the price has been out, and capacity that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from keeper.core.chain import VaultView
from keeper.core.pegs import BUY, PRICE_SCALE, SELL, Episode, Mean, Renewal, Trace
from keeper.core.units import Address


def followed(settings: str, view: VaultView, spots: Mapping[Address, Fraction], time: int, rate: Fraction) -> Trace:
    """The trace at this block. `spots` in {quote whole / coin whole}, `time` of the means in seconds, `rate` 0 where
    the peg is none. A second look at one block adds nothing."""
    old, block = view.history.trace, view.block
    if old is None or old.settings != settings:
        old = Trace(settings, 0, -1)
    if block.number <= old.block:
        unknown = {pool: _mean(None, spot, old.at, time) for pool, spot in spots.items() if pool not in old.means}
        return replace(old, means={**old.means, **unknown}) if unknown else old
    means = {pool: _mean(old.means.get(pool), spot, block.timestamp, time) for pool, spot in spots.items()}
    lasting = {pool: mean for pool, mean in old.means.items() if block.timestamp - mean.at <= time}
    known = round(rate * PRICE_SCALE) or old.rate
    return replace(old, at=block.timestamp, block=block.number, means=lasting | means, rate=known)


def _mean(old: Mean | None, spot: Fraction, now: int, time: int) -> Mean:
    """One step of an exponential mean, implicit so that no gap overshoots: `m += (p − m)·Δt/(T + Δt)`. As long as that
    says less, it is the plain average of its looks, so that the first price counts no more than the others.

    After a silence as long as its own time a mean says nothing about the present, and begins anew.
    """
    price = round(spot * PRICE_SCALE)
    if old is None or now - old.at > time:
        return Mean(price, now, 1)
    passed = max(0, now - old.at)
    share = max(Fraction(passed, time + passed), Fraction(1, old.looks + 1))
    return Mean(old.price + round((price - old.price) * share), now, old.looks + 1)


def stopped(trace: Trace) -> Trace:
    """After a price beyond the wall all means are young again: what comes back must prove itself."""
    means = {pool: replace(mean, looks=0) for pool, mean in trace.means.items()}
    return replace(trace, means=means, episode=Episode())


def unseen(trace: Trace) -> Trace:
    """Nobody could say whether the price is out, so it cannot have been out all along."""
    return replace(trace, episode=Episode())


def seen(trace: Trace, side: int, view: VaultView) -> Trace:
    """With the price out on `side`, or inside (0), at this block."""
    old, block = trace.episode, view.block
    if trace.block != block.number or view.history.trace == trace:
        return trace  # a second look at the same block
    if not side:
        return replace(trace, episode=Episode())
    if side == old.side:
        return trace
    return replace(trace, episode=Episode(side, block.timestamp, block.number))


@dataclass(frozen=True, slots=True)
class Persist:
    """For how long a price must be out before it counts: so many blocks, or so many seconds."""

    blocks: int = 1
    seconds: int = 0

    def missing(self, episode: Episode, view: VaultView) -> str:
        """What is still missing, or nothing. The first look that finds it out proves one block, and no time at all."""
        blocks = view.block.number - episode.since_block + 1
        passed = view.block.timestamp - episode.since
        if blocks < self.blocks:
            return f"out for {max(0, blocks)} of {self.blocks} blocks"
        if passed < self.seconds:
            return f"out for {passed} of {self.seconds} seconds"
        return ""


@dataclass(frozen=True, slots=True)
class Renewing:
    """A side's capacity is whole again once `after` of its last `of` observations were favourable: the price back at
    the peg or beyond it. One observation counts in `every` seconds (as Olympus' range-bound stability regenerates)."""

    after: int
    of: int
    every: int

    def observe(self, trace: Trace, away: Fraction, destination: int) -> Trace:
        """`away` and `destination` in bps of the peg."""
        if trace.at - trace.observed_at < self.every:
            return trace
        good = {BUY: away >= -destination, SELL: away <= destination}
        renewals = {side: self._next(trace.renewals.get(side, Renewal()), good[side], trace.at) for side in good}
        return replace(trace, renewals=renewals, observed_at=trace.at)

    def _next(self, old: Renewal, is_good: bool, now: int) -> Renewal:
        observed = (old.observed + str(int(is_good)))[-self.of :]
        return Renewal("", now) if observed.count("1") >= self.after else Renewal(observed, old.at)
