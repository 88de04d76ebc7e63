"""Keeps a pool's price of one coin inside a band around its peg, with the vault's own inventory.

Two bands: outside the inner one (the cushion: trigger, and back to destination) it trades; outside the wall it stops.
A coin beyond its wall is falling for a reason that no trade of ours mends, so it is never bought, nor is the other coin
where that one fell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from keeper.core import text
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.impact import mid_of
from keeper.core.pegs import BEYOND_WALL, BUY, PRICE_SCALE, SELL, PegLine, Stock, Trace
from keeper.core.plan import Hold, Plan, Rebalance, Trade
from keeper.core.pools import PoolState
from keeper.core.units import USD, WHOLE_BPS, Address, Price, TokenAmount
from keeper.strategies import peg_words as words
from keeper.strategies.fitting import GAS_OF_LEG, gas_of_rebalance
from keeper.strategies.peg_price import (
    Goal,
    Pair,
    RatePeg,
    Source,
    apart,
    beyond,
    counting,
    least,
    market,
    speaking,
)
from keeper.strategies.peg_size import Most, Reach, Sale, best_clip, bite
from keeper.strategies.peg_stock import Means, directed
from keeper.strategies.peg_trace import Persist, Renewing, followed, seen, stopped, unseen

Refusal = tuple[str, str]
"""Code and reason of a Hold."""


@dataclass(frozen=True, slots=True)
class Bands:
    """{bps of the peg} Outside `trigger` it trades, back to `destination`; outside `wall` it stops."""

    trigger: int
    destination: int
    wall: int

    def __post_init__(self) -> None:
        if not 0 <= self.destination < self.trigger < self.wall:
            raise ValueError(
                f"bands: expected destination < trigger < wall, were {self.destination}, {self.trigger}, {self.wall}"
            )


@dataclass(frozen=True, slots=True)
class Belief:
    """Whom to believe: `need` sources of them, at most `apart` bps from each other. `time` is that of the means,
    {seconds}, which need `looks` looks; `moving` is how far, {bps}, a pool may stand from its own mean."""

    sources: tuple[Source, ...]
    need: int = 1
    apart: int = 20
    time: int = 600
    looks: int = 30
    moving: int = 30


_NO_DUST = TokenAmount(USD, 0)
_AT_ONCE = Persist()


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once, and how soon again. `step` in bps of the pool's price, `most` in the numeraire; without a
    `clip` it follows from gas and depth. `pays` are the bps of a trade that the peg may cost."""

    most: TokenAmount
    step: int = 10
    clip: TokenAmount | None = None
    dust: TokenAmount = _NO_DUST
    cool_down: int = 0
    pays: int = 0
    gas: int = GAS_OF_LEG


