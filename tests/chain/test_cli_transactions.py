"""What people do at three in the morning, as processes beside a daemon and without one, on a node that stops mining."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from keeper.local.anvil import run_anvil
from tests.chain.keeper_process import KeeperProcess, wait_until
from tests.chain.node import Node
from tests.chain.treasury import LIVE_HOLDER, LIVE_KEY, Treasury, build_treasury, one_line, says

OK, CONFIG, JOURNAL, HALTED = 0, 2, 4, 5


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[tuple[Treasury, Path]]:
    """A treasury that wants to trade, on a node of its own that mines nothing any more."""
    with run_anvil() as running:
        treasury = build_treasury(Node(running.url), tmp_path / "treasury")
        treasury.node.rpc("evm_setAutomine", False)
        yield treasury, treasury.write("stuck", key=LIVE_KEY, mode="live")


@pytest.fixture
def daemon(stuck: tuple[Treasury, Path]) -> Iterator[KeeperProcess]:
    treasury, path = stuck
    process = KeeperProcess(path, {"HOME": str(treasury.home)})
    try:
        process.wait_for(lambda: _states(treasury, path) == ["SENT"], "a transaction in the pool")
        yield process
    finally:
        process.end()


def _txs(treasury: Treasury, path: Path) -> list[dict[str, object]]:
    done = treasury.keeper("txs", path, "--json")
    return json.loads(done.out) if done.code == OK else []


def _states(treasury: Treasury, path: Path) -> list[object]:
    return [found["state"] for found in _txs(treasury, path)]


def _attempts(treasury: Treasury, path: Path) -> list[str]:
    return [attempt["purpose"] for found in _txs(treasury, path) for attempt in found["attempts"]]  # type: ignore[attr-defined]


@pytest.mark.fault("T11")
@pytest.mark.fault("T3")
def test_wishes__beside_the_daemon_and_without_it__same_nonce_and_the_key_is_free_again(
    stuck: tuple[Treasury, Path], daemon: KeeperProcess
) -> None:
    treasury, path = stuck
    nonce = int(treasury.node.rpc("eth_getTransactionCount", LIVE_HOLDER, "latest"), 16)
    text = says(treasury.keeper("txs", path), OK, "treasury", "approve", "SENT", "gwei", "keeper speed-up NO")
    assert "hash" in text.splitlines()[0]
    said = says(treasury.keeper("speed-up", "treasury", "-c", path), OK, "a replacement is signed and sent, 0x")
    assert f"nonce {nonce} of treasury" in said
    daemon.end()  # as if it had died: nobody follows it now
    says(treasury.keeper("speed-up", "1", "-c", path), OK, "a replacement is signed and sent, 0x")
    assert _attempts(treasury, path) == ["approve", "approve", "approve"]
    says(
        treasury.keeper("cancel", "treasury", "--reason", "not today", "-c", path), OK, "its cancel is signed and sent"
    )
    says(treasury.keeper("txs", path), OK, "approve, cancel")
    one_line(
        treasury.keeper("cancel", "basket", "--reason", "x", "-c", path), CONFIG, "a live transaction: 1 (treasury,"
    )
    pool = treasury.node.rpc("txpool_content")["pending"]
    (waiting,) = (pending for sender, pending in pool.items() if sender.lower() == LIVE_HOLDER.lower())
    assert list(waiting) == [str(nonce)], "four attempts, one nonce"
    treasury.node.rpc("evm_setAutomine", True)
    treasury.node.rpc("anvil_mine", "0x3")
    says(treasury.keeper("once", path, "--live"), OK, "treasury: ")
    assert sorted(map(str, _states(treasury, path)))[-1] == "FINAL_CANCELLED"
    assert int(treasury.node.rpc("eth_getTransactionCount", LIVE_HOLDER, "latest"), 16) == nonce + 2
    says(treasury.keeper("verify", path), OK, "2 nonces: 2 intents, 0 adopted, 0 unexplained")


@pytest.fixture
def traded(tmp_path: Path) -> Iterator[tuple[Treasury, Path]]:
    """After an approval and a swap, all of it final."""
    with run_anvil() as running:
        treasury = build_treasury(Node(running.url), tmp_path / "treasury")
        path = treasury.write("traded", key=LIVE_KEY, mode="live")
        for _ in range(2):
            assert treasury.keeper("once", path, "--live").code == OK
        yield treasury, path


def _use_elsewhere(treasury: Treasury) -> None:
    """Somebody sends with our key."""
    nonce = int(treasury.node.rpc("eth_getTransactionCount", LIVE_HOLDER, "latest"), 16)
    wanted = {"to": LIVE_HOLDER, "value": 0, "gas": 21_000, "gasPrice": 10**10, "nonce": nonce}
    signed = Account.sign_transaction(wanted | {"chainId": treasury.node.chain_id}, LIVE_KEY)
    treasury.node.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())


@pytest.mark.fault("P16")
@pytest.mark.fault("T6")
def test_verify__key_used_elsewhere__names_the_nonce_until_a_person_adopts_it(traded: tuple[Treasury, Path]) -> None:
    treasury, path = traded
    says(
        treasury.keeper("verify", path), OK, f"{LIVE_HOLDER} on local", "2 nonces: 2 intents, 0 adopted, 0 unexplained"
    )
    text = says(treasury.keeper("verify", path, "--all"), OK, "nonce 0: intent 1, approve of treasury, ")
    assert "nonce 1: intent 2, swap of treasury, " in text
    _use_elsewhere(treasury)
    said = says(treasury.keeper("verify", path), HALTED, "1 UNEXPLAINED", "nonce 2: used on chain, by no transaction")
    assert f"keeper clear {LIVE_HOLDER} --adopt" in said
    says(treasury.keeper("once", path, "--live"), HALTED)
    clear = ("clear", LIVE_HOLDER, "--adopt", "--reason", "a transfer by hand", "-c", path)
    says(treasury.keeper(*clear), OK, "goes on at nonce 3 on chain 31337", f"cleared 1 of {LIVE_HOLDER}")
    says(treasury.keeper("verify", path), OK, "3 nonces: 2 intents, 1 adopted, 0 unexplained")
    (record,) = json.loads(treasury.keeper("verify", path, "--json").out)
    assert record["account"][2]["text"].endswith(": a transfer by hand")
    says(treasury.keeper("once", path, "--live"), OK)


@pytest.mark.fault("P20")
def test_backup__restored_after_more_was_sent__halts_until_somebody_answers_for_it(
    traded: tuple[Treasury, Path],
) -> None:
    treasury, path = traded
    early = treasury.write("early", key=LIVE_KEY, mode="live")
    shutil.copy(path.with_name("keeper.db"), early.with_name("keeper.db"))
    copy = early.parent / "copy.db"
    says(treasury.keeper("backup", copy, "-c", path), OK, "a copy of the journal, checked")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not list(copy.parent.glob("copy.db-*"))
    one_line(treasury.keeper("backup", copy, "-c", path), JOURNAL, "File exists")
    treasury.say("ETH / USD", 3400)
    treasury.say("second", 3400)
    _use_elsewhere(treasury)  # what the lost journal knew of, and the copy does not
    shutil.copy(copy, early.with_name("keeper.db"))
    says(treasury.keeper("verify", early), HALTED, "1 UNEXPLAINED")
    says(treasury.keeper("once", early, "--live"), HALTED)
    says(
        treasury.keeper("clear", LIVE_HOLDER, "--adopt", "--reason", "restored", "-c", early), OK, "goes on at nonce 3"
    )
    says(treasury.keeper("verify", early), OK, "0 unexplained")


def test_halt__by_a_person__only_clear_ends_it_and_who_and_why_are_kept(traded: tuple[Treasury, Path]) -> None:
    treasury, path = traded
    says(treasury.keeper("halt", "treasury", "--reason", "odd fills", "-c", path), OK, "halted treasury")
    says(treasury.keeper("resume", "treasury", "-c", path), OK, "was not paused")
    says(treasury.keeper("once", path, "--live"), HALTED, "odd fills")
    says(treasury.keeper("clear", "treasury", "--reason", "looked: fee tier", "-c", path), OK, "cleared 1 of treasury")
    says(treasury.keeper("clear", "treasury", "--reason", "again", "-c", path), OK, "treasury was not halted")
    says(treasury.keeper("once", path, "--live"), OK)
    one_line(treasury.keeper("halt", "nobody", "--reason", "x", "-c", path), CONFIG, "expected one of treasury, 0x")
    one_line(
        treasury.keeper("clear", "treasury", "--adopt", "--reason", "x", "-c", path), CONFIG, "--adopt", "a sender (0x"
    )


def test_halt__asked_of_a_daemon__is_honoured_and_answered(stuck: tuple[Treasury, Path], daemon: KeeperProcess) -> None:
    treasury, path = stuck
    says(treasury.keeper("halt", LIVE_HOLDER.lower(), "--reason", "a leak?", "-c", path), OK, f"halted {LIVE_HOLDER}")
    said = says(treasury.keeper("speed-up", "treasury", "-c", path), OK, "not done: halted: a leak?")
    assert "signed" not in said
    says(treasury.keeper("cancel", "treasury", "--reason", "a leak?", "-c", path), OK, "its cancel is signed and sent")
    says(treasury.keeper("clear", LIVE_HOLDER, "--reason", "no leak", "-c", path), OK, "cleared 1")
    wait_until(lambda: daemon.is_running, 1, "the daemon goes on")
