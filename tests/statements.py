"""SQL statements that are compiled once in a test process, and not once for each journal that a test opens."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine

from keeper.journal import sqlite


def share_statements() -> None:
    """From now on every SQLite engine of the journal has one dialect, and what was compiled for it."""
    first = create_engine("sqlite://")
    first.connect().close()  # a dialect learns from its first connection what it speaks to

    def create(*arguments: Any, **options: Any) -> Engine:
        engine = create_engine(*arguments, **options)
        engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
        return engine

    sqlite.create_engine = create  # type: ignore[attr-defined]
