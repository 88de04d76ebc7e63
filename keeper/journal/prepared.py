"""Statements that stand between a head and its transaction: SQLAlchemy writes them, and SQLite runs them without it.

Around each run SQLAlchemy makes a dozen objects of its own, which takes longer than SQLite does. A PostgreSQL server is
too far away for that to matter, and there nothing differs from any other statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import StatementError

Values = Mapping[str, Any]
NONE: Values = {}


class Prepared:
    """One statement, always run with the same names of values. Raises what its database raises; the journal tells
    either of it alike."""

    def __init__(self, statement: Select[Any] | Insert | Update | Delete) -> None:
        self._statement = statement
        self._bare: _Bare | None = None

    def run(self, connection: Connection, values: Values) -> int:
        """How many rows it changed."""
        result = self._straight(connection, values) or connection.execute(self._statement, values)
        return int(result.rowcount)

    def insert(self, connection: Connection, values: Values) -> int:
        """The number of the new row."""
        if (cursor := self._straight(connection, values)) is not None:
            return int(cursor.lastrowid)
        key = connection.execute(self._statement, values).inserted_primary_key
        assert key is not None
        return int(key[0])

    def first(self, connection: Connection, values: Values = NONE) -> Any:
        """The first row, of texts and plain integers only; None where there is none."""
        result = self._straight(connection, values) or connection.execute(self._statement, values)
        return result.fetchone()

    def _straight(self, connection: Connection, values: Values) -> Any:
        """SQLite's own cursor; None for another database."""
        if connection.dialect.name != "sqlite":
            return None
        if self._bare is None:
            self._bare = _Bare(self._statement, connection.dialect, list(values))
        driver = connection.connection.driver_connection
        assert driver is not None
        return driver.execute(self._bare.text, self._bare.bound(values))


class _Bare:
    """A statement as SQLite takes it, and what makes a value one of SQLite's."""

    def __init__(self, statement: Select[Any] | Insert | Update | Delete, dialect: Dialect, names: list[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=names)
        self.text, self._names, binds = str(compiled), frozenset(names), compiled.binds
        self._places = [
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        self._constants = {name: binds[name].value for name, _ in self._places if not binds[name].required}

    def bound(self, values: Values) -> list[Any]:
        given = {**self._constants, **values}
        try:
            if values.keys() != self._names:
                raise KeyError(*(values.keys() ^ self._names))
            return [given[name] if process is None else process(given[name]) for name, process in self._places]
        except (KeyError, TypeError, ValueError) as error:  # as SQLAlchemy tells it
            raise StatementError(f"({type(error).__name__}) {error}", None, None, error) from error
