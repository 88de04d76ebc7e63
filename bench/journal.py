"""Journal: what one durable write costs, against plain SQLite and against the same bytes written and synced."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.frame import Contestant, Pace, Row, measure
from keeper.core.chain import Block
from keeper.core.records import CycleRecord
from keeper.core.units import Wei
from keeper.journal.codec import dumps
from keeper.journal.sql import SqlJournal

TITLE, UNIT = "Journal: durable writes, one transaction each", "writes"
FACTS, INPUTS = 42, 650
"""Lines of a decision's record, 2.9 kB of JSON, and bytes of its packed inputs: those of a hold in bench/tick.py."""


def rows(pace: Pace) -> list[Row]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        at = Path(folder)
        journal = stack.enter_context(SqlJournal(f"sqlite:///{at / 'ours.db'}"))
        contestants = [
            Contestant("ours", "a changed cycle: a row", _changing(journal)),
            Contestant("ours", "an unchanged hold, told: its row", _unchanged(journal)),
            Contestant("ours", "an unchanged hold: its streak", _going_on(journal, 1)),
            Contestant("ours", "the streaks of 1,000 vaults", _going_on(journal, 1_000), "one transaction"),
            Contestant("ours", "1,000 changed cycles", _batch(journal), "one transaction"),
            Contestant("peer", "sqlite3, one INSERT", _plain(stack, at / "plain.db"), "WAL, synchronous FULL"),
            Contestant(
                "floor", "overwrite and fdatasync", _overwrite(stack, at / "plain.log"), f"{len(_bytes()):,} bytes"
            ),
        ]
        return measure("one cycle", contestants, pace)


def _changing(journal: SqlJournal) -> Callable[[], object]:
    """Alternates between two reasons to hold, so that no cycle extends the streak of the last."""
    records = itertools.cycle([changing_record("changing", "in_band"), changing_record("changing", "cool_down")])
    return lambda: journal.record_cycle(next(records))


def _unchanged(journal: SqlJournal) -> Callable[[], object]:
    record = changing_record("unchanged", "in_band")
    return lambda: journal.record_cycle(record)


def _going_on(journal: SqlJournal, count: int) -> Callable[[], object]:
    vaults = [f"{count} of {number}" for number in range(count)]
    journal.record_cycles([changing_record(vault, "in_band") for vault in vaults])
    block = Block(31_337, 1, "0x" + "ab" * 32, "", 1_790_000_000, Wei(1), 30_000_000)
    return lambda: journal.go_on(dict.fromkeys(vaults, 12), block)


def _batch(journal: SqlJournal) -> Callable[[], object]:
    codes = ("in_band", "cool_down")
    batches = itertools.cycle([[changing_record(f"batch {n}", code) for n in range(1_000)] for code in codes])
    return lambda: journal.record_cycles(next(batches))


def _plain(stack: ExitStack, path: Path) -> Callable[[], object]:
    database = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE cycles (id INTEGER PRIMARY KEY, body BLOB)")
    body = _bytes()
    return lambda: database.execute("INSERT INTO cycles (body) VALUES (?)", (body,))


def _overwrite(stack: ExitStack, path: Path) -> Callable[[], object]:
    """In place, as SQLite does with a log that it uses again: an append would have to make the file's new length
    durable too, and cost more than SQLite."""
    body = _bytes()
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    stack.callback(os.close, file)
    os.pwrite(file, body, 0)
    os.fsync(file)
    sync = getattr(os, "fdatasync", os.fsync)

    def run() -> None:
        os.pwrite(file, body, 0)
        sync(file)

    return run


def _bytes() -> bytes:
    record = changing_record("plain", "in_band")
    return dumps(dict(record.decision)).encode() + record.inputs


def changing_record(vault: str, code: str) -> CycleRecord:
    """Of the size of a hold that is told in full."""
    noise = os.urandom
    facts = {f"fact {n}": {"measured": noise(12).hex(), "allowed": f"{n} bps"} for n in range(FACTS)}
    record = CycleRecord(vault, 31_337, 1, "0x" + "ab" * 32, 1_790_000_000, "hold", code, "drift 12 bps", "c0", False)
    return replace(record, decision=facts, inputs=noise(INPUTS))
