"""Which pairs of assets are beyond their band, and how far each of them trades: for bands of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from keeper.core.plan import PairBand
from keeper.core.units import Token
from keeper.strategies.netting import CanTrade, Importance, Pairing, alike


def half_apart(band: PairBand, drifts: Mapping[Token, Fraction]) -> Fraction:
    """{bps} What a swap of the two would have to move to make their drifts equal. With two assets it is the drift."""
    return (drifts[band.sell] - drifts[band.buy]) / 2


def strained(bands: Sequence[PairBand], drifts: Mapping[Token, Fraction]) -> list[PairBand]:
    """The pairs beyond their trigger, one asset above its target and the other below: the most strained first."""
    beyond = [
        band for band in bands if drifts[band.sell] > 0 > drifts[band.buy] and half_apart(band, drifts) > band.trigger
    ]
    return sorted(beyond, key=lambda band: -_strain(band, drifts))


def pair_up(
    bands: Sequence[PairBand],
    drifts: Mapping[Token, Fraction],
    targets: Mapping[Token, int],
    can_trade: CanTrade,
    importance: Importance = alike,
) -> list[Pairing]:
    """Swaps until no pair is strained, the most strained first: to the pair's destination, never past a target.

    At most n − 1, as many as bring every asset to its target one by one.
    """
    now, pairings = dict(drifts), []
    for _ in range(len(targets) - 1):
        beyond = [band for band in strained(bands, now) if can_trade(band.sell, band.buy)]
        if not beyond:
            break
        band = max(beyond, key=lambda band: importance(band.sell) * importance(band.buy) * _strain(band, now))
        part = min(half_apart(band, now) - band.destination, now[band.sell], -now[band.buy])
        now[band.sell] -= part
        now[band.buy] += part
        floor, ceiling = targets[band.sell] + now[band.sell], targets[band.buy] + now[band.buy]
        pairings.append(Pairing(band.sell, band.buy, floor, ceiling))
    return pairings


def nearest(bands: Sequence[PairBand], drifts: Mapping[Token, Fraction]) -> PairBand:
    """The pair that is nearest to its trigger, or furthest beyond."""
    return max(bands, key=lambda band: _strain(band, drifts))


def edges(token: Token, bands: Sequence[PairBand], drifts: Mapping[Token, Fraction]) -> tuple[Fraction, Fraction]:
    """{bps} Trigger and destination of one asset as its most strained pair sets them, if both drift in proportion.

    An asset with less than half its pair's trigger is not what strains the pair: its own edge is the pair's.
    """
    drift = drifts[token]
    mine = [band for band in bands if token in (band.sell, band.buy)]
    across = [band for band in mine if drifts[band.sell] > 0 > drifts[band.buy]]
    if not across:
        near = min(mine, key=lambda band: band.trigger)
        return Fraction(near.trigger), Fraction(near.destination)
    band = max(across, key=lambda band: _strain(band, drifts))
    if abs(drift) * 2 < band.trigger:
        return Fraction(band.trigger), Fraction(band.destination)
    share = abs(drift) / half_apart(band, drifts)
    return share * band.trigger, share * band.destination


def _strain(band: PairBand, drifts: Mapping[Token, Fraction]) -> Fraction:
    return half_apart(band, drifts) / band.trigger
