"""Balance changes that are not ours: deposits, withdrawals, rebases, airdrops. Pure.

What a vault gained over a period is its change in value less what was put in: a deposit is no profit, and a withdrawal
no loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keeper.core.calls import Purpose
from keeper.core.sending import Intent, Outcome
from keeper.core.units import USD, Price, Token, TokenAmount
from keeper.core.wrapping import wrapped_by


@dataclass(frozen=True, slots=True)
class Flow:
    """Positive where something came in. `value` is in USD when it was noticed; None where the token had no price."""

    vault: str
    at: int
    block_number: int
    amount: TokenAmount
    value: TokenAmount | None


Changes = Mapping[Token, int]
"""{raw} by token; what does not change may be absent."""


def changes_of(intent: Intent, outcome: Outcome | None, account: str, tokens: Iterable[Token]) -> Changes:
    """What a mined transaction of ours did to its account: fill, gas where the account pays it, wrapping."""
    changes: dict[Token, int] = {}
    mined = intent.mined
    if mined is None:
        return changes
    native = next((token for token in tokens if token.is_native), None)
    executed = next((attempt.purpose for attempt in intent.attempts if attempt.hash == mined.hash), None)
    if native is not None and intent.sender == account:
        changes[native] = -mined.gas_cost
    if mined.status != 1 or executed is Purpose.CANCEL:
        return changes
    # A fill's own Transfer logs where there is one: deltas are the whole block's, deposits included.
    traded = outcome.fill.changes if outcome and outcome.fill else outcome.deltas if outcome else {}
    for token, raw in traded.items():
        _add(changes, token, raw)
    wrapped = wrapped_by(intent.call)
    for token in tokens:
        if token.address in wrapped:
            _add(changes, token, wrapped[token.address])
    if native is not None and native not in traded:
        _add(changes, native, -sum(step.value for step in intent.call.steps if step.purpose is not Purpose.WRAP))
    return changes


def _add(changes: dict[Token, int], token: Token, raw: int) -> None:
    changes[token] = changes.get(token, 0) + raw


def compute_flows(
    before: Mapping[Token, TokenAmount], after: Mapping[Token, TokenAmount], own: Iterable[Changes]
) -> tuple[TokenAmount, ...]:
    """What changed and was not ours, to the last unit: a rebase is a flow however small.

    Only tokens of both looks are compared: one that a config has just added was not deposited.
    """
    explained: dict[Token, int] = {}
    for changes in own:
        for token, raw in changes.items():
            _add(explained, token, raw)
    both = sorted(before.keys() & after.keys(), key=lambda token: token.address)
    found = [TokenAmount(t, after[t].raw - before[t].raw - explained.get(t, 0)) for t in both]
    return tuple(amount for amount in found if amount)


def value_flow(amount: TokenAmount, prices: Mapping[Token, Price]) -> TokenAmount | None:
    """{USD} Rounded down; None where the token has no price."""
    price = prices.get(amount.token)
    return None if price is None or price.quote != USD else price.value(amount)


def compute_gain(start: TokenAmount, end: TokenAmount, flows: Iterable[Flow]) -> TokenAmount:
    """{USD} Flow-adjusted: the change in value less the net value that flowed in. Negative where it is a loss."""
    gain = end - start
    for flow in flows:
        if flow.value is not None:
            gain = gain - flow.value
    return gain
