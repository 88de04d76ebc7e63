"""The past of a vault as data for the next decision. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from keeper.core.calls import Purpose
from keeper.core.chain import PastCall, PastSample, PastTrade
from keeper.core.records import PauseState, Sample
from keeper.core.sending import Expectation, Intent, Outcome, State
from keeper.core.units import USD, Rounding, TokenAmount

DAY = 86_400


@dataclass(frozen=True)
class Entry:
    """One intent, what was expected of it, and what is known of its outcome. It is asked again at each look."""

    intent: Intent
    expect: Expectation
    outcome: Outcome | None = None

    @cached_property
    def gas_value(self) -> TokenAmount | None:
        """{USD} What its gas cost, mined or not final yet; None where nothing was mined or nothing has a price."""
        if self.outcome is not None and self.outcome.gas_value is not None:
            return self.outcome.gas_value
        price, mined = self.expect.native_price, self.intent.mined
        if price is None or mined is None:
            return None
        return price.value(TokenAmount(price.base, mined.gas_cost), Rounding.UP)

    @cached_property
    def lost(self) -> TokenAmount:
        """{USD} Quote minus fill; nothing as long as the fill is not known."""
        return (self.outcome and self.outcome.others_value) or TokenAmount.zero(USD)

    @cached_property
    def traded(self) -> TokenAmount | None:
        """{USD} Its notional, where a trade of ours took place: mined in a block that stands, neither reverted nor
        cancelled. Counted from the block on, whether or not its fill has been read."""
        mined = self.intent.mined
        if mined is None or mined.status != 1 or self.cancelled:
            return None
        return self.expect.value_sold

    @cached_property
    def cancelled(self) -> bool:
        """A transfer of nothing to itself was mined in its place."""
        mined = self.intent.mined
        executed = [each.purpose for each in self.intent.attempts if mined is not None and each.hash == mined.hash]
        return self.intent.state is State.FINAL_CANCELLED or Purpose.CANCEL in executed

    @cached_property
    def acted(self) -> bool:
        """It traded, or made the call of an upkeep, and neither reverted nor was cancelled."""
        if self.intent.call.purpose is Purpose.UPKEEP:
            return self.intent.mined is not None and self.intent.mined.status == 1 and not self.cancelled
        return self.traded is not None


def past_trades(entries: Iterable[Entry], now: int) -> tuple[PastTrade, ...]:
    """Trades of the last 24 hours, oldest first, and the last one however old: a cool-down may be longer than a day."""
    trades = []
    for entry in entries:
        notional, mined = entry.traded, entry.intent.mined
        if notional is not None and mined is not None:
            gas = entry.gas_value or TokenAmount.zero(USD)
            sold = next((token.address for token in entry.expect.sells), None)
            trades.append(PastTrade(mined.timestamp, notional, gas, entry.expect.slice, entry.lost, sold))
    trades.sort(key=lambda trade: trade.at)
    return tuple(trade for trade in trades[:-1] if trade.at > now - DAY) + tuple(trades[-1:])


def past_calls(entries: Iterable[Entry], now: int) -> tuple[PastCall, ...]:
    """Calls of an upkeep in the last 24 hours, reverted ones too, oldest first, and the last one however old."""
    mined = [
        entry.intent.mined
        for entry in entries
        if entry.intent.mined and entry.intent.call.purpose is Purpose.UPKEEP and not entry.cancelled
    ]
    calls = sorted((PastCall(each.timestamp, int(each.gas_cost)) for each in mined), key=lambda call: call.at)
    return tuple(call for call in calls[:-1] if call.at > now - DAY) + tuple(calls[-1:])


def past_gas(entries: Iterable[Entry], now: int) -> tuple[tuple[int, TokenAmount], ...]:
    """(Unix seconds, USD) of every transaction mined in the last 24 hours, oldest first."""
    costs = [(e.intent.mined.timestamp, e.gas_value) for e in entries if e.intent.mined is not None]
    return tuple(sorted(((at, cost) for at, cost in costs if cost is not None and at > now - DAY), key=lambda c: c[0]))


def past_reverts(entries: Iterable[Entry]) -> tuple[int, ...]:
    """Unix seconds of the blocks in which a transaction reverted, oldest first."""
    return tuple(sorted(e.intent.mined.timestamp for e in entries if e.intent.mined and e.intent.mined.status != 1))


def past_samples(noted: Iterable[Sample], flowed: Iterable[tuple[int, int]]) -> tuple[PastSample, ...]:
    """Samples, oldest first, each with what people put in after it. `flowed`: (Unix seconds, {USD raw})."""
    moved = tuple(flowed)
    return tuple(
        PastSample(
            sample.at,
            TokenAmount(USD, sample.value.raw + sum(raw for at, raw in moved if at > sample.at)),
            tuple((token, Fraction(ratio)) for token, ratio in sample.prices.items()),
        )
        for sample in noted
    )


def pause_text(pause: PauseState | None) -> str:
    if pause is None:
        return ""
    return f"paused by {pause.by}: {pause.reason}" if pause.reason else f"paused by {pause.by}"


def seed_of(journal: str, vault: str) -> int:
    """A number that stays the same for a vault as long as its journal lives. 63 bits."""
    return int.from_bytes(hashlib.sha256(f"{journal}\0{vault}".encode()).digest()[:8], "big") >> 1
