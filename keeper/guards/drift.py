"""Guards of the result: the simulated balances must lie nearer to the targets, and no asset beyond its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from keeper.core import text
from keeper.core.chain import VaultView
from keeper.core.plan import Draft
from keeper.core.units import WHOLE_BPS, Token
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.core.weighing import Weighing, total_drift, unit_values
from keeper.guards.pegs import peg_falls, peg_not_crossed
from keeper.guards.verdicts import failed, no_trade


def _scales(draft: Draft, view: VaultView) -> Weighing:
    prices = {asset.token: view.price(asset.token).mid for asset in draft.plan.assets}
    return Weighing({asset.token: asset.balance.raw for asset in draft.plan.assets}, unit_values(prices))


def _deltas(draft: Draft, wrapped: Token | None) -> Mapping[Token, int]:
    """The simulation's deltas; native coin counts as its wrapped token, so that wrapping changes nothing."""
    deltas = {token: raw for token, raw in draft.simulation.deltas.items() if not token.is_native}
    native = sum(raw for token, raw in draft.simulation.deltas.items() if token.is_native)
    if wrapped is not None and native:
        deltas[wrapped] = deltas.get(wrapped, 0) + native
    return deltas


@dataclass(frozen=True, slots=True)
class DriftFalls:
    """Σ|drift| of the simulated result must be less than now, by exact weights at oracle mid. Of a peg, it is each
    pool's deviation that must be.

    `wrapped` is the token as which native coin counts, if it counts.
    """

    wrapped: Token | None = None
    key: ClassVar[str] = "drift_falls"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        if draft.order is None:
            return no_trade(self.key, "must fall")
        if draft.simulation.failure:
            return failed(self.key, draft.simulation.failure)
        if draft.plan.peg is not None:
            return peg_falls(self.key, draft, view, draft.plan.peg)
        targets = {asset.token: asset.target for asset in draft.plan.assets}
        before = _scales(draft, view)
        after = before.after(_deltas(draft, self.wrapped))
        if not before.total or not after.total:
            return Deny(self.key, "the vault is worth nothing, so nothing can be weighed", "no value", "must fall")
        old, new = total_drift(before.drifts(targets)), total_drift(after.drifts(targets))
        measured, limit = f"{text.pp(new)} after", f"below {text.pp(old)} now"
        if new < old:
            return Allow(self.key, measured, limit, new / old)
        reason = f"the trade would not reduce the drift of all assets together: {measured}, {limit} required"
        return Deny(self.key, reason, measured, limit)


@dataclass(frozen=True, slots=True)
class NoCrossing:
    """No traded asset may end on the other side of its target, and no pool on the other side of a peg.

    Tolerated are one raw unit's worth (of the coarsest traded token), and that by which the fill at the head differs
    from the quote at the snapshot: the plan is exact at the quote, and a better fill must not be refused.
    """

    wrapped: Token | None = None
    key: ClassVar[str] = "no_crossing"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        limit = "one raw unit beyond target"
        if draft.order is None:
            return no_trade(self.key, limit)
        if draft.simulation.failure:
            return failed(self.key, draft.simulation.failure)
        if draft.plan.peg is not None:
            return peg_not_crossed(self.key, draft, view, draft.plan.peg)
        before, deltas = _scales(draft, view), _deltas(draft, self.wrapped)
        after = before.after(deltas)
        tolerated = _tolerated(draft, before, deltas)
        targets = {asset.token: asset.target for asset in draft.plan.assets}
        for token in _traded(draft):
            then, now = _gap(after, token, targets[token]), _gap(before, token, targets[token])
            if now * then <= 0 and abs(then) > tolerated:
                beyond = text.pp(abs(after.weight(token) - targets[token]))
                reason = f"{token.symbol} would end {beyond} on the other side of its target"
                return Deny(self.key, reason, f"{token.symbol} {beyond} beyond target", limit)
        return Allow(self.key, "no asset crosses its target", limit)


def _traded(draft: Draft) -> list[Token]:
    legs = [leg.leg for leg in draft.order.legs] if draft.order else []
    return list(dict.fromkeys(token for leg in legs for token in (leg.sell.token, leg.buy)))


def _gap(scales: Weighing, token: Token, target: int) -> Fraction:
    """Value above the target's share of the whole, in the unit of the scales."""
    return scales.value(token) - Fraction(target * scales.total, WHOLE_BPS)


def _tolerated(draft: Draft, scales: Weighing, deltas: Mapping[Token, int]) -> int:
    quoted: dict[Token, int] = {}
    for leg in draft.order.legs if draft.order else ():
        quoted[leg.leg.buy] = quoted.get(leg.leg.buy, 0) + leg.leg.quote.raw
    one_unit = max(scales.unit[token] for token in _traded(draft))
    return one_unit + sum(abs(deltas.get(token, 0) - raw) * scales.unit[token] for token, raw in quoted.items())
