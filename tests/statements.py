"""SQL statements: compiled once in a test process, and not once for each journal that a test opens; and counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine

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
    """Grows by each one that is begun from now on, by its kind."""
    begun: list[str] = []
    pen = journal._store._pen

    def counting(kind: str) -> Callable[[], AbstractContextManager[Connection]]:
        begin: Callable[[], AbstractContextManager[Connection]] = getattr(pen, kind)

        def count() -> AbstractContextManager[Connection]:
            begun.append(kind)
            return begin()

        return count

    for kind in ("writing", "reading"):
        setattr(pen, kind, counting(kind))
    return begun
