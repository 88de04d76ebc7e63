"""Bands that follow from what trading costs now: one for each pair of assets, because a swap moves two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from keeper.core.chain import Unusable, VaultView
from keeper.core.plan import Forecast, PairBand
from keeper.core.units import WHOLE_BPS, Token, TokenAmount
from keeper.strategies.expected import YEAR, Year, expect, longest_look, root
from keeper.strategies.fitting import GAS_OF_LEG, fit, gas_of_rebalance
from keeper.strategies.no_trade_region import (
    DEFAULT_AVERSION,
    Costs,
    Region,
    best_region,
    spread_of_pair,
    without_estimates,
)
from keeper.strategies.volatility import Volatility

_STEP = Fraction(9, 8)
"""Budgets are met by trying aversions that are so far apart: bands differ by 3 to 4 % from one to the next."""
_STEPS = 80
"""To either side of the default: from G = 0.0002 to 37,000, so that bands are up to 20 times wider or narrower."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a year may cost, or how far its return may lie from the targets': {bps}. Exactly one of the two."""

    cost: int | None = None
    tracking_error: int | None = None

    def __str__(self) -> str:
        return (
            f"cost of {self.cost} bps a year" if self.cost is not None else f"tracking error {self.tracking_error} bps"
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """Which of the two would be sold, and what that costs; a text where no costs can be told."""

    sell: Token
    buy: Token
    costs: Costs | str


@dataclass(frozen=True, slots=True)
class Drawn:
    """The bands of every pair at one block, and what they are expected to do."""

    bands: tuple[PairBand, ...]
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class AutoBands:
    """How bands follow from costs: risk aversion G, or a budget that picks it; always inside least and most.

    Raises ValueError where least and most contradict each other, or a budget has no volatilities to be counted with.
    """

    least: int = 10
    """{bps}"""
    most: int = 1_000
    aversion: Fraction = DEFAULT_AVERSION
    budget: Budget | None = None
    volatility: Volatility | None = None
    gas: int = GAS_OF_LEG
    """Units of gas of one rebalance."""
    is_resumed: bool = False
    """A trade in slices is under way: whatever is beyond its destination is traded."""

    def to_destination(self) -> AutoBands:
        """The same for a trade that has begun: it goes on until the destination."""
        return replace(self, is_resumed=True)

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise ValueError(f"band: expected 1 bps ≤ min ≤ max, were {self.least} and {self.most} bps")
        if self.budget is not None and self.volatility is None:
            raise ValueError(f"band: a {self.budget} needs the volatility of every asset")

    def draw(
        self, view: VaultView, drifts: Mapping[Token, Fraction], targets: Mapping[Token, int], value: TokenAmount
    ) -> Drawn | Unusable:
        """Bands for a vault worth `value`. Unusable where gas has no price: then nothing is known of costs."""
        gas = gas_of_rebalance(view, self.gas)
        if isinstance(gas, Unusable):
            return gas
        falling = sorted(targets, key=lambda token: -drifts[token])
        pairs = [_fitted(view, sell, buy, value, gas) for sell, buy in combinations(falling, 2)]
        aversion = self._aversion(pairs, targets)
        regions = self._regions(pairs, targets, aversion)
        year = self._year(pairs, regions, targets)
        bands = tuple(
            _band(pair, region, gas, aversion, _spread(pair, targets))
            for pair, region in zip(pairs, regions, strict=True)
        )
        forecast = self._forecast(bands, aversion, year)
        return Drawn(bands, replace(forecast, look=self._look(pairs, regions, targets)))

    # --- how cautious ------------------------------------------------------------------------------------------------

    def _aversion(self, pairs: Sequence[Pair], targets: Mapping[Token, int]) -> Fraction:
        """The most cautious one within a cost budget, the least cautious one within a tracking-error budget.

        More caution means narrower bands, more cost and less tracking error: one change of sign, found by bisection.
        Where no caution keeps the budget, the bands are as near as they may come, and the forecast says so.
        """
        if self.budget is None:
            return self.aversion
        low, high = -_STEPS, _STEPS
        while low < high:
            middle = (low + high + 1) // 2
            if self._is_frugal(pairs, targets, _caution(middle)):
                low = middle
            else:
                high = middle - 1
        return _caution(low if self.budget.cost is not None else min(low + 1, _STEPS))

    def _is_frugal(self, pairs: Sequence[Pair], targets: Mapping[Token, int], aversion: Fraction) -> bool:
        """Whether the cost is still within its budget; whether the tracking error is still beyond its own."""
        assert self.budget is not None
        year = self._year(pairs, self._regions(pairs, targets, aversion), targets)
        if year is None:
            return True
        if self.budget.cost is not None:
            return year.cost * WHOLE_BPS <= self.budget.cost
        assert self.budget.tracking_error is not None
        return year.variance * WHOLE_BPS**2 > self.budget.tracking_error**2

    def _regions(self, pairs: Sequence[Pair], targets: Mapping[Token, int], aversion: Fraction) -> list[Region]:
        """Rounded to bps, as they are used."""
        return [self._region(pair, targets, aversion) for pair in pairs]

    def _region(self, pair: Pair, targets: Mapping[Token, int], aversion: Fraction) -> Region:
        if isinstance(pair.costs, Costs):
            region = best_region(_spread(pair, targets), pair.costs, aversion)
        else:
            region = without_estimates(Fraction(min(targets[pair.sell], targets[pair.buy]), WHOLE_BPS))
        inside = region.within(Fraction(self.least, WHOLE_BPS), Fraction(self.most, WHOLE_BPS))
        trigger, destination = inside.rounded()
        if self.is_resumed:
            trigger = max(1, destination)
        return Region(Fraction(trigger, WHOLE_BPS), Fraction(destination, WHOLE_BPS))

    # --- what it comes to --------------------------------------------------------------------------------------------

    def _year(self, pairs: Sequence[Pair], regions: Sequence[Region], targets: Mapping[Token, int]) -> Year | None:
        """The sum over assets, each with the mean band and the mean costs of its pairs.

        A swap from h to m takes 2(h² − m²) out of Σ drift², and drifting puts Σ s² in. So each asset stands for half of
        the trades that its own band would make, and for half the tracking variance.
        """
        if self.volatility is None:
            return None
        tokens = list(targets)
        total = Year(Fraction(0), Fraction(0), Fraction(0), Fraction(0))
        for token in tokens:
            mine = [
                (region, pair.costs)
                for pair, region in zip(pairs, regions, strict=True)
                if token in (pair.sell, pair.buy) and isinstance(pair.costs, Costs)
            ]
            if not mine:
                continue
            diffusion = self.volatility.diffusion(token, targets) / 2
            harm = self.volatility.harm(token, tokens) * _spread_out(len(tokens)) / 2
            total = total + expect(
                _mean_region([r for r, _ in mine]), diffusion, harm, _mean_costs([c for _, c in mine])
            )
        return total if total.turnover else None

    def _look(self, pairs: Sequence[Pair], regions: Sequence[Region], targets: Mapping[Token, int]) -> int | None:
        """{s} How often one must look, for the band that asks for it most."""
        if self.volatility is None:
            return None
        looks = []
        for pair, region in zip(pairs, regions, strict=True):
            faster = max(self.volatility.diffusion(token, targets) for token in (pair.sell, pair.buy))
            if faster:
                looks.append(longest_look(region, root(faster)))
        return int(min(looks) * YEAR) if looks else None

    def _forecast(self, bands: tuple[PairBand, ...], aversion: Fraction, year: Year | None) -> Forecast:
        if year is None:
            return Forecast(bands, aversion)
        cost, error = year.cost * WHOLE_BPS, year.tracking_error * WHOLE_BPS
        budget = ""
        if self.budget is not None:
            limit = self.budget.cost if self.budget.cost is not None else self.budget.tracking_error
            measured = cost if self.budget.cost is not None else error
            assert limit is not None
            budget = f"{self.budget}: {'kept' if measured <= limit else 'cannot be kept within min and max'}"
        return Forecast(bands, aversion, year.trades, year.turnover * WHOLE_BPS, error, cost, budget)


def _caution(step: int) -> Fraction:
    """The default times 9/8 to the power of `step`, short enough to be written down."""
    return Fraction(round(DEFAULT_AVERSION * _STEP**step * 10**6), 10**6)


def _fitted(view: VaultView, sell: Token, buy: Token, value: TokenAmount, gas: TokenAmount) -> Pair:
    costs = fit(view, sell, buy, value, gas)
    return Pair(sell, buy, costs if isinstance(costs, Costs) else costs.reason)


def _spread(pair: Pair, targets: Mapping[Token, int]) -> Fraction:
    tokens = list(targets)
    weights = [Fraction(target, WHOLE_BPS) for target in targets.values()]
    return spread_of_pair(tokens.index(pair.sell), tokens.index(pair.buy), weights)


def _spread_out(assets: int) -> Fraction:
    """Mean square drift of a point anywhere in {max − min <= 2h}, over h²/3: 1 for two assets, 10/9 for three, where it
    is a hexagon, and within 2 % of that for up to eight."""
    return Fraction(1) if assets == 2 else Fraction(10, 9)


def _band(pair: Pair, region: Region, gas: TokenAmount, aversion: Fraction, spread: Fraction) -> PairBand:
    trigger, destination = int(region.trigger * WHOLE_BPS), int(region.destination * WHOLE_BPS)
    if isinstance(pair.costs, str):
        return PairBand(pair.sell, pair.buy, trigger, destination, why=pair.costs)
    check = expect(region, spread, Fraction(1), pair.costs).self_check(aversion)
    fee, impact = pair.costs.proportional * WHOLE_BPS, pair.costs.impact * WHOLE_BPS / 100
    return PairBand(pair.sell, pair.buy, trigger, destination, gas, fee, impact, check)


def _mean_region(regions: Sequence[Region]) -> Region:
    count = len(regions)
    return Region(
        sum((region.trigger for region in regions), Fraction(0)) / count,
        sum((region.destination for region in regions), Fraction(0)) / count,
    )


def _mean_costs(costs: Sequence[Costs]) -> Costs:
    count = len(costs)
    return Costs(
        sum((each.fixed for each in costs), Fraction(0)) / count,
        sum((each.proportional for each in costs), Fraction(0)) / count,
        sum((each.impact for each in costs), Fraction(0)) / count,
    )
