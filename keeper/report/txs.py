"""`keeper txs`: what is on its way, and what lately was: state, age, fees, attempts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.text import Text

from keeper.core.foreign import printable
from keeper.core.plan import Fees
from keeper.core.sending import FINAL, LIVE, State
from keeper.report import format as form
from keeper.report.facts import Transaction
from keeper.report.page import BAD, DIM, GOOD, STRONG, WARN, Page, styled

HEADER = ("no.", "vault", "what", "nonce", "state", "age", "sent", "fee cap", "tip", "block", "hash")


def render_txs(transactions: Sequence[Transaction], *, now: int, next_commands: Sequence[str] = ()) -> Page:
    """A row for each, the live ones first; below, what is known of why a live one waits. `now` is Unix seconds."""
    page = Page()
    if not transactions:
        page.add("No transactions.")
        return page
    ordered = in_order(transactions)
    page.table([_row(transaction, now) for transaction in ordered], "rllrlrrrrrl", HEADER, drop=(9, 8, 1, 0))
    live = [transaction for transaction in ordered if transaction.intent.state in LIVE]
    noted = [transaction.intent for transaction in live if transaction.intent.note]
    if noted:
        page.blank()
    for intent in noted:
        page.label(f"nonce {intent.nonce}", printable(intent.note), width=12)
    if live and next_commands:
        page.blank()
        for command in next_commands:
            page.label("next", command, width=6)
    return page


def in_order(transactions: Sequence[Transaction]) -> list[Transaction]:
    """Live ones first, then the latest first."""
    return sorted(transactions, key=lambda t: (t.intent.state not in LIVE, -t.intent.id))


def txs_record(transactions: Sequence[Transaction], *, now: int) -> list[dict[str, Any]]:
    """The same for machines; fees in wei as text, times as ISO 8601."""
    return [_record(transaction, now) for transaction in in_order(transactions)]


def _row(transaction: Transaction, now: int) -> list[Text | str]:
    intent, mined = transaction.intent, transaction.mined
    latest = intent.attempts[-1] if intent.attempts else None
    hash_ = mined.hash if mined else latest.hash if latest else ""
    fees = next((attempt.fees for attempt in intent.attempts if attempt.hash == hash_), None)
    return [
        str(intent.id),
        styled((intent.vault, STRONG)),
        _what(transaction),
        str(intent.nonce),
        styled((str(intent.state), _style(transaction))),
        form.age(max(0, now - intent.created_at)),
        str(len(intent.attempts)),
        f"{_gwei(fees.cap)} gwei" if fees else "–",
        _tip(fees),
        f"{mined.block_number:,}" if mined else "–",
        styled((form.short(hash_), DIM)),
    ]


def _what(transaction: Transaction) -> str:
    """A trade that is being cancelled is both."""
    intent = transaction.intent
    cancels = bool(intent.attempts) and intent.attempts[-1].purpose != intent.call.purpose
    return f"{intent.call.purpose}, cancel" if cancels else str(intent.call.purpose)


def _style(transaction: Transaction) -> str:
    state = transaction.intent.state
    if transaction.failed or state is State.EXTERNAL:
        return BAD
    return GOOD if state in FINAL or state is State.CONFIRMED else WARN


def _gwei(wei: int) -> str:
    return form.trimmed(Fraction(wei, 10**9))


def _tip(fees: Fees | None) -> str:
    return "–" if fees is None or fees.tip is None else _gwei(fees.tip)


def _record(transaction: Transaction, now: int) -> dict[str, Any]:
    intent, mined = transaction.intent, transaction.mined
    return {
        "id": intent.id,
        "vault": intent.vault,
        "cycle": intent.cycle or None,
        "chain_id": intent.chain_id,
        "sender": intent.sender,
        "nonce": intent.nonce,
        "purpose": str(intent.call.purpose),
        "text": printable(intent.call.text),
        "state": str(intent.state),
        "live": intent.state in LIVE,
        "note": printable(intent.note),
        "created_at": form.utc(intent.created_at),
        "age_seconds": max(0, now - intent.created_at),
        "deadline": form.utc(intent.deadline),
        "block": mined.block_number if mined else None,
        "attempts": [
            {
                "hash": attempt.hash,
                "purpose": str(attempt.purpose),
                "at": form.utc(attempt.at),
                "fee_cap_wei": str(attempt.fees.cap),
                "tip_wei": None if attempt.fees.tip is None else str(attempt.fees.tip),
            }
            for attempt in intent.attempts
        ],
    }
