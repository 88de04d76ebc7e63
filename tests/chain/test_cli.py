"""The commands as a person runs them: processes of their own, an empty environment, Anvil and the real Uniswap."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.core.units import TokenAmount
from keeper.journal.sql import SqlJournal
from keeper.local.anvil import run_anvil
from tests.chain.node import Node
from tests.chain.treasury import HOLDER, LIVE_HOLDER, LIVE_KEY, Done, Treasury, build_treasury
from tests.chain.uniswap import balance

NOBODY = "0x000000000000000000000000000000000000dEaD"
HASH = re.compile(r"0x[0-9a-f]{64}")
OK, FAULT, CONFIG, UNREACHABLE, JOURNAL = range(5)


@pytest.fixture(scope="module")
def treasury(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Treasury]:
    with run_anvil() as anvil:
        yield build_treasury(Node(anvil.url), tmp_path_factory.mktemp("treasury"))


@pytest.fixture(scope="module")
def dry(treasury: Treasury) -> Path:
    return treasury.write("dry")


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
    return path, [treasury.keeper("once", path, "--live") for _ in range(2)]


def says(done: Done, code: int, *words: str) -> str:
    """Everything that was said, after looking for `words` in it."""
    assert done.code == code, done.text
    assert "Traceback" not in done.text
    for word in words:
        assert word in done.text, f"{word!r} is not in:\n{done.text}"
    return done.text


def one_line(done: Done, code: int, *words: str) -> None:
    """Fails with `keeper: …` and nothing else."""
    says(done, code, *words)
    assert done.err.startswith("keeper: ")
    assert (done.out, done.err.count("\n")) == ("", 1)


def journal_of(config: Path) -> sqlite3.Connection:
    return sqlite3.connect(config.with_name("keeper.db"))


# --- without a key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("--help",), ("plan", "--help"), ("--version",)])
def test_help__without_anything__is_there(treasury: Treasury, words: tuple[str, ...]) -> None:
    says(treasury.keeper(*words), OK, "keeper")


def test_check__of_what_is_right__names_each_look(treasury: Treasury, dry: Path) -> None:
    text = says(treasury.keeper("check", dry), OK, "a pool of WETH and USDC: USDC/WETH", "ETH / USD", " 0 wrong")
    assert "\nwrong " not in text
    found = json.loads(treasury.keeper("check", dry, "--json").out)
    assert all(finding["ok"] for finding in found["findings"])
    assert found["down"] == {}


@pytest.mark.fault("C17")
def test_plan__without_a_key__says_what_it_would_trade_and_why(treasury: Treasury, dry: Path) -> None:
    assert list(dry.parent.iterdir()) == [dry]
    text = says(
        treasury.keeper("plan", dry),
        OK,
        *("treasury · local 31337 · block", "DRY: no key loaded"),
        *("WETH      40.0000  $3,000.00  $120,000  80.00 %    60 %  +20.00pp  ±4pp  OUT", "$150,000"),
        *("REBALANCE to 62.00 %: sell 9.", "uniswap_v3 0.05 % USDC/WETH", "from quote −30 bps"),
        *("after    WETH 62.00 % · USDC 38.00 %", "approve 9.", "swap 9.", "simulated at", "ok · "),
        *("guards   17 allow, 0 deny", "max_turnover", "of 25.00 %", "mode is dry: nothing signed", "keeper run "),
    )
    quote, min_out = (_usdc(text, label) for label in ("quote", "min_out"))
    assert min_out == pytest.approx(quote * 0.997, abs=0.02)
    assert list(dry.parent.iterdir()) == [dry]


def _usdc(text: str, label: str) -> float:
    found = re.search(rf"^  {label} +([\d,.]+) USDC", text, re.MULTILINE)
    assert found, text
    return float(found[1].replace(",", ""))


def test_plan__with_all_or_as_json__has_every_guard(treasury: Treasury, dry: Path) -> None:
    (record,) = json.loads(treasury.keeper("plan", dry, "treasury", "--json").out)
    text = says(treasury.keeper("plan", dry, "--all"), OK)
    names = [guard["guard"] for guard in record["guards"]]
    assert len(names) == 17
    assert [name for name in names if name not in text] == []
    assert record["assets"][0]["weight_bps"] == "8000"


def test_plan__twice__is_the_same_to_the_wei(treasury: Treasury, dry: Path) -> None:
    first, second = (json.loads(treasury.keeper("plan", dry, "--json").out)[0] for _ in range(2))
    assert first["trades"] == second["trades"]


@pytest.mark.fault("C12")
def test_config__printed__masks_the_url_and_names_origin_and_hash(treasury: Treasury) -> None:
    path = treasury.write("masked", rpc="${LOCAL_RPC}")
    secret = {"LOCAL_RPC": "https://someone:hunter2hunter2@node.example/v3/c0ffeec0ffeec0ffee"}
    text = says(treasury.keeper("config", path, env=secret), OK, "https://node.example/***", "guards.max_slippage")
    found = json.loads(treasury.keeper("config", path, "--json", env=secret).out)
    assert "hunter2" not in text + json.dumps(found)
    assert "c0ffee" not in text + json.dumps(found)
    assert found["hash"] in text
    values = {row["path"]: (row["value"], row["origin"]) for row in found["values"]}
    assert values["chains.local.rpc[0]"] == ("https://node.example/***", "env LOCAL_RPC")
    assert values["vaults.treasury.guards.max_slippage"] == ("30bps", "file")


# --- what is wrong with a deployment ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "wrong"),
    [
        pytest.param(
            "chain-id",
            {"chain_id": 31336},
            "chains.local.chain_id: expected 31336, found 31337",
            marks=pytest.mark.fault("C5"),
        ),
        pytest.param(
            "no-code",
            {"pool": NOBODY},
            f"vaults.treasury.pools[0]: expected a contract at {NOBODY}, found no code",
            marks=[pytest.mark.fault("C3"), pytest.mark.fault("K17")],
        ),
        (
            "decimals",
            {"usdc_decimals": 18},
            "chains.local.tokens.USDC.decimals: expected decimals 18, found 6",
        ),
        pytest.param(
            "feed",
            {"weth_feed": "USDC / USD"},
            "chains.local.prices.WETH.sources[0].description: expected ETH / USD, found USDC / USD",
            marks=pytest.mark.fault("C19"),
        ),
        (
            "no-feed",
            {"weth_feed": NOBODY},
            f"chains.local.prices.WETH.sources[0]: expected a contract at {NOBODY}, found no code",
        ),
        (
            "other-tokens",
            {"pool": "odd_pool"},
            "vaults.treasury.pools[0]: expected a pool of WETH and USDC, found USDC/DAI",
        ),
        (
            "other-factory",
            {"pool": "pair"},
            "vaults.treasury.pools[0].router: expected a router for factory ",
        ),
        (
            "little-gas",
            {"mode": "live", "gas_reserve": "5 ETH"},
            "vaults.treasury.guards.gas_reserve: expected at least the gas reserve of 5.00000 ETH, found 1.00000 ETH",
        ),
    ],
)
def test_check__of_what_is_wrong__says_where_and_what(
    treasury: Treasury, name: str, changes: dict[str, object], wrong: str
) -> None:
    known = {"USDC / USD": treasury.feeds["USDC / USD"], "odd_pool": treasury.odd_pool, "pair": treasury.pair}
    path = treasury.write(name, **{place: known.get(str(value), value) for place, value in changes.items()})
    text = says(treasury.keeper("check", path), CONFIG)
    lines = [line for line in text.splitlines() if line.startswith("wrong ")]
    assert any(line.startswith(f"wrong    {wrong}") for line in lines), text
    assert f", {len(lines)} wrong" in text


def test_plan__of_what_is_wrong__is_refused_in_one_line(treasury: Treasury) -> None:
    path = treasury.write("wrong", pool=NOBODY)
    one_line(treasury.keeper("plan", path), CONFIG, f"expected a contract at {NOBODY}, found no code", "1 more")


@pytest.mark.parametrize("command", ["plan", "once", "check"])
def test_commands__with_no_node_there__exit_3_and_name_its_host_only(treasury: Treasury, command: str) -> None:
    path = treasury.write(f"down-{command}", rpc="http://127.0.0.1:9/v3/c0ffeec0ffeec0ffee")
    text = says(treasury.keeper(command, path), UNREACHABLE, "no node answers: http://127.0.0.1:9: ")
    assert "c0ffee" not in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("plan", "CONFIG", "reserve"), "VAULT: expected one of treasury, found reserve"),
        (("pause", "reserve", "--reason", "x", "-c", "CONFIG"), "expected one of treasury, or '*', found reserve"),
        (("explain", "--vault", "reserve", "-c", "CONFIG"), "--vault: expected one of treasury, found reserve"),
        (("history", "CONFIG", "--from", "yesterday"), "--from: expected a day or a time such as"),
        (("check", "nowhere.yaml"), "nowhere.yaml: file: expected a readable file"),
        (("once", "CONFIG", "--live"), "vaults.*.mode: expected at least one live, as --live was given, found none"),
    ],
)
def test_commands__asked_for_what_is_not_there__say_what_is(
    treasury: Treasury, looked: Path, words: tuple[str, ...], expected: str
) -> None:
    one_line(treasury.keeper(*(looked if word == "CONFIG" else word for word in words)), CONFIG, expected)


def test_once__live_with_another_chain_id__is_refused(treasury: Treasury) -> None:
    path = treasury.write("ids", key=LIVE_KEY, mode="live")
    one_line(treasury.keeper("once", path, "--live", "--chain-id", "1"), CONFIG, "--chain-id 31337, found --chain-id 1")


@pytest.mark.fault("C13")
def test_once__live_with_a_key_for_everybody__is_refused(treasury: Treasury) -> None:
    path = treasury.write("open", key=LIVE_KEY, mode="live")
    path.with_name("ops.key").chmod(0o644)
    done = treasury.keeper("once", path, "--live")
    one_line(done, CONFIG, "signers.ops", "0644")
    assert LIVE_KEY not in done.text


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
        *("to return to 62.00 %.", "All 17 guards allowed it.", "mode is dry: nothing was signed."),
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
        *("DENIED", "The keeper wanted to sell 9.", "to return to 62.00 %.", "One guard of 17 refused:"),
        "max_oracle_disagreement   169.5 bps measured, 100 bps allowed",
        *("$3,000.00", "$2,950.00", "limit: vaults.treasury.guards.max_oracle_disagreement (default)"),
        *("It clears itself once they agree within 100 bps.", "no nonce, no signature, no gas"),
    )
    says(treasury.keeper("status", path), OK, "denied by max_oracle_disagreement")
    says(treasury.keeper("plan", path), OK, "DENIED", "16 allow, 1 deny", "169.5 of 100 bps")


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
        *("TRADED", "WETH was 80.00 % of treasury", "All 17 guards allowed it.", "It sold 9."),
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


def test_status__before_anything_happened__is_no_error(treasury: Treasury, dry: Path) -> None:
    says(treasury.keeper("status", dry), OK, "not looked yet")
    one_line(treasury.keeper("explain", "-c", dry), JOURNAL, "does not exist yet")


@pytest.mark.fault("P19")
@pytest.mark.parametrize("command", ["status", "plan", "once", "history", "health"])
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
