"""What a fork showed: every transaction, and what all of it would have cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keeper.core.units import USD, WHOLE_BPS, TokenAmount
from keeper.report import format as form
from keeper.report.facts import Transaction
from keeper.report.history import render_history
from keeper.report.page import STRONG, Page


def render_fork(transactions: Sequence[Transaction], *, seconds: int, journal: str) -> Page:
    """`seconds` is the chain's time that passed; `journal` is where all of it is written down."""
    page = Page()
    page.add(("fork", STRONG), f" · {form.age(seconds)} of chain time · {form.count(len(transactions), 'transaction')}")
    page.blank()
    page.lines.extend(render_history(transactions).lines)
    page.blank()
    fills = [transaction for transaction in transactions if transaction.fill]
    sold = _total(transaction.expect.value_sold for transaction in fills)
    costs = [transaction.cost for transaction in fills]
    gas = _total(transaction.outcome.gas_value for transaction in transactions if transaction.outcome)
    whole = _total(costs) + gas
    bps = f"{form.rounded(whole.over(sold) * WHOLE_BPS, 1)} bps = " if sold else ""
    page.label("cost", f"{bps}{form.usd(whole.whole)}, {form.usd(gas.whole)} of it gas", width=10)
    page.label("journal", f"{journal}, of this fork alone", width=10)
    return page


def _total(values: Iterable[TokenAmount | None]) -> TokenAmount:
    return sum((value for value in values if value is not None), TokenAmount.zero(USD))