@dataclass(frozen=True, slots=True)
class Peg:
    """Guarantees: the same view gives the same plan; nothing is traded before the means are warm, while sources are
    missing, apart or inside the trigger, or while the pool moves; no trade takes a pool past the destination, exceeds
    a side's capacity or leaves the inventory's bounds; no trade at all while any source or the pool sees the coin, or
    `against` its own peg, beyond the wall. Does not guarantee that the peg holds: it stops where the means end.
    """

    pair: Pair
    goal: Goal
    bands: Bands
    belief: Belief
    means: Means
    pace: Pace
    persist: Persist = _AT_ONCE
    against_peg: Fraction | None = None
    """{USD} What `against` should be worth itself; None where it is no pegged coin."""
    renewing: Renewing | None = None
    settings: str = field(init=False)

    def __post_init__(self) -> None:
        made_of = (self.pair, self.goal, self.bands, [source.name for source in self.belief.sources], self.belief.time)
        object.__setattr__(self, "settings", hashlib.sha256(repr(made_of).encode()).hexdigest()[:16])

    def reads(self) -> tuple[Read, ...]:
        """What must be asked of the chain beside balances, pools and prices."""
        asked = [read for source in self.belief.sources for read in source.reads()]
        return tuple(dict.fromkeys([*asked, *self.goal.reads()]))

    def plan(self, view: VaultView) -> Plan:
        spots = self._spots(view)
        peg = self.goal.now(view, self._past(view))
        rate = peg if isinstance(self.goal, RatePeg) and isinstance(peg, Fraction) else Fraction(0)
        trace = followed(self.settings, view, spots, self.belief.time, rate)
        line = self._line(peg if isinstance(peg, Fraction) else Fraction(1), trace, spots)
        if refusal := self._cannot_tell(view, peg, spots):
            return _hold(refusal, replace(line, trace=unseen(trace)))
        return self._judged(view, line, trace, spots)

    def _past(self, view: VaultView) -> Trace | None:
        """What is known under these settings: a rate of others binds nobody."""
        trace = view.history.trace
        return trace if trace is not None and trace.settings == self.settings else None

    # --- what is known -----------------------------------------------------------------------------------------------

    def _states(self, view: VaultView) -> list[PoolState]:
        return [state for state in view.pools if state.pool.trades(self.pair.coin, self.pair.against)]

    def _spots(self, view: VaultView) -> dict[Address, Fraction]:
        """{quote whole per coin whole} Of each pool that can be read."""
        coin, against = self.pair.coin, self.pair.against
        found = {state.pool.address: mid_of(state, coin, against) for state in self._states(view)}
        scale = Fraction(10) ** (coin.decimals - against.decimals)
        return {pool: mid * scale for pool, mid in found.items() if isinstance(mid, Fraction) and mid > 0}

    def _line(self, peg: Fraction, trace: Trace, spots: Mapping[Address, Fraction]) -> PegLine:
        looks = min((trace.means[pool].looks for pool in spots), default=0)
        bands, pair = self.bands, self.pair
        figures = (pair.coin, pair.against, pair.unit, peg, bands.trigger, bands.destination, bands.wall)
        return PegLine(*figures, looks=looks, needed=self.belief.looks, trace=trace)

    def _cannot_tell(
        self, view: VaultView, peg: Fraction | Unusable, spots: Mapping[Address, Fraction]
    ) -> Refusal | None:
        """What nothing can be said without: both coins' prices, the peg, a pool."""
        missing = [(token, market(view, token)) for token in (self.pair.against, self.pair.coin)]
        if reasons := [f"{token.symbol}: {price.reason}" for token, price in missing if isinstance(price, Unusable)]:
            return "no_price", f"no usable price: {'; '.join(reasons)}"
        if isinstance(peg, Unusable):
            return "no_peg", f"no usable peg: {peg.reason}"
        if not spots:
            return "no_pool", words.no_pool(self.pair, view)
        return None

    # --- what it means -----------------------------------------------------------------------------------------------

    def _judged(self, view: VaultView, line: PegLine, trace: Trace, spots: Mapping[Address, Fraction]) -> Plan:
        opinions = tuple(source.opinion(self.pair, view, trace) for source in self.belief.sources)
        stocks = self.means.stocks(self.pair, view, trace)
        line = replace(line, opinions=opinions, par=self._par(line.peg, view), stocks=stocks)
        line = self._at(line, spots, max(spots, key=lambda pool: abs(self._away(spots[pool], line, view))), view)
        if fallen := self._beyond_wall(view, line):
            return _hold((BEYOND_WALL, fallen), replace(line, trace=stopped(trace)))
        counted = counting(opinions)
        if refusal := self._not_believed(line):
            return _hold(refusal, replace(line, trace=unseen(trace)))
        line = replace(line, worst=least(counted, line.peg))
        side = self._side(line, trace, view)
        trace = seen(trace, side, view)
        if self.renewing is not None:
            trace = self.renewing.observe(trace, line.away, self.bands.destination)
        line = replace(line, trace=trace)
        if not side:
            return _hold(("in_band", words.in_band(line)), line)
        restless = max(spots, key=lambda pool: _moved(spots, trace, pool))
        if (moved := _moved(spots, trace, restless)) >= self.belief.moving:
            line = self._at(line, spots, restless, view)
            return _hold(("moving", words.moving(line, moved, self.belief.moving)), line)
        furthest = (min if side == BUY else max)(spots, key=lambda pool: spots[pool])
        return self._trade(view, side, self._at(line, spots, furthest, view), trace)

    def _at(self, line: PegLine, spots: Mapping[Address, Fraction], pool: Address, view: VaultView) -> PegLine:
        """With the price of this pool, and its mean, in the peg's unit."""
        assert line.trace is not None
        mean = Fraction(line.trace.means[pool].price, PRICE_SCALE)
        return replace(line, spot=self._in_unit(spots[pool], view), mean=self._in_unit(mean, view))

    def _in_unit(self, price: Fraction, view: VaultView) -> Fraction:
        return price * view.price(self.pair.against).mid.ratio if self.pair.in_usd else price

    def _away(self, spot: Fraction, line: PegLine, view: VaultView) -> Fraction:
        return line.deviation(self._in_unit(spot, view))

    def _par(self, peg: Fraction, view: VaultView) -> Fraction:
        """{quote whole per coin whole} The peg as the price of a pool."""
        return peg / view.price(self.pair.against).mid.ratio if self.pair.in_usd else peg

    def _beyond_wall(self, view: VaultView, line: PegLine) -> str:
        """Which coin left its peg for good, or nothing. A pool alone may say so, and a mean that is not warm yet."""
        wall, against = self.bands.wall, self.pair.against
        if self.against_peg is not None:
            quote = view.price(against)
            if found := beyond([(quote.low.ratio, quote.high.ratio)], self.against_peg, wall):
                return words.beyond_wall(Price(against, USD, found), self.against_peg, USD.symbol, wall)
        told = speaking(line.opinions) + ([(line.spot, line.spot)] if line.spot is not None else [])
        if found := beyond(told, line.peg, wall):
            return words.beyond_wall(Price(self.pair.coin, against, found), line.peg, line.unit, wall)
        return ""

    def _not_believed(self, line: PegLine) -> Refusal | None:
        counted = counting(line.opinions)
        if line.looks < line.needed:
            return "warming_up", f"warming up {line.looks}/{line.needed}"
        if len(counted) < self.belief.need:
            return "no_price", words.silent(line.opinions, len(counted), self.belief.need)
        distance = apart(counted)
        if distance > self.belief.apart:
            return "sources_apart", words.sources_apart(line, distance, self.belief.apart)
        return None

    def _side(self, line: PegLine, trace: Trace, view: VaultView) -> int:
        """Where the price is out, or 0. Once it has been traded on, it is out until it reaches its destination."""
        episode, away = trace.episode, line.away
        side = BUY if away < 0 else SELL
        last = max((trade.at for trade in view.history.trades), default=0)
        began = episode.side == side and last > episode.since
        return side if abs(away) > (self.bands.destination if began else self.bands.trigger) else 0

    # --- what to do --------------------------------------------------------------------------------------------------

    def _trade(self, view: VaultView, side: int, line: PegLine, trace: Trace) -> Plan:
        if waits := self._waits(view, line, trace):
            return _hold(waits, line)
        found = self._sized(view, side, line)
        if not isinstance(found, Trade):
            return _hold(found, line)
        if (refusal := self._does_not_pay(view, side, found, line)) is not None:
            return _hold(refusal, line)
        return Rebalance(words.trade(line, found), (), (found,), peg=line)

    def _waits(self, view: VaultView, line: PegLine, trace: Trace) -> Refusal | None:
        if missing := self.persist.missing(trace.episode, view):
            return "not_yet", f"{words.out(line)}, {missing}"
        last = max((trade.at for trade in view.history.trades), default=None)
        if last is not None and (rest := last + self.pace.cool_down - view.block.timestamp) > 0:
            return "cool_down", f"{words.out(line)}; the next trade may be in {text.duration(rest)}"
        return None

    def _sized(self, view: VaultView, side: int, line: PegLine) -> Trade | Refusal:
        """The trade in the pool that routing will take: where that is another one than the furthest, the lesser."""
        sell, buy = directed(side, self.pair)
        stock = next(stock for stock in line.stocks if stock.side == side)
        if refusal := _used_up(stock, line):
            return refusal
        sales = [Sale(state, sell, buy) for state in self._states(view)]
        sizes = {sale.state.pool.address: self._bite(sale, side, line, stock, view) for sale in sales}
        size = max(sizes.values())
        for _ in sales:
            best = view.best(TokenAmount(sell, size), buy) if size else None
            size = min(size, sizes[best[0].pool.address]) if isinstance(best, tuple) else 0
        amount = TokenAmount(sell, size)
        notional = view.price(sell).mid.value(amount)
        if not size:
            return "at_destination", words.at_destination(line)
        if notional < self.pace.dust:
            return "dust", f"{words.out(line)}; {text.usd(notional)} is less than {text.usd(self.pace.dust)}"
        return Trade(amount, buy, notional)

    def _bite(self, sale: Sale, side: int, line: PegLine, stock: Stock, view: VaultView) -> int:
        price = view.price(sale.sell)
        room = self.means.buyable(sale.buy, view)
        most = Most(
            self.means.sellable(sale.sell, view).raw,
            None if room is None else room.raw,
            min(stock.left, self.pace.most, self.pace.clip or self.pace.most),
        )
        size = bite(sale, self._reach(sale, side, line), self.pace.step, most, price)
        gas = gas_of_rebalance(view, self.pace.gas)
        if self.pace.clip is None and size and isinstance(gas, TokenAmount):
            clip = best_clip(sale, size, gas, price)
            size = size if clip is None else min(size, price.mid.amount(clip).raw)
        return size

    def _reach(self, sale: Sale, side: int, line: PegLine) -> Reach:
        """Inner edge and peg as {buy raw / sell raw}."""
        assert line.par is not None
        edge = line.par * (1 + side * Fraction(self.bands.destination, WHOLE_BPS))
        scale = Fraction(10) ** (sale.buy.decimals - sale.sell.decimals)
        return Reach(edge * scale, line.par * scale) if side == SELL else Reach(scale / edge, scale / line.par)

    def _does_not_pay(self, view: VaultView, side: int, trade: Trade, line: PegLine) -> Refusal | None:
        """Both coins at what they should be worth: profit after gas, or a loss that the mandate pays for."""
        best, gas = view.best(trade.sell, trade.buy), gas_of_rebalance(view, self.pace.gas)
        if not isinstance(best, tuple):
            return "no_liquidity", best.reason
        if isinstance(gas, Unusable):
            return "no_price", gas.reason
        quote = view.price(self.pair.against)
        # {USD per coin whole}
        worth = line.peg if self.pair.in_usd else line.peg * quote.mid.ratio
        if side == BUY:
            gain = best[1].whole * worth - trade.sell.whole * quote.high.ratio
        else:
            gain = best[1].whole * quote.low.ratio - trade.sell.whole * worth
        gain -= gas.whole
        if gain > 0 or -gain <= trade.notional.whole * Fraction(self.pace.pays, WHOLE_BPS):
            return None
        return "no_profit", words.no_profit(line, gain, trade.notional, self.pace.pays)


def _moved(spots: Mapping[Address, Fraction], trace: Trace, pool: Address) -> Fraction:
    """{bps} How far a pool stands from its own mean: who moves it for a moment does not move that."""
    return abs(spots[pool] / Fraction(trace.means[pool].price, PRICE_SCALE) - 1) * WHOLE_BPS


def _used_up(stock: Stock, line: PegLine) -> Refusal | None:
    if not stock.left:
        return "capacity", words.capacity(line, stock)
    return None if stock.inventory else ("inventory", words.inventory(line, stock))


def _hold(refusal: Refusal, line: PegLine) -> Hold:
    return Hold(*refusal, peg=line)
