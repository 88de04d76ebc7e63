"""The journal on a real PostgreSQL: the same contract, and what only a server can do to it."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import create_engine

from keeper.core.errors import JournalError
from keeper.core.sending import ARROWS, Intent, State
from keeper.journal import lease, schema
from keeper.journal.commands import RequestBox
from keeper.journal.epoch import begin
from keeper.journal.lock import Leased
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from keeper.journal.tables import metadata
from tests.builders import ACCOUNT, CHAIN, NOW
from tests.chain.keeper_process import wait_until
from tests.chain.postgres_server import PASSWORD, PostgresServer, run_postgres
from tests.unit.chain.lives import new_intent
from tests.unit.chain.sending.test_submitter import PLAIN, VIEW, Room
from tests.unit.journal.situations_journal import attempt, cycle, run, wish
from tests.unit.journal.test_commands import *  # noqa: F403  the whole suite of both journals, on this one
from tests.unit.journal.test_contract import *  # noqa: F403
from tests.unit.journal.test_life import Life
from tests.unit.journal.test_observed import *  # noqa: F403
from tests.unit.journal.test_pruning import *  # noqa: F403
from tests.unit.journal.test_reader import *  # noqa: F403
from tests.unit.journal.test_streaks import *  # noqa: F403
from tests.unit.journal.test_together import *  # noqa: F403
from tests.unit.journal.test_triggers import path_to


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with run_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def template(server: PostgresServer) -> str:
    """A database with a journal that has just been begun."""
    name = server.create()
    SqlJournal(server.url(name), now=lambda: NOW).close()
    return name


@pytest.fixture
def database(server: PostgresServer, template: str) -> Iterator[str]:
    name = server.create(template)
    yield name
    # Seven megabytes each: a hundred of them would be felt.
    server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def url(server: PostgresServer, database: str) -> str:
    return server.url(database)


@pytest.fixture
def sql(url: str) -> Iterator[SqlJournal]:
    with SqlJournal(url, now=lambda: NOW) as journal:
        yield journal


@pytest.fixture
def journal(sql: SqlJournal) -> SqlJournal:
    return sql


@pytest.fixture
def reader(sql: SqlJournal, url: str) -> Iterator[JournalReader]:
    with JournalReader(url) as reader:
        yield reader


@pytest.fixture
def box(sql: SqlJournal, url: str) -> Iterator[RequestBox]:
    with RequestBox(url) as box:
        yield box


# --- whose it is -----------------------------------------------------------------------------------------------------


def refusal(url: str) -> str:
    with pytest.raises(JournalError) as caught:
        SqlJournal(url)
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def expire(server: PostgresServer, database: str) -> None:
    """As if the holder had been silent for a term."""
    server.execute("UPDATE lease SET expires = 0", database)


@pytest.mark.fault("P15")
@pytest.mark.fault("H2")
def test_lease__second_writer__is_refused_with_its_holder_and_readers_are_not(sql: SqlJournal, url: str) -> None:
    said = refusal(url)
    assert f"process {os.getpid()} on {socket.gethostname()} is writing it, and may for" in said
    with pytest.raises(Leased):
        SqlJournal(url)
    assert sql.record_cycle(cycle()) == 1
    with JournalReader(url) as reader:
        assert len(reader.cycles()) == 1


def test_lease__let_go__next_writer_need_not_wait(url: str) -> None:
    with SqlJournal(url) as first:
        epoch = first.epoch
    with SqlJournal(url) as second:
        assert second.epoch == epoch + 1


@pytest.mark.fault("H1")
@pytest.mark.fault("P15")
def test_lease__holder_silent_for_a_term__successor_goes_on_and_its_writes_change_nothing(
    server: PostgresServer, database: str, url: str
) -> None:
    lost = threading.Event()
    with SqlJournal(url, now=lambda: NOW, on_lost=lost.set) as old:
        intent = old.intend(wish(), 7)
        expire(server, database)
        with SqlJournal(url, now=lambda: NOW) as new:
            assert new.live(CHAIN) == (intent,)
            for write in (
                lambda: old.attempt(intent.id, attempt(1)),
                lambda: old.record_cycle(cycle()),
                lambda: old.halt("treasury", "x", NOW),
                lambda: old.beat(CHAIN, NOW, 1, ""),
                lambda: old.answer(1, "done"),
            ):
                with pytest.raises(
                    JournalError, match=r"expected epoch \d+, found \d+: another writer opened it since"
                ):
                    write()
            assert new.attempt(intent.id, attempt(2)).attempts == (attempt(2),)
            assert lost.wait(10), "the old writer hears of it without writing"
    assert server.execute("SELECT count(*) FROM cycles", database) == [(0,)]


@pytest.mark.fault("H1")
def test_lease__ran_out_and_taken_by_nobody__begins_anew(
    server: PostgresServer, database: str, sql: SqlJournal
) -> None:
    expire(server, database)
    assert sql.record_cycle(cycle()) == 1
    assert server.execute("SELECT expires > extract(epoch FROM clock_timestamp()) * 1000 FROM lease", database) == [
        (True,)
    ]


@pytest.mark.fault("H7")
def test_lease__between_two_writes__is_renewed_by_the_databases_clock(
    server: PostgresServer, database: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "TERM", 800)
    monkeypatch.setattr("time.time", lambda: 0.0)  # whatever this machine's clock says
    with SqlJournal(url, now=lambda: NOW):
        time.sleep(1.6)
        assert "is writing it" in refusal(url)
    assert server.execute("SELECT expires FROM lease", database) == [(0,)]


@pytest.mark.fault("H2")
def test_lease__taken_by_many_at_once__one_has_it(url: str) -> None:
    opened: list[SqlJournal] = []
    refused: list[Leased] = []

    def take() -> None:
        try:
            opened.append(SqlJournal(url))
        except Leased as error:
            refused.append(error)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), len(refused)) == (1, 5)
    opened[0].close()


HOLD = """
import sys
from keeper.journal.sql import SqlJournal
from tests.unit.journal.situations_journal import attempt, wish
journal = SqlJournal(sys.argv[1])
intent = journal.intend(wish(), 7)
journal.attempt(intent.id, attempt(1))
print("held", flush=True)
sys.stdin.readline()
try:
    journal.advance(intent.id, "MAYBE_SENT")
