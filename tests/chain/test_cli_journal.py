"""One cycle dry and live, and what the journal tells of it afterwards: commands as processes, on the real Uniswap."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import time
from pathlib import Path

import pytest

from keeper.core.units import TokenAmount
from keeper.journal.sql import SqlJournal
from tests.chain.treasury import HOLDER, LIVE_HOLDER, LIVE_KEY, Done, Treasury, one_line, says
from tests.chain.uniswap import balance

HASH = re.compile(r"0x[0-9a-f]{64}")
OK, FAULT, JOURNAL = 0, 1, 4


@pytest.fixture(scope="module")
def looked(treasury: Treasury) -> Path:
    """A dry vault that was looked at once."""
    path = treasury.write("looked")
    assert treasury.keeper("once", path).code == OK
    return path


@pytest.fixture(scope="module")
def traded(treasury: Treasury) -> tuple[Path, list[Done]]:
    """A live vault after an approval and a swap, and what the command said."""
    path = treasury.write("traded", key=LIVE_KEY, mode="live")
    approval = treasury.keeper("once", path, "--live")
    time.sleep(1)  # so that the swap is of another second, and a history may lie between
    return path, [approval, treasury.keeper("once", path, "--live")]


def journal_of(config: Path) -> sqlite3.Connection:
    return sqlite3.connect(config.with_name("keeper.db"))


# --- once, dry -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("C17")
def test_once__dry__journals_and_sends_nothing(treasury: Treasury) -> None:
    path = treasury.write("journals", mode="live")
    before = _height_and_nonce(treasury)
    says(treasury.keeper("once", path), OK, "treasury: would approve: WETH is 80.00 %, 20pp above target")
    assert _height_and_nonce(treasury) == before
    with journal_of(path) as journal:
        assert journal.execute("SELECT count(*) FROM cycles").fetchone() == (1,)
        assert journal.execute("SELECT count(*) FROM intents").fetchone() == (0,)


def _height_and_nonce(treasury: Treasury) -> tuple[str, str]:
    node = treasury.node
    return node.rpc("eth_blockNumber"), node.rpc("eth_getTransactionCount", HOLDER, "latest")


def test_explain__of_what_it_would_do__says_so(treasury: Treasury, looked: Path) -> None:
    says(
        treasury.keeper("explain", "-c", looked),
        OK,
        *("cycle 1 · local block", "WOULD APPROVE"),
        "WETH was 80.00 % of treasury, 20.00pp above target and outside its band (±4pp).",
        "The keeper would now sell 9.",
        *("to return to 62.00 %.", "All 18 guards allowed it.", "mode is dry: nothing was signed."),
    )


def test_explain__of_a_hold__says_what_would_end_it(treasury: Treasury) -> None:
    path = treasury.write("hold", weth_weight=79, usdc_weight=21)
    says(treasury.keeper("once", path), OK, "treasury: hold: widest drift WETH +1pp of ±4pp")
    says(
        treasury.keeper("explain", "-c", path),
        OK,
        "HOLD",
        "WETH was 80.00 % of treasury, 1.00pp above target and inside its band (±4pp).",
        "Nothing is traded inside the band, so the keeper held.",
        "It would trade once WETH leaves 75 % to 83 %.",
        "no nonce, no signature, no gas",
    )


def test_explain__of_a_refusal__has_both_figures_and_both_prices(treasury: Treasury) -> None:
    path = treasury.write("refusal", second_feed=treasury.feeds["apart"])
    says(treasury.keeper("once", path), OK, "treasury: denied: ")
    says(
        treasury.keeper("explain", "--vault", "treasury", "-c", path),
        OK,
        *("DENIED", "The keeper wanted to sell 9.", "to return to 62.00 %.", "One guard of 18 refused:"),
        "max_oracle_disagreement   169.5 bps measured, 100 bps allowed",
        *("$3,000.00", "$2,950.00", "limit: vaults.treasury.guards.max_oracle_disagreement (default)"),
        *("It clears itself once they agree within 100 bps.", "no nonce, no signature, no gas"),
    )
    says(treasury.keeper("status", path), OK, "denied by max_oracle_disagreement")
    says(treasury.keeper("plan", path), OK, "DENIED", "17 allow, 1 deny", "169.5 of 100 bps")


def test_pause__then_resume__stops_and_frees_the_vault(treasury: Treasury) -> None:
    path = treasury.write("paused")
    says(treasury.keeper("pause", "treasury", "--reason", "audit of the pool", "-c", path), OK, "paused treasury")
    says(treasury.keeper("once", path), OK, "treasury: denied: paused by")
    says(treasury.keeper("explain", "-c", path), OK, "audit of the pool", "keeper resume treasury")
    says(treasury.keeper("status", path), OK, "paused", "audit of the pool")
    says(treasury.keeper("resume", "treasury", "-c", path), OK, "resumed treasury")
    says(treasury.keeper("once", path), OK, "treasury: would approve")


# --- once, live ------------------------------------------------------------------------------------------------------


def test_once__live__approves_then_trades(treasury: Treasury, traded: tuple[Path, list[Done]]) -> None:
    approval, swap = traded[1]
    says(approval, OK, "treasury: approve: WETH is 80.00 %", "nonce 0  CONFIRMED in block")
    says(swap, OK, "treasury: swap: ", "nonce 1  CONFIRMED in block")
    assert LIVE_KEY not in approval.text + swap.text
    weth = balance(treasury.node, treasury.uniswap.weth, LIVE_HOLDER)
    usdc = balance(treasury.node, treasury.usdc, LIVE_HOLDER)
    value = weth.whole * 3000
    assert value / (value + usdc.whole) == pytest.approx(0.62, abs=1e-4)


def test_explain__of_a_trade__has_fill_floor_cost_and_hash(treasury: Treasury, traded: tuple[Path, list[Done]]) -> None:
    path, (_, swap) = traded
    text = says(
        treasury.keeper("explain", "2", "-c", path),
        OK,
        *("TRADED", "WETH was 80.00 % of treasury", "All 18 guards allowed it.", "It sold 9."),
        *("and it received exactly that", "min_out", " more (+", "cost     6.", "confirmed"),
        "nonce    1 of 0x",
    )
    (found,) = HASH.findall(swap.out)
    assert found in text
    received = TokenAmount.from_whole(treasury.usdc, 30_000).raw
    gained = balance(treasury.node, treasury.usdc, LIVE_HOLDER).raw - received
    assert f"for {gained / 10**6:,.2f} USDC" in text
    says(treasury.keeper("explain", "1", "-c", path), OK, "APPROVED", "Done: approve 9.", HASH.findall(text)[0][:2])


def test_history__of_the_trade__is_the_same_in_every_form(treasury: Treasury, traded: tuple[Path, list[Done]]) -> None:
    path, (_, swap) = traded
    text = says(treasury.keeper("history", path), OK, "approve", "swap", "2 transactions, 1 trade · cost $")
    rows = json.loads(treasury.keeper("history", path, "--json").out)
    table = list(csv.DictReader(io.StringIO(treasury.keeper("history", path, "--csv").out)))
    assert rows == table
    assert [row["purpose"] for row in rows] == ["approve", "swap"]
    trade = rows[1]
    assert trade["hash"] in swap.out
    assert f"{float(trade['received']):,.2f} USDC" in text
    assert float(trade["min_out"]) < float(trade["received"])


def test_history__between_two_moments__has_only_what_lies_there(
    treasury: Treasury, traded: tuple[Path, list[Done]]
) -> None:
    path, _ = traded
    rows = json.loads(treasury.keeper("history", path, "--json").out)
    later = ("history", path, "--json", "--from")
    assert json.loads(treasury.keeper(*later, rows[1]["time_utc"]).out) == rows[1:]
    assert json.loads(treasury.keeper(*later, "2000-01-01", "--to", rows[1]["time_utc"]).out) == rows[:1]
    says(treasury.keeper("history", path, "--to", "2000-01-01"), OK, "No transactions.")


def test_status__after_the_trade__says_so_to_people_and_machines(
    treasury: Treasury, traded: tuple[Path, list[Done]]
) -> None:
    path, _ = traded
    says(treasury.keeper("status", path), OK, "treasury  local  live  traded", " ago")
    (found,) = json.loads(treasury.keeper("status", path, "--json").out)["vaults"]
    assert (found["state"], found["armed"], found["cycle"]) == ("traded", True, 2)
    assert found["last_trade"].endswith("Z")


# --- the journal -----------------------------------------------------------------------------------------------------


def test_status__before_anything_happened__is_no_error(treasury: Treasury) -> None:
    dry = treasury.write("new")
    says(treasury.keeper("status", dry), OK, "not looked yet")
    one_line(treasury.keeper("explain", "-c", dry), JOURNAL, "does not exist yet")


@pytest.mark.fault("P19")
@pytest.mark.parametrize("command", ["plan", "once", "history"])
def test_commands__on_a_broken_journal__exit_4_and_leave_it(treasury: Treasury, command: str) -> None:
    path = treasury.write(f"broken-{command}")
    broken = path.with_name("keeper.db")
    broken.write_bytes(b"not a database " * 500)
    one_line(treasury.keeper(command, path), JOURNAL, "expected an SQLite database, found something else")
    assert broken.read_bytes() == b"not a database " * 500


@pytest.mark.fault("P22")
def test_commands__on_a_journal_of_a_newer_keeper__exit_4_and_leave_it(treasury: Treasury) -> None:
    path = treasury.write("newer")
    SqlJournal(f"sqlite:///{path.with_name('keeper.db')}").close()
    with journal_of(path) as journal:
        journal.execute("UPDATE alembic_version SET version_num = '99'")
    for command in ("status", "once"):
        one_line(treasury.keeper(command, path), JOURNAL, "found 99: a newer keeper wrote it")
    with journal_of(path) as journal:
        assert journal.execute("SELECT version_num FROM alembic_version").fetchone() == ("99",)


def test_health__of_a_daemon__is_0_while_it_beats_and_1_after(treasury: Treasury) -> None:
    path = treasury.write("health")
    now = int(time.time())
    with SqlJournal(f"sqlite:///{path.with_name('keeper.db')}") as journal:
        says(treasury.keeper("health", path), FAULT, "local: no beat yet")
        journal.beat(treasury.node.chain_id, now - 600, 42, "1 vault")
        says(treasury.keeper("health", path), FAULT, "local: silent for 60", "expected at most 180 s")
        journal.beat(treasury.node.chain_id, now, 43, "1 vault")
        says(treasury.keeper("health", path), OK, "at block 43")
