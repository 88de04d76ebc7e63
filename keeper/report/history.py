"""`keeper history`: every transaction that cost something, for the books. Values are those at the decision's block."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

from rich.text import Text

from keeper.core.foreign import printable
from keeper.core.sending import LIVE, State
from keeper.core.units import USD, Token, TokenAmount
from keeper.report import format as form
from keeper.report.facts import Transaction
from keeper.report.nouns import symbol
from keeper.report.page import DIM, Page

COLUMNS = (
    "time_utc",
    "vault",
    "chain_id",
    "purpose",
    "result",
    "hash",
    "block",
    "sold",
    "sold_token",
    "received",
    "received_token",
    "quote",
    "min_out",
    "value_usd",
    "gas_native",
    "gas_usd",
    "fee_usd",
    "impact_usd",
    "others_usd",
)

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: what could start one, and is no number, gets an apostrophe."""
    clean = printable(text)
    dangerous = clean.startswith(("=", "+", "-", "@", "|", "%")) and not _NUMBER.fullmatch(clean)
    return f"'{clean}" if dangerous else clean


def history_rows(transactions: Iterable[Transaction]) -> list[dict[str, str]]:
    """One row each, in the order given; amounts exact, cells empty where nothing is known."""
    return [_record(transaction) for transaction in transactions]


def history_csv(transactions: Iterable[Transaction]) -> str:
    """RFC 4180 with a header row."""
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in history_rows(transactions):
        writer.writerow({column: safe_cell(text) for column, text in row.items()})
    return out.getvalue()


def result_of(transaction: Transaction) -> str:
    """live, ok, reverted, cancelled or external."""
    state = transaction.intent.state
    if transaction.failed:
        return "reverted"
    named = {State.FINAL_CANCELLED: "cancelled", State.EXTERNAL: "external"}
    return named.get(state, "live" if state in LIVE else "ok")


def _record(transaction: Transaction) -> dict[str, str]:
    intent, expect, outcome = transaction.intent, transaction.expect, transaction.outcome
    mined, fill = transaction.mined, transaction.fill
    attempts = intent.attempts
    values = (
        form.utc(mined.timestamp if mined else intent.created_at),
        intent.vault,
        str(intent.chain_id),
        str(intent.call.purpose),
        result_of(transaction),
        mined.hash if mined else attempts[-1].hash if attempts else "",
        str(mined.block_number) if mined else "",
        *_both(fill.sold if fill else ()),
        *_both(fill.received if fill else ()),
        _both(_expected(transaction, expect.quotes))[0],
        _both(_expected(transaction, expect.floors))[0],
        _whole(expect.value_sold if fill else None),
        form.exact(mined.gas_cost, 18) if mined else "",
        _whole(outcome.gas_value if outcome else None),
        _whole(outcome.fee_value if outcome else None),
        _whole(outcome.impact_value if outcome else None),
        _whole(outcome.others_value if outcome else None),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _expected(transaction: Transaction, bought: Mapping[Token, TokenAmount]) -> list[TokenAmount]:
    """Quotes or floors of what was received, in its order."""
    fill, net = transaction.fill, transaction.expect.net(bought)
    return [amount for token, amount in net.items() if fill is None or any(r.token == token for r in fill.received)]


def _both(amounts: Iterable[TokenAmount]) -> tuple[str, str]:
    """Figures and symbols, in the same order: `10; 5` of `WETH; LINK` where a transaction has several."""
    known = list(amounts)
    return "; ".join(_whole(amount) for amount in known), "; ".join(symbol(amount.token) for amount in known)


def _whole(amount: TokenAmount | None) -> str:
    return "" if amount is None else form.exact(amount.raw, amount.token.decimals)


# --- for people ------------------------------------------------------------------------------------------------------

HEADER = ("time UTC", "vault", "what", "sold", "received", "value", "cost", "gas", "hash")


def render_history(transactions: Sequence[Transaction]) -> Page:
    """The columns an eye can take in; the CSV has the rest."""
    page = Page()
    if not transactions:
        page.add("No transactions.")
        return page
    rows = [_row(transaction) for transaction in transactions]
    page.table(rows, "lllrrrrrl", HEADER, drop=(8, 1, 7))
    page.blank()
    page.add((_totals(transactions), DIM))
    return page


def _row(transaction: Transaction) -> list[Text | str]:
    intent, expect, outcome = transaction.intent, transaction.expect, transaction.outcome
    mined, fill = transaction.mined, transaction.fill
    result, purpose = result_of(transaction), str(intent.call.purpose)
    return [
        form.moment(mined.timestamp if mined else intent.created_at).removesuffix(" UTC"),
        intent.vault,
        purpose if result == "ok" else f"{purpose}, {result}",
        transaction.shown(*fill.sold) if fill else "",
        transaction.shown(*fill.received) if fill else "",
        form.usd(expect.value_sold.whole) if fill and expect.value_sold else "",
        "" if transaction.cost is None else form.usd(transaction.cost.whole),
        form.usd(outcome.gas_value.whole) if outcome and outcome.gas_value else "",
        form.short(mined.hash) if mined else "",
    ]


def _totals(transactions: Sequence[Transaction]) -> str:
    costs = [transaction.cost for transaction in transactions if transaction.cost is not None]
    cost = sum(costs, TokenAmount.zero(USD))
    spent = (transaction.outcome.gas_value for transaction in transactions if transaction.outcome)
    gas = sum((value for value in spent if value is not None), TokenAmount.zero(USD))
    sent = form.count(len(transactions), "transaction")
    return f"{sent}, {form.count(len(costs), 'trade')} · cost {form.usd(cost.whole)} and gas {form.usd(gas.whole)}"
