"""Whose file it is, and in which state: one writer, one epoch, one schema, nothing repaired in silence."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from keeper.core.errors import Halted, JournalError
from keeper.core.sending import State
from keeper.journal import schema, sqlite
from keeper.journal.commands import RequestBox
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import ACCOUNT, CHAIN, NOW
from tests.unit.journal.situations_journal import attempt, cycle, run, wish

HOLD = """
import sys
from keeper.journal.sql import SqlJournal
journal = SqlJournal(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def refusal(url: str) -> str:
    """Why it cannot be opened for writing: one line."""
    with pytest.raises(JournalError) as caught:
        SqlJournal(url)
    text = str(caught.value)
    assert "\n" not in text
    assert caught.value.exit_code == 4
    return text


# --- beginning and going on ------------------------------------------------------------------------------------------


def test_open__nothing_there__begins_a_journal_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with SqlJournal(f"sqlite:///{path}") as journal:
        assert journal.epoch == 1
        assert journal.notes == ()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["new.db", "new.db.lock"]


def test_open__again__finds_what_was_written_under_a_later_epoch(url: str) -> None:
    with SqlJournal(url) as journal:
        epoch, intent = journal.epoch, journal.intend(wish(), 4)
    with SqlJournal(url) as journal:
        assert journal.epoch == epoch + 1
        assert journal.live(CHAIN) == (intent,)


def test_open__settings__are_durable(url: str) -> None:
    engine = sqlite.open_writing(sqlite.path_of(url))
    with engine.connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        assert found == ["wal", 2]
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "expected the path of a file"),
        ("sqlite:///:memory:", "expected the path of a file"),
        ("mysql://keeper:secret@db/keeper", "expected a URL of sqlite or postgresql, found mysql"),
        ("no url", "expected a URL such as sqlite:///keeper.db"),
    ],
)
def test_open__other_urls__are_refused_without_their_secrets(url: str, said: str) -> None:
    assert said in refusal(url)
    assert "secret" not in refusal(url)


# --- one writer ------------------------------------------------------------------------------------------------------


