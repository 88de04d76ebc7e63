"""Migrations lead to the tables that the code knows."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from keeper.journal import schema
from keeper.journal.tables import metadata


def test_migrations__head__is_the_known_schema() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    heads = ScriptDirectory.from_config(config).get_heads()
    assert [int(head) for head in heads] == [schema.KNOWN]


def test_migrations__all_of_them__make_the_tables(begun: Path, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{begun}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    assert statements(begun) == statements(made_directly(tmp_path / "direct.db"))


def made_directly(path: Path) -> Path:
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    return path


def statements(path: Path) -> dict[str, list[str]]:
    """Name -> what makes it, as parts in any order: checks and partial indexes too, which comparing leaves out."""
    raw = sqlite3.connect(path)
    rows = raw.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL")
    found = {
        name: sorted(filter(None, (part.strip(" )(\t") for part in re.split(r"[,\n]", sql)))) for name, sql in rows
    }
    raw.close()
    return {name: parts for name, parts in found.items() if name not in ("alembic_version", "sqlite_sequence")}
