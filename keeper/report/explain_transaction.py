"""What became of one transaction: live, filled, failed, cancelled, or somebody else's."""

from __future__ import annotations

from fractions import Fraction

from keeper.core.calls import Purpose
from keeper.core.foreign import printable
from keeper.core.sending import LIVE, Mined, State
from keeper.core.units import USD, WHOLE_BPS, TokenAmount
from keeper.report import format as form
from keeper.report.facts import CycleFacts, Transaction
from keeper.report.page import BAD, STRONG, WARN, Page


def outcome_word(transaction: Transaction) -> tuple[str, str]:
    """One word for what became of it, and its style."""
    intent, mined = transaction.intent, transaction.mined
    if transaction.failed:
        return "FAILED", BAD
    if intent.state is State.FINAL_CANCELLED:
        return "CANCELLED", WARN
    if intent.state is State.EXTERNAL:
        return "HALTED", BAD
    if mined is None:
        return "LIVE", WARN
    done = {Purpose.SWAP: "TRADED", Purpose.APPROVE: "APPROVED", Purpose.REVOKE: "REVOKED", Purpose.UPKEEP: "CALLED"}
    return done.get(intent.call.purpose, "SENT"), STRONG


def explain_transaction(page: Page, facts: CycleFacts, transaction: Transaction) -> None:
    intent, mined = transaction.intent, transaction.mined
    if intent.state in LIVE and mined is None:
        _live(page, transaction)
    elif intent.state is State.EXTERNAL:
        page.add(f"Nonce {intent.nonce} was used by a transaction that the journal does not know.", hang=2)
        page.add(("The sender is halted until a person has looked.", BAD))
    elif intent.state is State.FINAL_CANCELLED:
        page.add(f"It was cancelled before it was mined{_because(transaction)}. Nothing was traded.")
    elif transaction.failed:
        page.add(("It failed", BAD), f"{_because(transaction, ': ')}. Nothing was traded; only gas was spent.", hang=2)
    elif intent.call.purpose is not Purpose.SWAP:
        page.add(f"Done: {printable(intent.call.text, 300)}.")
    else:
        _filled(page, transaction)
    _where(page, facts, transaction, mined)


def _because(transaction: Transaction, before: str = ": ") -> str:
    reason = (transaction.outcome.reason if transaction.outcome else "") or transaction.intent.note
    return f"{before}{printable(reason)}".rstrip(".") if reason else ""


def _live(page: Page, transaction: Transaction) -> None:
    attempts = len(transaction.intent.attempts)
    page.add(
        ("It is live", WARN), f": {_stages()[transaction.intent.state]}, {form.count(attempts, 'attempt')} signed."
    )
    page.add("The vault waits for it; it is replaced where it is stuck, and cancelled at its deadline.")


def _stages() -> dict[State, str]:
    return {
        State.RESERVED: "its nonce is reserved, nothing is signed yet",
        State.SIGNED: "signed and journaled, not broadcast yet",
        State.MAYBE_SENT: "broadcast, but no node has confirmed taking it",
        State.SENT: "broadcast and not mined yet",
        State.MINED: "mined and not yet confirmed",
    }


# --- a fill ----------------------------------------------------------------------------------------------------------


def _filled(page: Page, transaction: Transaction) -> None:
    expect, fill = transaction.expect, transaction.fill
    if fill is None:
        page.add("It was mined; its fill is read once it is confirmed.")
        return
    value = f" ({form.usd(expect.value_sold.whole)})" if expect.value_sold else ""
    page.add(f"It sold {transaction.shown(*fill.sold)}{value} for {transaction.shown(*fill.received)}.", hang=2)
    if len(expect.swaps) > 1:
        _legs(page, transaction)
    received = {amount.token: amount for amount in fill.received}
    for label, expected in (("quote", expect.quotes), ("min_out", expect.floors)):
        shares = [(amount, received[token]) for token, amount in expect.net(expected).items() if token in received]
        for index, (amount, found) in enumerate(shares):
            page.label("" if index else label, _against(transaction, found, amount), indent=2)
    _cost(page, transaction)


def _legs(page: Page, transaction: Transaction) -> None:
    """Several swaps in one transaction: each as it was meant, for only their sum can be told afterwards."""
    for index, swap in enumerate(transaction.expect.swaps):
        says = f"{transaction.shown(swap.sell)} for about {transaction.shown(swap.quote)}"
        page.label("" if index else "legs", says, indent=2)


def _against(transaction: Transaction, received: TokenAmount, expected: TokenAmount) -> str:
    """`46,989.46 USDC, and it received 0.65 more (+0.1 bps)`"""
    head, gain = transaction.shown(expected), received - expected
    if not gain:
        return f"{head}, and it received exactly that"
    word = "more" if gain.raw > 0 else "less"
    bps = f" ({form.rounded(gain.over(expected) * WHOLE_BPS, 1, plus=True)} bps)" if expected.raw > 0 else ""
    return f"{head}, and it received {transaction.figure(abs(gain))} {word}{bps}"


def _cost(page: Page, transaction: Transaction) -> None:
    """Fee, impact and others add up to what selling cost against the oracle's mid; gas comes on top (MATH 9)."""
    outcome, sold = transaction.outcome, transaction.expect.value_sold
    if outcome is None or not sold:
        return
    named = (("fee", outcome.fee_value), ("impact", outcome.impact_value), ("others", outcome.others_value))
    parts = [(name, value) for name, value in named if value is not None]
    if not parts:
        return
    total = transaction.cost or TokenAmount.zero(USD)
    said = [f"{name} {_bps(value, sold)}" for name, value in parts]
    gas = f" · gas {form.usd(outcome.gas_value.whole)} on top" if outcome.gas_value is not None else ""
    page.label("cost", f"{_bps(total, sold)} bps = {form.usd(total.whole)}  {' · '.join(said)}{gas}", indent=2)


def _bps(part: TokenAmount, of: TokenAmount) -> str:
    return form.rounded(part.over(of) * WHOLE_BPS, 1)


# --- where to find it ------------------------------------------------------------------------------------------------


def _where(page: Page, facts: CycleFacts, transaction: Transaction, mined: Mined | None) -> None:
    intent = transaction.intent
    latest = mined.hash if mined else intent.attempts[-1].hash if intent.attempts else ""
    if latest:
        page.label("hash", latest, indent=2)
    if mined:
        depth = {State.MINED: ", not yet confirmed", State.CONFIRMED: ", confirmed, not yet final"}
        at = f"{mined.block_number:,} at {form.moment(mined.timestamp)}{depth.get(intent.state, ', final')}"
        page.label("block", at, indent=2)
        gas = f"{mined.gas_used:,} units, {form.amount(Fraction(mined.gas_cost, 10**18), 8)} {_native(facts)}"
        page.label("gas", gas, indent=2)
    attempts = f", {form.count(len(intent.attempts), 'attempt')}" if len(intent.attempts) > 1 else ""
    page.label("nonce", f"{intent.nonce} of {form.short(intent.sender)}{attempts}", indent=2)


def _native(facts: CycleFacts) -> str:
    native = facts.decision.get("native")
    return str(native["balance"]["symbol"]) if native else "native"
