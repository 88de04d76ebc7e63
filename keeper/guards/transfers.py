"""Guard of the tokens: what is sold leaves, and what the pool gives arrives, whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from keeper.core import text
from keeper.core.chain import VaultView
from keeper.core.plan import Draft
from keeper.core.transfers import TOLERATED
from keeper.core.units import WHOLE_BPS, Token, TokenAmount
from keeper.core.verdicts import Allow, Verdict
from keeper.core.wrapping import wrapped_by
from keeper.guards.verdicts import at_most, no_trade


@dataclass(frozen=True, slots=True)
class WholeTransfers:
    """Simulated balances against what the legs sell and quote, {bps} of it, of the worst token.

    Refuses tokens that take a fee of transfers, or whose balances do not follow their transfers: neither the plan nor
    the accounting is right for them.
    """

    key: ClassVar[str] = "whole_transfers"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        limit = text.bps(TOLERATED)
        if draft.order is None or not draft.order.legs:
            return no_trade(self.key, limit)
        if draft.simulation.failure:
            return Allow(self.key, "does not apply: the simulation failed", limit)  # max_deviation refuses it
        worst, what = max(_missing(draft), key=lambda each: each[0])
        remedy = (
            "Nothing clears this by itself: the keeper trades no token that takes a fee of transfers (docs/tokens.md)."
        )
        return at_most(self.key, (worst, TOLERATED), (text.bps(worst), limit), what, remedy=remedy)


def _missing(draft: Draft) -> Iterator[tuple[Fraction, str]]:
    """Of each token that is traded: how much of it went missing, {bps}, and what that means in a clause."""
    meant: dict[str, TokenAmount] = {}
    most: dict[str, int] = {}
    legs = [each.leg for each in (draft.order.legs if draft.order else ())]
    for leg in legs:
        for amount in (-leg.sell, leg.quote):
            key = amount.token.address
            meant[key] = meant[key] + amount if key in meant else amount
            most[key] = max(most.get(key, 0), abs(amount.raw))
    wrapped: dict[str, int] = {}
    for call in draft.calls.sequence:
        for token, raw in wrapped_by(call).items():
            wrapped[token] = wrapped.get(token, 0) + raw
    for address, amount in meant.items():
        found = TokenAmount(amount.token, draft.simulation.deltas.get(amount.token, 0) - wrapped.get(address, 0))
        missing = max((amount - found).raw, 0)
        # Of the largest leg: where several legs trade it, little or nothing of it may be left.
        through = dict.fromkeys(token for leg in legs if leg.buy == amount.token for token in leg.through)
        yield Fraction(missing * WHOLE_BPS, most[address]), _said(amount, found, tuple(through))


def _said(meant: TokenAmount, found: TokenAmount, through: Sequence[Token]) -> str:
    """`through` are the tokens that what is bought comes through, any of which may be the one."""
    symbol = " or ".join(token.symbol for token in (meant.token, *through))
    if meant.raw > 0:
        came = f"received {text.amount(found)} of {text.amount(meant)}" if found.raw else "the swap brings none"
        return f"{symbol} takes a fee on transfer, or its balances do not follow its transfers: {came}"
    sold = meant.token.symbol
    return f"{sold} takes a fee on transfer: {text.amount(-found)} left the account to sell {text.amount(-meant)}"
