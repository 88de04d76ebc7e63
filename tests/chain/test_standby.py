"""Two daemons, one PostgreSQL: one keeps the vault, the other stands by, and takes over when the first has gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from keeper.local.anvil import run_anvil
from tests.chain.keeper_process import KeeperProcess
from tests.chain.node import Node
from tests.chain.postgres_server import PASSWORD, PostgresServer, run_postgres
from tests.chain.treasury import LIVE_HOLDER, LIVE_KEY, Treasury, build_treasury, one_line, says

OK, CONFIG, JOURNAL = 0, 2, 4


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with run_postgres() as running:
        yield running


@pytest.fixture
def pair(server: PostgresServer, tmp_path: Path) -> Iterator[tuple[Treasury, Path, dict[str, str], str]]:
    """A treasury on a node of its own, its configuration, the environment, and the name of its empty database."""
    with run_anvil() as running:
        treasury = build_treasury(Node(running.url), tmp_path / "treasury")
        path = treasury.write("pair", key=LIVE_KEY, mode="live", journal='{url: "${JOURNAL_URL}"}')
        name = server.create()
        yield treasury, path, {"HOME": str(treasury.home), "JOURNAL_URL": server.url(name)}, name


def _nonce(treasury: Treasury) -> int:
    return int(treasury.node.rpc("eth_getTransactionCount", LIVE_HOLDER, "latest"), 16)


def _intents(server: PostgresServer, name: str) -> list[tuple[int, str]]:
    try:
        return server.execute("SELECT nonce, state FROM intents ORDER BY id", name)  # type: ignore[return-value]
    except psycopg.errors.UndefinedTable:
        return []


@pytest.mark.fault("P15")
@pytest.mark.fault("H2")
@pytest.mark.fault("H6")
@pytest.mark.fault("P7")
def test_second_daemon__first_killed_with_a_live_transaction__takes_over_and_sends_nothing_twice(
    server: PostgresServer, pair: tuple[Treasury, Path, dict[str, str], str]
) -> None:
    treasury, path, env, name = pair
    treasury.node.rpc("evm_setAutomine", False)
    first = KeeperProcess(path, env)
    second: KeeperProcess | None = None
    try:
        first.wait_for(lambda: [state for _, state in _intents(server, name)] == ["SENT"], "a live transaction", 30)
        second = KeeperProcess(path, env)
        second.wait_for(lambda: bool(second and second.events("standing by")), "standing by", 30)
        said = second.events("standing by")[0]["text"]
        assert f"process {first.pid} on " in said and PASSWORD not in said
        says(treasury.keeper("pause", "treasury", "--reason", "handover", "-c", path, env=env), OK, "paused treasury")
        says(treasury.keeper("status", path, env=env), OK, "paused", "handover")
        assert not second.ticks()
        first.end()
        treasury.node.rpc("evm_setAutomine", True)
        treasury.node.rpc("anvil_mine", "0x2")
        second.wait_for(lambda: _final(server, name), "the first one's transaction final", 60)
        assert (_intents(server, name), _nonce(treasury)) == ([(0, "FINAL_OK")], 1)
        code, _ = second.stop()
        assert code == OK
        says(treasury.keeper("verify", path, env=env), OK, "1 intent, 0 adopted, 0 unexplained")
    finally:
        for process in (first, second):
            if process is not None:
                process.end()


def _final(server: PostgresServer, name: str) -> bool:
    return [state for _, state in _intents(server, name)] == ["FINAL_OK"]


@pytest.mark.fault("H1")
@pytest.mark.fault("P25")
def test_daemon__lease_taken_while_it_was_stopped__ends_and_says_why(
    server: PostgresServer, pair: tuple[Treasury, Path, dict[str, str], str]
) -> None:
    _, path, env, name = pair
    daemon = KeeperProcess(path, env)
    try:
        daemon.wait_for_ticks(1, 30)
        # What a successor does: a later epoch, under its own name.
        server.execute("UPDATE lease SET epoch = epoch + 1, holder = 'another', expires = 9e15", name)
        assert daemon.wait(30) == JOURNAL
        assert "another keeper took over while this one was silent; this one has stopped" in daemon.tail()
    finally:
        daemon.end()
    assert server.execute("SELECT holder FROM lease", name) == [("another",)]


@pytest.mark.fault("H9")
@pytest.mark.fault("P17")
def test_daemon__database_down_for_a_while__sends_nothing_meanwhile_and_goes_on_by_itself(
    pair: tuple[Treasury, Path, dict[str, str], str], server: PostgresServer
) -> None:
    treasury, path, env, name = pair
    daemon = KeeperProcess(path, env)
    try:
        daemon.wait_for(lambda: len(_intents(server, name)) == 2, "approval and swap", 90)
        daemon.wait_for(lambda: bool(daemon.events("hold")), "back in its band", 30)
        server.stop()
        before = _nonce(treasury)
        treasury.say("ETH / USD", 3600)
        treasury.say("second", 3600)
        time.sleep(5)
        assert daemon.is_running, daemon.tail()
        assert _nonce(treasury) == before
        server.start()
        beats = server.execute("SELECT at FROM beats", name)
        daemon.wait_for(lambda: server.execute("SELECT at FROM beats", name) > beats, "the next beat", 60)
        assert PASSWORD not in "\n".join(daemon.lines)
        assert daemon.stop()[0] == OK
    finally:
        daemon.end()


def test_commands__url_not_set_or_not_served__say_so_without_it(
    pair: tuple[Treasury, Path, dict[str, str], str],
) -> None:
    treasury, path, env, _ = pair
    one_line(treasury.keeper("status", path), CONFIG, "journal.url: expected its variable to be set")
    wrong = {**env, "JOURNAL_URL": env["JOURNAL_URL"].replace(PASSWORD, "other-secret")}
    one_line(treasury.keeper("status", path, env=wrong), JOURNAL, "password authentication failed")
    one_line(treasury.keeper("backup", path.parent / "copy.db", "-c", path, env=env), CONFIG, "use pg_dump")
    says(treasury.keeper("status", path, env=env), OK, "treasury")
