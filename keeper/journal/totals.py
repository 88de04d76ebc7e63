"""What a period came to: cycles, trades, their cost by part, and what was refused. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keeper.core.units import USD, TokenAmount
from keeper.journal.past import Entry
from keeper.journal.reader import CycleRow, JournalReader


@dataclass(frozen=True, slots=True)
class Refusals:
    """A guard that refused `count` turns of a vault, and why it did the last time."""

    vault: str
    guard: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Values in USD. `gas` includes approvals and failures; the other parts are those of fills."""

    turns: int
    by_kind: Mapping[str, int]
    transactions: int
    trades: int
    sold: TokenAmount
    fee: TokenAmount
    impact: TokenAmount
    others: TokenAmount
    gas: TokenAmount
    refusals: tuple[Refusals, ...]
    """Most frequent first."""

    @property
    def cost(self) -> TokenAmount:
        """Fee, impact and others; gas comes on top."""
        return self.fee + self.impact + self.others


def read_totals(
    reader: JournalReader, vault: str | None = None, *, since: int | None = None, until: int | None = None
) -> Totals:
    """Of one vault or all. A streak counts whole where it reaches into the period."""
    found = reader.cycles(vault, limit=None, since=since, until=until)
    return compute_totals(found, reader.transactions(vault, since=since, until=until))


def compute_totals(cycles: Iterable[CycleRow], entries: Iterable[Entry]) -> Totals:
    """`cycles` are newest first."""
    by_kind: Counter[str] = Counter()
    refused: dict[tuple[str, str], Refusals] = {}
    for row in cycles:
        by_kind[row.kind] += row.turns
        for guard in row.guards:
            key = row.vault, guard
            known = refused.get(key) or Refusals(row.vault, guard, _reason(row, guard), 0)
            refused[key] = Refusals(known.vault, known.guard, known.reason, known.count + row.turns)
    mined = [entry for entry in entries if entry.intent.mined is not None]
    trades = [entry for entry in mined if entry.traded is not None]
    outcomes = [entry.outcome for entry in trades if entry.outcome is not None]
    return Totals(
        turns=by_kind.total(),
        by_kind=dict(by_kind),
        transactions=len(mined),
        trades=len(trades),
        sold=_sum(entry.traded for entry in trades),
        fee=_sum(outcome.fee_value for outcome in outcomes),
        impact=_sum(outcome.impact_value for outcome in outcomes),
        others=_sum(outcome.others_value for outcome in outcomes),
        gas=_sum(entry.gas_value for entry in mined),
        refusals=tuple(sorted(refused.values(), key=lambda each: (-each.count, each.vault, each.guard))),
    )


def _sum(parts: Iterable[TokenAmount | None]) -> TokenAmount:
    return sum((part for part in parts if part is not None), TokenAmount.zero(USD))


def _reason(row: CycleRow, guard: str) -> str:
    """The guard's own words from the decision, else the cycle's."""
    for verdict in row.decision.get("guards", ()):
        if isinstance(verdict, Mapping) and verdict.get("guard") == guard and verdict.get("reason"):
            return str(verdict["reason"])
    return row.reason