@pytest.mark.fault("P15")
def test_lock__second_writer__is_refused_with_the_holders_pid(url: str, tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd(), text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        assert f"process {holder.pid} is writing it" in refusal(url)
        with JournalReader(url) as reader:
            assert reader.cycles() == []
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
    with SqlJournal(url) as journal:  # the system let the lock go with the process
        assert journal.record_cycle(cycle()) == 1


@pytest.mark.fault("P15")
def test_lock__second_writer_of_this_process__is_refused_too(sql: SqlJournal, url: str) -> None:
    assert f"process {os.getpid()} is writing it" in refusal(url)
    assert sql.record_cycle(cycle()) == 1


@pytest.mark.fault("H1")
def test_epoch__writer_of_an_older_one__changes_nothing(sql: SqlJournal, path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("UPDATE meta SET epoch = epoch + 1")
    raw.commit()
    for write in (
        lambda: sql.record_cycle(cycle()),
        lambda: sql.intend(wish(), 0),
        lambda: sql.halt("treasury", "x", NOW),
        lambda: sql.beat(CHAIN, NOW, 1, ""),
    ):
        with pytest.raises(JournalError, match=r"expected epoch \d+, found \d+: another writer opened it since"):
            write()
    counts = [raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("cycles", "intents", "halts")]
    raw.close()
    assert counts == [0, 0, 0]


WRITE_AND_DIE = """
import os, signal, sys
from keeper.journal.sql import SqlJournal
from tests.unit.journal.situations_journal import attempt, wish
journal = SqlJournal(sys.argv[1])
intent = journal.intend(wish(), 7)
journal.attempt(intent.id, attempt(1))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.fault("P5")
def test_write__process_killed_right_after__is_there(url: str) -> None:
    died = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, url], cwd=Path.cwd(), check=False)
    assert died.returncode == -signal.SIGKILL
    with SqlJournal(url) as journal:
        (intent,) = journal.live(CHAIN)
        assert (intent.nonce, intent.state, intent.attempts) == (7, State.SIGNED, (attempt(1),))


ASK_AND_LEAVE = """
import sys
from keeper.journal.commands import RequestBox
with RequestBox(sys.argv[1]) as box:
    box.ask("pause", "treasury", "audit", "ana")
"""


@pytest.mark.fault("P5")
def test_write__read_in_the_same_process_and_asked_by_another__is_not_lost(sql: SqlJournal, url: str) -> None:
    """A file that is opened and closed beside SQLite loses SQLite's locks; the next to leave deletes the log."""
    sql.record_cycle(cycle())
    with JournalReader(url) as reader:
        assert len(reader.cycles()) == 1
    subprocess.run([sys.executable, "-c", ASK_AND_LEAVE, url], cwd=Path.cwd(), check=True)
    assert [request.reason for request in sql.requests()] == ["audit"]
    sql.record_cycle(cycle(vault="other"))
    with JournalReader(url) as reader:
        assert reader.vaults() == ["other", "treasury"]


@pytest.mark.parametrize("what", [float("nan"), b"bytes"])
def test_write__decision_that_is_no_json__is_a_journal_error(sql: SqlJournal, what: object) -> None:
    with pytest.raises(JournalError):
        sql.record_cycle(cycle(decision={"price": what}))


# --- nonces that a person accounts for -------------------------------------------------------------------------------


@pytest.mark.fault("P20")
def test_adopt__after_a_halt__goes_on_at_the_adopted_nonce(sql: SqlJournal) -> None:
    run(sql, wish(), 6, 1, NOW + 12)
    with pytest.raises(Halted):
        sql.intend(wish(), 9)
    with pytest.raises(JournalError, match="expected a nonce > 6 to adopt, found 6"):
        sql.adopt(CHAIN, ACCOUNT, 6, "ana", "typo")
    sql.adopt(CHAIN, ACCOUNT, 9, "ana", "two transfers by hand")
    sql.clear(ACCOUNT, "ana", "two transfers by hand")
    assert sql.intend(wish(), 9).nonce == 9


@pytest.mark.fault("P21")
def test_adopt__fresh_journal_of_a_used_key__halts_on_another_nonce(sql: SqlJournal) -> None:
    sql.adopt(CHAIN, ACCOUNT, 9, "ana", "the journal was lost")
    with pytest.raises(Halted, match="expected nonce 9 next, chain says 12"):
        sql.intend(wish(), 12)


# --- damaged, foreign, newer, older ----------------------------------------------------------------------------------


@pytest.mark.fault("P19")
def test_open__flipped_bytes__is_refused_and_left_as_it_is(url: str, path: Path) -> None:
    with SqlJournal(url) as journal:
        for turn in range(60):
            journal.record_cycle(cycle(code=f"code{turn}", decision={"pad": "x" * 2000}))
    damaged = bytearray(path.read_bytes())
    for at in range(8192, len(damaged), 4096):
        damaged[at : at + 16] = b"\xff" * 16
    path.write_bytes(damaged)
    assert "damage" in refusal(url)
    assert path.read_bytes() == bytes(damaged)


@pytest.mark.fault("P19")
@pytest.mark.parametrize("kept", [0, 10, 5000, 40_000])
def test_open__truncated__is_refused_and_left_as_it_is(url: str, path: Path, kept: int) -> None:
    whole = path.read_bytes()
    assert len(whole) > 40_000
    path.write_bytes(whole[:kept])
    assert str(path) in refusal(url)
    assert path.read_bytes() == whole[:kept]
    with pytest.raises(JournalError), JournalReader(url) as reader:
        reader.cycles()


@pytest.mark.fault("P19")
def test_open__not_a_database__is_refused_and_left_as_it_is(url: str, path: Path) -> None:
    path.write_text("vaults:\n  treasury: {}\n")
    assert "expected an SQLite database, found something else; it is left as it is" in refusal(url)
    assert path.read_text().startswith("vaults:")


def test_open__database_of_something_else__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE songs (name TEXT)")
    raw.commit()
    raw.close()
    assert "expected a keeper's journal, found tables of something else" in refusal(f"sqlite:///{path}")


@pytest.mark.fault("P22")
def test_open__newer_schema__is_refused_and_not_recreated(url: str, path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute(f"UPDATE alembic_version SET version_num = '{schema.KNOWN + 1:04}'")
    raw.commit()
    raw.close()
    expected = f"expected schema ≤ {schema.KNOWN}, found {schema.KNOWN + 1}: a newer keeper wrote it"
    assert expected in refusal(url)
    with pytest.raises(JournalError, match=expected):
        JournalReader(url)
    with pytest.raises(JournalError, match=expected):
        RequestBox(url)


KNOWN = schema.KNOWN


def add_migration(directory: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A keeper of tomorrow, which knows one schema more."""
    shutil.copytree(schema.MIGRATIONS, directory)
    revisions = f'revision = "{KNOWN + 1:04}"\ndown_revision = "{KNOWN:04}"'
    (directory / "versions" / f"v{KNOWN + 1:04}_next.py").write_text(
        f"from alembic import op\n{revisions}\n\n\ndef upgrade():\n{body}"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", directory)
    monkeypatch.setattr(schema, "KNOWN", KNOWN + 1)


@pytest.mark.fault("P22")
def test_open__older_schema__is_migrated_beside_a_copy_of_before(
    url: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqlJournal(url) as journal:
        journal.record_cycle(cycle())
    add_migration(tmp_path / "migrations", monkeypatch, '    op.execute("CREATE TABLE more (a TEXT)")\n')
    with pytest.raises(JournalError, match=f"expected schema {KNOWN + 1}, found {KNOWN}: `keeper run` migrates it"):
        JournalReader(url)
    with SqlJournal(url) as journal:
        (note,) = journal.notes
        assert re.search(
            rf"migrated from schema {KNOWN} to {KNOWN + 1}; as it was before: .*keeper\.db\.schema-{KNOWN}$", note
        )
    with JournalReader(url) as reader:
        assert len(reader.cycles()) == 1
    monkeypatch.undo()
    before = path.with_name(f"keeper.db.schema-{KNOWN}")
    with JournalReader(f"sqlite:///{before}") as reader:
        assert len(reader.cycles()) == 1


@pytest.mark.fault("P22")
def test_open__migration_fails_half_way__nothing_of_it_stays(
    url: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = '    op.execute("CREATE TABLE more (a TEXT)")\n    op.execute("CREATE NONSENSE")\n'
    add_migration(tmp_path / "migrations", monkeypatch, body)
    assert "syntax error" in refusal(url)
    monkeypatch.undo()
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)
    raw.close()
    with SqlJournal(url) as journal:
        assert journal.record_cycle(cycle()) == 1


@pytest.mark.fault("P21")
def test_open__database_gone_but_its_log_there__is_refused(tmp_path: Path) -> None:
    (tmp_path / "keeper.db-wal").write_bytes(b"what was not checkpointed")
    assert "is gone, but keeper.db-wal is there" in refusal(f"sqlite:///{tmp_path / 'keeper.db'}")


def test_begin__crashed_on_the_way_before__begins_anew(tmp_path: Path) -> None:
    (tmp_path / "keeper.db.new").write_bytes(b"half of a journal")
    with SqlJournal(f"sqlite:///{tmp_path / 'keeper.db'}") as journal:
        assert journal.record_cycle(cycle()) == 1


# --- places ----------------------------------------------------------------------------------------------------------


def test_open__no_such_directory__says_so(tmp_path: Path) -> None:
    assert f"its directory {tmp_path / 'no'} does not exist" in refusal(f"sqlite:///{tmp_path / 'no' / 'keeper.db'}")
    assert "expected a file, found a directory" in refusal(f"sqlite:///{tmp_path}")


@pytest.mark.fault("P18")
def test_open__read_only__says_so(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "it or its directory is read-only" in refusal(url)
    assert "its directory is read-only" in refusal(f"sqlite:///{tmp_path / 'other.db'}")
    with JournalReader(url) as reader:  # where nobody can write, the file alone is the journal
        assert reader.cycles() == []


@pytest.mark.fault("P18")
def test_write__permission_lost_on_the_way__is_a_journal_error(sql: SqlJournal) -> None:
    with sql._store.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(JournalError, match="it is read-only"):
        sql.intend(wish(), 0)
    assert sql.live(CHAIN) == ()


@pytest.mark.fault("P17")
def test_write__disk_full__is_a_journal_error_and_it_resumes(sql: SqlJournal) -> None:
    def limit(pages: int) -> None:
        with sql._store.reading() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    limit(1)  # the least that SQLite takes: the pages it has
    with pytest.raises(JournalError, match="the disk is full; nothing was written"):
        for turn in range(50):
            sql.record_cycle(cycle(code=f"code{turn}", inputs=b"x" * 100_000))
    limit(1 << 30)
    assert sql.intend(wish(), 0).nonce == 0


@pytest.mark.fault("P23")
def test_write__another_process_writes_for_long__is_a_journal_error(
    url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 50)
    with SqlJournal(url) as journal:
        raw = sqlite3.connect(path, isolation_level=None)
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="another process has been writing it"):
            journal.record_cycle(cycle())
        raw.execute("ROLLBACK")
        raw.close()
        assert journal.record_cycle(cycle()) == 1


@pytest.mark.fault("P23")
@pytest.mark.parametrize(
    ("kind", "found"), [("nfs4", "nfs4"), ("cifs", "cifs"), ("fuse.sshfs", "fuse.sshfs"), ("ext4", ""), ("tmpfs", "")]
)
def test_network_kind__by_the_nearest_mount__is_told(kind: str, found: str) -> None:
    mounts = f"disk / ext4 rw 0 0\nserver:/x /data {kind} rw 0 0\nserver:/y /data/a\\040b nfs rw 0 0\n"
    assert sqlite.network_kind(Path("/data/keeper.db"), mounts) == found
    assert sqlite.network_kind(Path("/data/a b/keeper.db"), mounts) == "nfs"
    assert sqlite.network_kind(Path("/home/keeper.db"), mounts) == ""


@pytest.mark.fault("P23")
def test_open__on_a_network_file_system__is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "network_kind", lambda path: "nfs4")
    assert "expected a local disk, found a network file system (nfs4)" in refusal(url)


def test_intend__another_thread_halts_at_that_moment__one_waits_for_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chains share a journal: a halt between the look at the halts and the nonce would make it look again, from within
    its own transaction, where there is no second connection."""
    with SqlJournal(f"sqlite:///{tmp_path}/j.db", now=lambda: NOW) as journal:
        other = threading.Thread(target=journal.halt, args=("elsewhere", "looked wrong", NOW))
        begin = journal._sending

        def halted_meanwhile() -> AbstractContextManager[Connection]:
            other.start()
            other.join(0.2)
            return begin()

        monkeypatch.setattr(journal, "_sending", halted_meanwhile)
        assert journal.intend(wish(), 0).state is State.RESERVED
        other.join()
        assert journal.halted("elsewhere") == "looked wrong"
