"""Guards of how much and how often: one trade, one day, the time between trades."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from keeper.core import text
from keeper.core.chain import VaultView
from keeper.core.plan import Draft
from keeper.core.units import USD, WHOLE_BPS, TokenAmount
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.guards.verdicts import at_most, no_trade


@dataclass(frozen=True, slots=True)
class MaxTrade:
    """What one transaction may trade, in the numeraire; what is worth more than `escalate_above`, people must sign."""

    limit: TokenAmount
    escalate_above: TokenAmount | None = None
    key: ClassVar[str] = "max_trade"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        notional = draft.notional
        if notional is None:
            return no_trade(self.key, text.usd(self.limit))
        if self.escalate_above is not None and self.escalate_above < notional <= self.limit:
            most, measured = text.usd(self.escalate_above), text.usd(notional)
            reason = f"people sign what is worth more than {most}: {measured}"
            return Deny(self.key, reason, measured, most, notional.over(self.escalate_above), for_people=True)
        texts = text.usd(notional), text.usd(self.limit)
        remedy = "A clip below this limit trades in slices instead."
        return at_most(self.key, (notional.raw, self.limit.raw), texts, "the trade is too large", remedy=remedy)


@dataclass(frozen=True, slots=True)
class MaxTurnover:
    """Traded value over vault value, {bps}, in a rolling window of `seconds`, this trade included."""

    limit: int
    seconds: int = 86_400
    key: ClassVar[str] = "max_turnover"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        allowed = f"{text.percent(self.limit)} per {text.duration(self.seconds)}"
        if draft.notional is None:
            return no_trade(self.key, allowed)
        past = view.history.since(view.block.timestamp - self.seconds)
        traded = sum((trade.notional for trade in past), draft.notional)
        value = _value(draft, view)
        share = traded.over(value) * WHOLE_BPS if value else Fraction(WHOLE_BPS)
        return at_most(
            self.key,
            (share, self.limit),
            (text.percent(share), allowed),
            f"with this trade {text.usd(traded)} of {text.usd(value)} would be turned over",
            remedy="It clears itself as earlier trades leave the window.",
        )


def _value(draft: Draft, view: VaultView) -> TokenAmount:
    """What the plan weighs; all that the vault holds where it weighs nothing."""
    if draft.plan.assets:
        return sum((asset.value for asset in draft.plan.assets), TokenAmount.zero(USD))
    return sum((view.price(token).mid.value(held) for token, held in view.holdings.items()), TokenAmount.zero(USD))


@dataclass(frozen=True, slots=True)
class CoolDown:
    """The least time between two trades of a vault, {seconds}, from the block of the last one."""

    limit: int
    key: ClassVar[str] = "cool_down"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        least = f"at least {text.duration(self.limit)}"
        if draft.notional is None:
            return no_trade(self.key, least)
        if not view.history.trades:
            return Allow(self.key, "no trade yet", least)
        passed = max(view.block.timestamp - max(trade.at for trade in view.history.trades), 0)
        measured, used = f"{text.duration(passed)} since the last trade", Fraction(self.limit, max(passed, 1))
        if passed >= self.limit:
            return Allow(self.key, measured, least, used)
        reason = f"the last trade was {text.duration(passed)} ago, {least} required"
        remedy = f"It clears itself in {text.duration(self.limit - passed)}."
        return Deny(self.key, reason, measured, least, used, remedy=remedy)


@dataclass(frozen=True, slots=True)
class MaxTrades:
    """How many trades a rolling window of `seconds` may hold, this one included."""

    limit: int
    seconds: int = 86_400
    key: ClassVar[str] = "max_trades"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        allowed = f"{self.limit} per {text.duration(self.seconds)}"
        if draft.notional is None:
            return no_trade(self.key, allowed)
        count = len(view.history.since(view.block.timestamp - self.seconds)) + 1
        remedy = "It clears itself as earlier trades leave the window."
        texts = f"{count} with this one", allowed
        return at_most(self.key, (count, self.limit), texts, "too many trades", remedy=remedy)
