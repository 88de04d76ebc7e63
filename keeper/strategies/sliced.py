"""Wraps any strategy: what it wants to trade is traded in slices, so that the pool recovers between them.

Nothing is remembered here. Where a schedule stands is read from the slices that the journal knows: each was recorded
with the parent that it belongs to, so a restart, a refused slice or a reorg is simply another history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from keeper.core import text
from keeper.core.chain import PastTrade, VaultView
from keeper.core.plan import Hold, Plan, Rebalance, Trade
from keeper.core.ports import Strategy
from keeper.core.slices import Parent, Schedule, Slice
from keeper.core.units import USD, WHOLE_BPS, Rounding, TokenAmount, ratio_to_int
from keeper.strategies import slicing
from keeper.strategies.parents import Slicing, make_parent, price_now

LAPSE = 86_400
"""{s} After its last slice a parent is over. What is still wanted begins anew, at a price of its own: history reaches
no further back, and a price that is a day old is no reason to wait."""

Begun = tuple[PastTrade, Slice]
"""The last slice that was traded."""


@dataclass(frozen=True, slots=True)
class Sliced:
    """Guarantees: a trade that does not gain by slices is left as it is; never two parents at once; a slice sells no
    more than what is still wanted now; the same history gives the same slice at the same time. What is refused or
    missed is carried over to the slices that follow. Does not guarantee that a deadline is met: the price limit and the
    guards come first.

    `of` decides whether to trade at all, `resumed` whether what has begun goes on: slices of a strategy with a trigger
    end at its destination, not where they are back inside the trigger.
    """

    of: Strategy
    resumed: Strategy
    wishes: Slicing

    def plan(self, view: VaultView) -> Plan:
        plan, begun = self.of.plan(view), _begun(view)
        if isinstance(plan, Hold) and begun is not None:
            plan = self._rest(replace(plan, while_inside=False), view, begun[1].parent)
        if not isinstance(plan, Rebalance):
            return plan
        if begun is not None and not any(_is_of(trade, begun[1].parent) for trade in plan.trades):
            begun = None  # no longer wanted, or the other way round
        return self._cut(plan, view, begun)

    def _rest(self, held: Hold, view: VaultView, parent: Parent) -> Plan:
        """What is left of a parent that the strategy would not begin any more. Bands are told as it sees them."""
        rest = self.resumed.plan(view)
        if not isinstance(rest, Rebalance):
            return held
        mine = tuple(trade for trade in rest.trades if _is_of(trade, parent))
        return replace(rest, assets=held.assets or rest.assets, trades=mine) if mine else held

    def _cut(self, plan: Rebalance, view: VaultView, begun: Begun | None) -> Plan:
        """One trade goes in slices; those that need none go as they are, and other large ones wait for their turn."""
        parents = {trade: self._parent(trade, view, begun) for trade in plan.trades}
        large = [trade for trade in plan.trades if parents[trade] is not None]
        small = tuple(trade for trade in plan.trades if parents[trade] is None)
        if not large:
            return plan
        trade = next((t for t in large if begun is not None and _is_of(t, begun[1].parent)), large[0])
        parent = parents[trade]
        assert parent is not None
        schedule = self._schedule(trade, parent, view, begun)
        why_not = _not_yet(schedule, view) or self._too_cheap(trade, parent, view)
        if why_not and small:
            return replace(plan, trades=small)
        if why_not:
            reason = f"{_standing(schedule, trade)}, {why_not}"
            return Hold("slices", reason, plan.assets, schedule, plan.forecast, plan.peg)
        now = _part(trade, schedule.size)
        what = f"sell {text.amount(now.sell)} ({text.usd(now.notional)}) now"
        reason = f"{plan.reason}; {_standing(schedule, trade)}: {what}"
        return replace(plan, reason=reason, trades=(now, *small), schedule=schedule)

    def _parent(self, trade: Trade, view: VaultView, begun: Begun | None) -> Parent | None:
        if begun is not None and _is_of(trade, begun[1].parent):
            return begun[1].parent
        return make_parent(trade, view, self.wishes)

    # --- where it stands ---------------------------------------------------------------------------------------------

    def _schedule(self, trade: Trade, parent: Parent, view: VaultView, begun: Begun | None) -> Schedule:
        drawn, now = _draws(view), view.block.timestamp
        waits, sized = slicing.wait(parent.spacing, next(drawn)), next(drawn)
        ends = None if self.wishes.deadline is None else parent.began + self.wishes.deadline
        number, done, due = 1, TokenAmount.zero(USD), now
        if begun is not None:
            past, last = begun
            number, done, due = last.number + 1, last.done + past.notional, past.at + waits
        if ends is not None:
            due = min(due, max(ends, now))
        slots = self._slots(trade.notional, parent, now, ends)
        size = self._size(trade.notional, slots, parent, sized)
        return Schedule(Slice(parent, number, number + slots - 1, done), size, trade.notional, due, ends)

    def _slots(self, left: TokenAmount, parent: Parent, now: int, ends: int | None) -> int:
        """Slices still to come: what is left at the size that was decided; no more than there is time for, no fewer
        than the clip asks for."""
        slots = max(1, ratio_to_int(left.over(parent.mean) + Fraction(1, 2), Rounding.DOWN))
        if ends is not None:
            slots = max(1, min(slots, 1 + (ends - now) // parent.spacing))
        return slots if self.wishes.clip is None else max(slots, -(-left.raw // self.wishes.clip.raw))

    def _size(self, left: TokenAmount, slots: int, parent: Parent, drawn: Fraction) -> TokenAmount:
        share = Fraction(1)
        if slots > 1:
            mean = slicing.share_now(slots, parent.urgent)
            share = min(Fraction(1), slicing.resized(mean, self.wishes.variation, drawn))
        size = left.times(share, Rounding.DOWN)
        return size if self.wishes.clip is None else min(size, self.wishes.clip)

    def _too_cheap(self, trade: Trade, parent: Parent, view: VaultView) -> str:
        """Why the price forbids a slice, or nothing."""
        price = price_now(trade.sell.token, trade.buy, view)
        worse = (1 - price / parent.price) * WHOLE_BPS
        if worse <= self.wishes.worse:
            return ""
        pair = f"{trade.sell.token.symbol}/{trade.buy.symbol}"
        return (
            f"waits: {pair} is {text.decimal(price, 4)}, {text.bps(worse)} worse than the "
            f"{text.decimal(parent.price, 4)} it was decided at, {text.bps(self.wishes.worse)} allowed"
        )


def _begun(view: VaultView) -> Begun | None:
    """The parent that is under way: its last slice was not the last of all, and is not a day old."""
    found = view.history.last_slice
    if found is None or found[1].is_last or view.block.timestamp - found[0].at > LAPSE:
        return None
    return found


def _is_of(trade: Trade, parent: Parent) -> bool:
    return (trade.sell.token.address, trade.buy.address) == (parent.sell, parent.buy)


def _draws(view: VaultView) -> Iterator[Fraction]:
    """Anew after every trade, and the same until the next: an approval and the swap behind it see one size."""
    trades = view.history.trades
    return slicing.draws(view.history.seed, trades[-1].at if trades else 0)


def _not_yet(schedule: Schedule, view: VaultView) -> str:
    left = schedule.due - view.block.timestamp
    return f"next in {text.duration(left)}" if left > 0 else ""


def _part(trade: Trade, size: TokenAmount) -> Trade:
    return replace(trade, sell=trade.sell.times(size.over(trade.notional), Rounding.DOWN), notional=size)


def _standing(schedule: Schedule, trade: Trade) -> str:
    """`slice 3 of 12 of WETH for USDC, 62 % done`"""
    part, done = schedule.slice, text.decimal(schedule.progress * 100, 0)
    return f"slice {part.number} of {part.of} of {trade.sell.token.symbol} for {trade.buy.symbol}, {done} % done"
