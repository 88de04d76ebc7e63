"""SQL statements: compiled once in a test process, and not once for each journal that a test opens; and counted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine

from keeper.journal import sqlite
from keeper.journal.sql import SqlJournal


def share_statements() -> None:
    """From now on every SQLite engine of the journal has one dialect, and what was compiled for it."""
    first = create_engine("sqlite://")
    first.connect().close()  # a dialect learns from its first connection what it speaks to

    def create(*arguments: Any, **options: Any) -> Engine:
        engine = create_engine(*arguments, **options)
        engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
        return engine

    sqlite.create_engine = create  # type: ignore[attr-defined]


def transactions(journal: SqlJournal) -> list[str]:
    """Grows by each one that is begun from now on, as its BEGIN says."""
    begun: list[str] = []
    driver = journal._store._pen._raw  # type: ignore[attr-defined]
    driver.set_trace_callback(lambda said: begun.append(said) if said.startswith("BEGIN") else None)
    return begun