except Exception as error:
    print(error, flush=True)
"""


@pytest.mark.fault("H1")
@pytest.mark.fault("P5")
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_holder__stopped_or_killed__successor_has_its_attempts_and_it_can_write_no_more(
    server: PostgresServer, database: str, url: str, how: signal.Signals
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd(), text=True
    )
    assert holder.stdin is not None and holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(how)
        assert "is writing it" in refusal(url)
        expire(server, database)
        with SqlJournal(url) as successor:
            (intent,) = successor.live(CHAIN)
            assert (intent.nonce, intent.state, intent.attempts) == (7, State.SIGNED, (attempt(1),))
            successor.advance(intent.id, State.MAYBE_SENT)
            if how is signal.SIGSTOP:
                holder.send_signal(signal.SIGCONT)
                holder.stdin.write("\n")
                holder.stdin.flush()
                assert "another writer opened it since" in holder.stdout.readline()
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()


# --- the server's own troubles ---------------------------------------------------------------------------------------


@pytest.mark.fault("H9")
@pytest.mark.fault("P17")
def test_server__gone__nothing_is_written_and_it_recovers_by_itself() -> None:
    with run_postgres() as server:
        url = server.url(server.create())
        with SqlJournal(url, now=lambda: NOW) as sql, JournalReader(url) as reader, RequestBox(url) as box:
            intent = sql.intend(wish(), 7)
            server.stop()
            for ask in (
                lambda: sql.attempt(intent.id, attempt(1)),
                lambda: sql.live(CHAIN),
                lambda: sql.paused("treasury"),
                sql.requests,
                reader.cycles,
                lambda: box.ask("pause", "treasury", "", "ana", NOW),
            ):
                with pytest.raises(JournalError, match="PostgreSQL does not serve it") as caught:
                    ask()
                assert PASSWORD not in str(caught.value)
            server.start()
            assert sql.attempt(intent.id, attempt(1)).attempts == (attempt(1),)
            assert len(reader.live()) == 1
            assert box.result(box.ask("pause", "treasury", "", "ana", NOW)) is None


@pytest.mark.fault("H9")
@pytest.mark.parametrize("is_here", [True, False])
def test_submitter__database_gone_while_the_key_signs__nothing_is_sent(is_here: bool) -> None:
    with run_postgres() as server, SqlJournal(server.url(server.create()), now=lambda: NOW) as sql:
        room = Room()
        room.journal, room.signer.is_here = sql, is_here  # type: ignore[assignment]
        submitter = room.restart()
        sign = room.signer.sign

        def sign_and_cut(wanted: Mapping[str, object]) -> bytes:
            server.stop()
            return sign(wanted)

        def submit() -> Intent:
            with sql.together():
                send = submitter.submit(new_intent(cycle=0), VIEW, PLAIN, 7)
            assert send is not None
            return send()

        room.signer.sign = sign_and_cut  # type: ignore[method-assign]
        with pytest.raises(JournalError):
            submit()
        assert room.events == ["sign"], "signed, and not sent"
        server.start()
        room.signer.sign = sign  # type: ignore[method-assign]
        # A key elsewhere has seen the nonce, which is kept for it; with one here nothing was decided.
        assert [intent.nonce for intent in sql.live(CHAIN)] == ([] if is_here else [7])
        _ = submit() if is_here else submitter.settle()
        (intent,) = sql.live(CHAIN)
        assert (intent.nonce, len(intent.attempts), room.events) == (7, 1, ["sign", "sign", "send"])


def test_open__no_server_there__says_so_without_the_password(server: PostgresServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "PostgreSQL does not serve it" in refusal(server.url("journal").replace(str(server.port), str(port)))
    assert "password authentication failed" in refusal(server.url("postgres").replace(PASSWORD, "wrong"))
    assert "does not exist" in refusal(server.url("nowhere"))


def test_open__by_socket__is_the_same_journal(server: PostgresServer, database: str) -> None:
    with SqlJournal(server.socket_url(database)) as sql:
        assert sql.record_cycle(cycle()) == 1


def test_open__empty_database__readers_say_how_to_begin(server: PostgresServer) -> None:
    url = server.url(server.create())
    for open_one in (JournalReader, RequestBox):
        with pytest.raises(JournalError, match="does not exist yet; a run or `once` begins it"):
            open_one(url)
    assert server.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", url.rsplit("/", 1)[1]) == [(0,)]


def test_open__database_of_something_else__is_refused(server: PostgresServer) -> None:
    name = server.create()
    server.execute("CREATE TABLE songs (name text)", name)
    assert "found tables of something else" in refusal(server.url(name))


@pytest.mark.fault("P22")
def test_open__newer_schema__is_refused_and_left_as_it_is(server: PostgresServer, database: str, url: str) -> None:
    server.execute("UPDATE alembic_version SET version_num = '0099'", database)
    assert "found 99: a newer keeper wrote it" in refusal(url)
    with pytest.raises(JournalError, match="newer keeper"):
        JournalReader(url)


@pytest.mark.fault("P22")
def test_open__older_schema__is_migrated_in_one_transaction(server: PostgresServer, database: str, url: str) -> None:
    server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public", database)
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        begin(connection, NOW)
    engine.dispose()
    with pytest.raises(JournalError, match="`keeper run` migrates it"):
        JournalReader(url)
    with SqlJournal(url) as sql:
        assert sql.notes == (f"journal migrated from schema 1 to {schema.KNOWN}",)
        assert sql.record_cycle(cycle()) == 1


@pytest.mark.fault("P14")
def test_open__settings__are_durable(server: PostgresServer, sql: SqlJournal, database: str) -> None:
    server.execute(f'ALTER DATABASE "{database}" SET synchronous_commit = off')
    engine = sql._store._pen._engine  # type: ignore[attr-defined]
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT current_setting('synchronous_commit')").scalar()
    engine.dispose()
    with engine.connect() as connection:
        later = connection.exec_driver_sql("SELECT current_setting('synchronous_commit')").scalar()
    assert (found, later) == ("on", "on")


@pytest.mark.fault("P14")
def test_open__server_without_fsync__is_refused(server: PostgresServer, url: str) -> None:
    server.execute("ALTER SYSTEM SET fsync = off")
    server.execute("SELECT pg_reload_conf()")
    try:
        wait_until(lambda: server.execute("SHOW fsync") == [("off",)], 5, "fsync off")
        assert "expected fsync = on, found off" in refusal(url)
    finally:
        server.execute("ALTER SYSTEM RESET fsync")
        server.execute("SELECT pg_reload_conf()")
        wait_until(lambda: server.execute("SHOW fsync") == [("on",)], 5, "fsync on")


# --- what the database keeps by itself -------------------------------------------------------------------------------


def test_migrations__all_of_them__make_the_tables(server: PostgresServer, database: str) -> None:
    engine = create_engine(server.url(database).replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        found = connection.exec_driver_sql("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%%WHERE%%'")
        wanted = {"intents_one_per_nonce", "intents_one_unsent_per_sender", "proposals_one_open"}
        assert set(found.scalars()) == wanted
    engine.dispose()


@pytest.fixture
def kept(server: PostgresServer, database: str, sql: SqlJournal) -> str:
    """A journal with one final intent."""
    run(sql, wish(), 0, 1, NOW + 12)
    sql.keep_config("c0", "vaults: {}")
    sql.adopt(CHAIN, ACCOUNT, 5, "ana", "by hand")
    return database


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE attempts SET raw = ''", "attempts are written once"),
        ("DELETE FROM transitions", "transitions are written once"),
        ("UPDATE configs SET body = ''", "configs are written once"),
        ("DELETE FROM adoptions", "adoptions are written once"),
        ("TRUNCATE attempts", "attempts are never deleted"),
        ("TRUNCATE intents CASCADE", "never deleted"),
        ("DELETE FROM intents", "intents are never deleted"),
        ("UPDATE intents SET nonce = 9", "keeps its nonce and its call for life"),
        ("UPDATE intents SET cycle = 9", "keeps its nonce and its call for life"),
        ("UPDATE intents SET state = 'SENT'", "no such arrow"),
    ],
)
def test_triggers__a_stranger_changes_what_is_fixed__is_refused(
    server: PostgresServer, kept: str, statement: str, said: str
) -> None:
    with pytest.raises(psycopg.Error, match=said):
        server.execute(statement, kept)


def test_arrows__every_pair__only_drawn_ones_pass(server: PostgresServer, database: str) -> None:
    columns = "vault, chain_id, sender, account, nonce, call, purpose, expect, gas_limit, deadline, pools, created_at"
    born = f"INSERT INTO intents ({columns}, state) VALUES ('v', 1, 's', 's', 0, '', '', '', 1, 1, '', 1, 'RESERVED')"
    wrong = []
    with psycopg.connect(server.url(database)) as raw:
        for before, after in itertools.product(State, State):
            passed = True
            with raw.transaction(force_rollback=True):
                raw.execute(born)
                for step in path_to(before):
                    raw.execute("UPDATE intents SET state = %s", (step,))
                try:
                    with raw.transaction():
                        raw.execute("UPDATE intents SET state = %s", (after,))
                except psycopg.errors.RestrictViolation:
                    passed = False
            if passed != (after in ARROWS[before]):
                wrong.append((before, after))
    assert wrong == []


def test_triggers__dropped_or_switched_off__stand_after_the_next_opening(
    server: PostgresServer, database: str, url: str
) -> None:
    server.execute("DROP TRIGGER keeper_attempts_no_update ON attempts", database)
    server.execute("ALTER TABLE intents DISABLE TRIGGER keeper_intents_arrow", database)
    with SqlJournal(url) as sql:
        run(sql, wish(), 0, 1, NOW + 12)
    for statement in ("UPDATE attempts SET raw = ''", "UPDATE intents SET state = 'SENT'"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            server.execute(statement, database)


def test_life__any_order_of_events__keeps_the_promises(server: PostgresServer, template: str) -> None:
    """The same machine as on a file, with a smaller number of steps."""

    class Machine(Life):
        reached: ClassVar[set[State]] = set()

        def begin_at(self) -> str:
            return server.url(server.create(template))

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
        ),
    )
    assert len(Machine.reached) > 5
