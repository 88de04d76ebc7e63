"""Keeps n assets at target weights: trade only what is outside its band, and only back to its destination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keeper.core import text
from keeper.core.chain import MarketPrice, Unusable, VaultView
from keeper.core.plan import AssetLine, Hold, Plan, Rebalance
from keeper.core.pools import NoQuote
from keeper.core.units import USD, WHOLE_BPS, Token, TokenAmount
from keeper.core.weighing import Weighing, total_drift, unit_values
from keeper.strategies import sentences
from keeper.strategies.auto_bands import AutoBands
from keeper.strategies.bands import Bands
from keeper.strategies.calendar import Calendar, Date
from keeper.strategies.gas_limits import GasLimits
from keeper.strategies.netting import Pairing
from keeper.strategies.regions import FixedRegion, NoTradeRegion, PairRegion
from keeper.strategies.rules import Rules
from keeper.strategies.trades import Left, Limits, Sized, size

_NO_DUST = TokenAmount(USD, 0)
_NO_RULES, _NO_GAS_LIMITS = Rules(), GasLimits()
SETTLED = 25
"""{bps} After the first trade of a calendar's date, drift below this beyond the destination is left: prices move as
much between one leg and the next, and trading that back and forth would never end."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Target weights in bps that sum to 10,000.

    Guarantees: the same view gives the same plan to the wei; no trade while every asset is inside its band; no traded
    asset passes its target, or its destination if it was outside; Σ|drift| falls at the quoted fill; one plan uses each
    pool at most once, because the quote of a second trade would not know of the first; nothing locked is sold. What
    cannot be done under these rules is left to the next cycle. Does not guarantee that one plan brings all back.

    `dust` is the least worth trading, `clip` the most that one trade may be worth (both in the numeraire); `by_gas` may
    set both instead. With a `calendar` nothing is traded between its dates.
    Raises ValueError where the targets or bands make no sense.
    """

    targets: Mapping[Token, int]
    bands: Bands | AutoBands
    dust: TokenAmount = _NO_DUST
    clip: TokenAmount | None = None
    rules: Rules = _NO_RULES
    by_gas: GasLimits = _NO_GAS_LIMITS
    calendar: Calendar | None = None

    def __post_init__(self) -> None:
        if sum(self.targets.values()) != WHOLE_BPS or min(self.targets.values()) < 0:
            raise ValueError(f"targets: expected to sum to {WHOLE_BPS} bps, were {list(self.targets.values())}")
        if self.clip is not None and not self.dust <= self.clip:
            raise ValueError(f"clip: expected at least dust {text.usd(self.dust)}, was {text.usd(self.clip)}")
        if isinstance(self.bands, Bands):
            self.bands.check(self.targets)

    def plan(self, view: VaultView) -> Plan:
        if reason := self._no_price(view):
            return Hold("no_price", reason)
        scales = self._scales(view)
        if not scales.total:
            return Hold("empty", f"{view.vault} holds none of {sentences.listed(list(self.targets))}")
        date, waiting = self.calendar.at(view) if self.calendar else (Date.DUE, "")
        region = self._region(view, scales, date)
        if isinstance(region, Unusable):
            return Hold("no_price", f"bands follow from costs, and {region.reason}")
        assets = tuple(self._asset(token, view.price(token), scales, region) for token in self.targets)
        if date is Date.PAST:
            return Hold("calendar", f"{waiting}; {sentences.in_band(assets)}", assets, forecast=region.forecast)
        if region.is_inside(scales, self.targets):
            said, forecast = sentences.in_band(assets) + region.said(), region.forecast
            return Hold("in_band", said, assets, forecast=forecast, while_inside=self._draws_by_drift_alone)
        plan = self._rebalance(view, scales, assets, region)
        return replace(plan, reason=plan.reason + region.said(), forecast=region.forecast)

    def is_inside(self, scales: Weighing) -> bool:
        """Whether every asset is inside its band, where bands are fixed: what the plan's screen asks."""
        assert isinstance(self.bands, Bands)
        return FixedRegion(self.bands, self.targets).is_inside(scales, self.targets)

    @property
    def _draws_by_drift_alone(self) -> bool:
        """Costs draw other bands at every look, and a calendar has its dates."""
        return isinstance(self.bands, Bands) and self.calendar is None

    # --- what the vault holds ----------------------------------------------------------------------------------------

    def _no_price(self, view: VaultView) -> str:
        missing = [(t, view.prices.get(t, Unusable("no price source"))) for t in self.targets]
        reasons = [f"{token.symbol}: {found.reason}" for token, found in missing if isinstance(found, Unusable)]
        return "no usable price: " + "; ".join(reasons) if reasons else ""

    def _scales(self, view: VaultView) -> Weighing:
        held = {t: self.rules.counted(view.holdings.get(t, TokenAmount.zero(t))) for t in self.targets}
        return Weighing(held, unit_values({token: view.price(token).mid for token in self.targets}))

    def _region(self, view: VaultView, scales: Weighing, date: Date) -> NoTradeRegion | Unusable:
        if isinstance(self.bands, AutoBands):
            drifts = scales.drifts(self.targets)
            drawn = self.bands.draw(view, drifts, self.targets, self._value(view, scales))
            return drawn if isinstance(drawn, Unusable) else PairRegion(drawn, drifts)
        return FixedRegion(self.bands.at_least(SETTLED) if date is Date.GOING_ON else self.bands, self.targets)

    def _value(self, view: VaultView, scales: Weighing) -> TokenAmount:
        values = [view.price(token).mid.value(TokenAmount(token, raw)) for token, raw in scales.raw.items()]
        return sum(values[1:], values[0])

    def _asset(self, token: Token, price: MarketPrice, scales: Weighing, region: NoTradeRegion) -> AssetLine:
        balance, target = TokenAmount(token, scales.raw[token]), self.targets[token]
        trigger, destination = region.edges(token)
        return AssetLine(balance, price.mid.value(balance), scales.weight(token), target, trigger, destination)

    # --- what it should trade ----------------------------------------------------------------------------------------

    def _rebalance(
        self, view: VaultView, scales: Weighing, assets: tuple[AssetLine, ...], region: NoTradeRegion
    ) -> Hold | Rebalance:
        def can_trade(sell: Token, buy: Token) -> bool:
            return sell not in self.rules.locked and view.trades(sell, buy)

        dust = self.by_gas.dust(view)
        if isinstance(dust, Unusable):
            return Hold("no_price", f"dust follows from gas, and {dust.reason}", assets)
        limits = Limits(dust or self.dust, self.clip)
        pairings = region.pairings(assets, can_trade, self.rules.importance)
        sized, left = self._size(view, scales, pairings, limits)
        if sized and self._crosses(scales, sized):
            # A later trade costs a little of the whole, which lifts the weight of what an earlier one brought to its
            # target. Sized again, the earlier ones leave room for that cost and an eighth more.
            end, lost = sized[-1].after.total, scales.total - sized[-1].after.total
            sized, left = self._size(view, scales, pairings, replace(limits, least_total=end - lost // 8))
        if sized:
            return Rebalance(sentences.rebalance(assets, sized), assets, tuple(done.trade for done in sized))
        return _nothing(assets, [*self._locked(assets), *left], _unpaired(view, assets))

    def _locked(self, assets: Sequence[AssetLine]) -> list[Left]:
        over = [
            asset.token for asset in assets if asset.is_out and asset.drift > 0 and asset.token in self.rules.locked
        ]
        return [Left("locked", f"{token.symbol} is locked, so it is never sold") for token in over]

    def _size(
        self, view: VaultView, scales: Weighing, pairings: Sequence[Pairing], limits: Limits
    ) -> tuple[list[Sized], list[Left]]:
        """The trades of one plan, each on the balances that the earlier ones leave, and why others are left.

        Where the vault's expected value at the end is given, a trade that would still make another cross is left out.
        """
        sized: list[Sized] = []
        left: list[Left] = []
        now = scales
        for pairing in pairings:
            used = frozenset(pool for done in sized for pool in done.pools)
            found = size(pairing, now, view, used, self._clipped(limits, view, pairing, scales))
            if isinstance(found, Sized) and not self._mends(now, found.after):
                found = Left("no_liquidity", f"selling {text.amount(found.trade.sell)} would cost more than it mends")
            if isinstance(found, Left):
                left.append(found)
            elif limits.least_total is None or not self._crosses(scales, [*sized, found]):
                sized.append(found)
                now = found.after
        return sized, left

    def _clipped(self, limits: Limits, view: VaultView, pairing: Pairing, scales: Weighing) -> Limits:
        most = self.by_gas.most(view, pairing.sell, pairing.buy, self._value(view, scales))
        if most is None or (limits.clip is not None and limits.clip <= most):
            return limits
        return replace(limits, clip=max(most, limits.dust))

    def _mends(self, before: Weighing, after: Weighing) -> bool:
        return total_drift(after.drifts(self.targets)) < total_drift(before.drifts(self.targets))

    def _crosses(self, before: Weighing, sized: Sequence[Sized]) -> bool:
        """Whether a traded asset ends beyond its target."""
        old, new = before.drifts(self.targets), sized[-1].after.drifts(self.targets)
        return any(old[token] * new[token] < 0 for done in sized for token in (done.pairing.sell, done.pairing.buy))


def _unpaired(view: VaultView, assets: Sequence[AssetLine]) -> list[Left]:
    """Assets on both sides of their bands that no way leads between."""
    traded = {token for state in view.pools for token in state.pool.tokens}
    over = [asset.token for asset in assets if asset.is_out and asset.drift > 0 and asset.token in traded]
    under = [asset.token for asset in assets if asset.is_out and asset.drift < 0 and asset.token in traded]
    missing = [(sell, buy) for sell in over for buy in under if not view.trades(sell, buy)]
    return [Left("no_path", _why_no_way(view, sell, buy)) for sell, buy in missing]


def _why_no_way(view: VaultView, sell: Token, buy: Token) -> str:
    """What the pools of these two say, where there are any: that they are paused, or empty."""
    found = [(state.pool, state.side(sell, buy)) for state in view.pools if state.pool.trades(sell, buy)]
    refusals = [f"{pool.label}: {side.reason}" for pool, side in found if isinstance(side, NoQuote)]
    if found and len(refusals) == len(found):
        return f"no pool trades {sell.symbol} for {buy.symbol} now: {'; '.join(refusals)}"
    return f"no pool of this vault trades {sell.symbol} for {buy.symbol} directly"


def _nothing(assets: tuple[AssetLine, ...], left: list[Left], unpaired: list[Left]) -> Hold:
    """A vault that is outside its bands and still holds says why."""
    if unpaired:
        return Hold("no_path", f"{sentences.outside(assets)}; {'; '.join(why.reason for why in unpaired)}", assets)
    if not left:
        left = [Left("no_liquidity", sentences.no_pool(assets))]
    codes = {why.code for why in left}
    code = codes.pop() if len(codes) == 1 else "no_liquidity"
    return Hold(code, f"{sentences.outside(assets)}; {'; '.join(why.reason for why in left)}", assets)
