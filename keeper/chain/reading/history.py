"""A vault's past as JSON-ready fields and back: part of what a decision was made from.

What a vault does not have takes no room. Values are in the numeraire, so raw figures say it all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from keeper.core.chain import History, PastCall, PastSample, PastTrade
from keeper.core.latches import Latch, Rearm
from keeper.core.pegs import trace_in, trace_out
from keeper.core.proposals import proposal_in, proposal_out
from keeper.core.slices import slice_in, slice_out
from keeper.core.units import USD, Address, Token, TokenAmount

Fields = dict[str, Any]


def history_fields(history: History) -> Fields:
    """Equal histories give equal fields."""
    return {
        "trades": [_trade_fields(trade) for trade in history.trades],
        "gas": [[at, cost.raw] for at, cost in history.gas],
        "paused": history.paused,
        "cycles_in_streak": history.cycles_in_streak,
        "seed": history.seed,
    } | {name: found for name, (out, _) in _SELDOM.items() if (found := out(getattr(history, name)))}


def parse_history(fields: Mapping[str, Any]) -> History:
    return History(
        trades=tuple(_trade(*trade) for trade in fields["trades"]),
        gas=tuple((at, TokenAmount(USD, cost)) for at, cost in fields["gas"]),
        paused=fields["paused"],
        cycles_in_streak=fields["cycles_in_streak"],
        seed=fields["seed"],
        **{name: back(fields[name]) for name, (_, back) in _SELDOM.items() if name in fields},
    )


def _trade_fields(trade: PastTrade) -> list[Any]:
    figures = [trade.at, trade.notional.raw, trade.gas_cost.raw, trade.lost.raw]
    seldom = [slice_out(trade.slice) if trade.slice else None, trade.sold]
    return [*figures, *(seldom if trade.sold else seldom[:1] if trade.slice else [])]


def _trade(
    at: int, notional: int, gas: int, lost: int, part: Mapping[str, Any] | None = None, sold: str | None = None
) -> PastTrade:
    values = [TokenAmount(USD, raw) for raw in (notional, gas, lost)]
    token = None if sold is None else Address(sold)
    return PastTrade(at, values[0], values[1], slice_in(part) if part else None, values[2], token)


def _sample_fields(sample: PastSample) -> list[Any]:
    prices = [[t.chain_id, t.address, t.symbol, t.decimals, str(ratio)] for t, ratio in sample.prices]
    return [sample.at, sample.comparable.raw, prices]


def _sample(at: int, comparable: int, prices: list[Any]) -> PastSample:
    found = tuple((Token(c, Address(a), s, d), Fraction(ratio)) for c, a, s, d, ratio in prices)
    return PastSample(at, TokenAmount(USD, comparable), found)


def _latch_fields(latch: Latch) -> list[Any]:
    trial = None if latch.rearm.trial is None else latch.rearm.trial.raw
    return [latch.breaker, latch.at, latch.rearm.after, trial, latch.trying_at]


def _latch(breaker: str, at: int, after: int | None, trial: int | None, trying_at: int | None) -> Latch:
    return Latch(breaker, at, Rearm(after, None if trial is None else TokenAmount(USD, trial)), trying_at)


_SELDOM: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "calls": (
        lambda calls: [[call.at, call.gas_cost] for call in calls],
        lambda found: tuple(PastCall(*call) for call in found),
    ),
    "reverts": (list, tuple),
    "refusals": (int, int),
    "samples": (
        lambda samples: [_sample_fields(sample) for sample in samples],
        lambda found: tuple(_sample(*sample) for sample in found),
    ),
    "latches": (
        lambda latches: [_latch_fields(latch) for latch in latches],
        lambda found: tuple(_latch(*latch) for latch in found),
    ),
    "proposal": (lambda proposal: proposal and proposal_out(proposal), proposal_in),
    "trace": (lambda trace: trace and trace_out(trace), trace_in),
    "cleared": (lambda cleared: [list(each) for each in cleared], lambda found: tuple((n, at) for n, at in found)),
}
"""Fields that most vaults do not have: how each is written and read back."""
