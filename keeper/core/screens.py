"""The integer screen: whether a vault that held a moment ago holds on, in a few multiplications. Pure.

The full way has looked at the vault, and decided to hold as every asset is inside its band. As long as what the chain
says of the vault itself and what the journal says of its past stay the same, only prices can change that. So a screen
keeps the vault's figures as integers and asks three things of new prices: are all assets inside their bands still, is
every price as far as it must be from where a breaker would trip, and is the whole worth enough. Where it cannot say
yes, it says nothing, and the vault goes the full way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from operator import mul

from keeper.core.chain import MarketPrice, Quotes, Ratio, Unusable, VaultView
from keeper.core.plan import AssetLine
from keeper.core.units import USD, WHOLE_BPS, Token
from keeper.core.weighing import unit_values

_ONE_USD = 10**USD.decimals


def make_quotes(prices: Mapping[Token, MarketPrice | Unusable]) -> Quotes | None:
    """None where one of them cannot be used."""
    found = {token: price for token, price in prices.items() if isinstance(price, MarketPrice)}
    if not found or len(found) < len(prices):
        return None
    units = unit_values({token: price.mid for token, price in found.items()})
    token, price = next((token, price) for token, price in found.items())
    # {unit / USD} = {unit / raw} * {raw / whole} / {USD / whole}
    scale = units[token] * 10**token.decimals / price.mid.ratio
    assert scale.denominator == 1, "the common unit divides one USD, or a token would be worth no whole number of it"
    return Quotes(
        tuple(units.values()),
        int(scale),
        tuple(price.low.ratio.as_integer_ratio() for price in found.values()),
        tuple(price.high.ratio.as_integer_ratio() for price in found.values()),
    )


@dataclass(frozen=True, slots=True)
class Margin:
    """How far prices may move before a breaker could trip, while its vault's balances and past stay the same.

    `prices`: {USD / whole} every source of a token must stay strictly between these two. `value`: {USD, raw} the vault
    must be worth more than this.
    """

    prices: Mapping[Token, tuple[Fraction, Fraction]] = field(default_factory=dict)
    value: int = 0


@dataclass(frozen=True, slots=True)
class Screen:
    """Figures of one vault, in the order of its tokens. `drift` is all that is asked of it."""

    raws: tuple[int, ...]
    """{raw} What counts for its weights."""
    bands: tuple[tuple[int, int, int], ...]
    """{bps} Target, and trigger as numerator and denominator."""
    held: tuple[int, ...]
    """{raw} What counts for its value."""
    least: int
    """{USD, raw} Its value must be more, by whatever rounding takes."""
    bounds: tuple[tuple[int, Ratio, Ratio], ...]
    """Index of a token, and what its prices must stay between."""

    def drift(self, quotes: Quotes) -> int | None:
        """{bps} The widest, rounded down, as the full plan says it. None where the full way must be gone."""
        units = quotes.units
        values: list[int] = list(map(mul, self.raws, units))
        total, widest = sum(values), 0
        if not total:
            return None
        for value, (target, trigger, of) in zip(values, self.bands, strict=True):
            # |value / total - target| <= trigger, without a division
            away = abs(value * WHOLE_BPS - target * total)
            if away * of > trigger * total:
                return None
            if away > widest:  # max() costs twice as much, three thousand times a tick
                widest = away
        for at, (low, low_of), (high, high_of) in self.bounds:
            (bottom, bottom_of), (top, top_of) = quotes.lows[at], quotes.highs[at]
            if bottom * low_of <= low * bottom_of or top * high_of >= high * top_of:
                return None
        if self.least:
            worth = sum(map(mul, self.held, units))
            # {unit} = {USD raw} * {unit / USD} / {USD raw / USD}
            if worth * _ONE_USD <= self.least * quotes.scale:
                return None
        return widest // total


def draw_screen(view: VaultView, assets: Sequence[AssetLine], margins: Iterable[Margin | None]) -> Screen | None:
    """Of a vault that holds as all of `assets` are inside their bands. None where a breaker wants to be asked always.

    Its tokens are those of the view's prices; what has no target is in no band.
    """
    tokens, lines = list(view.prices), {line.token: line for line in assets}
    if not lines.keys() <= view.prices.keys() or not view.holdings.keys() <= view.prices.keys():
        return None
    bounds: list[tuple[int, Ratio, Ratio]] = []
    least = 0
    for margin in margins:
        if margin is None:
            return None
        for token, (low, high) in margin.prices.items():
            bounds.append((tokens.index(token), low.as_integer_ratio(), high.as_integer_ratio()))
        # A value is rounded down once for each token: what the screen adds up exactly may say so much more.
        least = max(least, margin.value + len(tokens) if margin.value else 0)
    return Screen(
        raws=tuple(lines[token].balance.raw if token in lines else 0 for token in tokens),
        bands=tuple(
            (lines[token].target, *lines[token].trigger.as_integer_ratio()) if token in lines else (0, 0, 1)
            for token in tokens
        ),
        held=tuple(view.holdings[token].raw if token in view.holdings else 0 for token in tokens),
        least=least,
        bounds=tuple(bounds),
    )
