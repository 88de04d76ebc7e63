"""`keeper txs` and `keeper verify`, as people and machines read them."""

from __future__ import annotations

from dataclasses import replace

from keeper.chain.sending.accounting import Account
from keeper.core.calls import Purpose
from keeper.core.plan import Fees
from keeper.core.sending import Attempt, Mined, State
from keeper.core.units import Address, Wei
from keeper.report.facts import Transaction
from keeper.report.txs import render_txs, txs_record
from keeper.report.verify import render_verify, verify_record
from tests.builders import ACCOUNT, NOW
from tests.unit.chain.sending.test_attempts import FIRST, intent

LIVE = replace(intent(State.SENT, FIRST), id=9, note="nonce 7: \x1b[2Jtaken")
DONE = replace(
    intent(State.FINAL_OK, FIRST, mined=Mined(FIRST.hash, 1_234, "0xaa", NOW, 1, 100_000, Wei(1))), id=8, nonce=6
)


def test_render_txs__live_first__with_age_fees_attempts_and_what_to_do() -> None:
    page = render_txs([Transaction(DONE), Transaction(LIVE)], now=NOW + 125, next_commands=["keeper cancel NO"])
    text = page.plain(140)
    first, second = text.splitlines()[1:3]
    assert "treasury  swap" in first and "SENT" in first and "2m" in first and "10 gwei" in first
    assert "FINAL_OK" in second and "1,234" in second
    assert "\x1b" not in text and "next  keeper cancel NO" in text


def test_render_txs__being_cancelled__is_both() -> None:
    cancel = Attempt("0x09", b"9", Fees(Wei(12 * 10**9), None), Purpose.CANCEL, NOW)
    text = render_txs([Transaction(replace(LIVE, attempts=(FIRST, cancel)))], now=NOW).plain(140)
    assert "swap, cancel" in text and "12 gwei" in text
    assert render_txs([], now=NOW).plain() == "No transactions.\n"


def test_txs_record__for_machines__has_every_attempt_exactly() -> None:
    live, done = txs_record([Transaction(DONE), Transaction(LIVE)], now=NOW + 5)
    assert (live["id"], live["live"], live["age_seconds"], live["block"]) == (9, True, 5, None)
    assert live["attempts"][0]["fee_cap_wei"] == str(10 * 10**9)
    assert (done["state"], done["block"]) == ("FINAL_OK", 1_234)


class Sender:
    """One address with one explained and one unexplained nonce."""

    chain, chain_id, sender = "base", 8453, Address(ACCOUNT)
    nonces = (Account(0, True, "intent 1", 1), Account(1, True, "adopted by ana"), Account(2, False, "used on chain"))


def test_render_verify__what_nobody_explains__stands_out() -> None:
    text = render_verify([Sender()], show_all=False, next_commands=["keeper clear X --adopt"]).plain()
    assert "on base (8453): 3 nonces: 1 intent, 1 adopted, 1 UNEXPLAINED" in text
    assert "nonce 2: used on chain" in text and "nonce 0" not in text and "next  keeper clear X --adopt" in text
    assert "nonce 0: intent 1" in render_verify([Sender()], show_all=True).plain()
    assert "no nonce to explain" in render_verify([], show_all=True).plain()
    (record,) = verify_record([Sender()])
    assert (record["nonces"], record["unexplained"], record["account"][2]["explained"]) == (3, 1, False)
