"""Rules that the database itself keeps, whatever a program does: drawn arrows only, attempts written once, one live
intent. One writer per dialect; they hold no data, so each opening for writing makes them as they should be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from keeper.core.errors import JournalError
from keeper.core.sending import ARROWS, LIVE, State

APPEND_ONLY = ("attempts", "transitions", "configs", "adoptions")
FIXED = ("vault", "cycle", "chain_id", "sender", "account", "nonce", "call", "expect", "created_at")
"""What an intent keeps for life."""


def install(connection: Connection) -> None:
    """Within the caller's transaction. Raises JournalError on a dialect without triggers of ours."""
    dialect = connection.dialect.name
    if dialect not in _INSTALL:
        raise JournalError(f"journal: expected one of {', '.join(_INSTALL)}, found {dialect}")
    _INSTALL[dialect](connection)


def _install_sqlite(connection: Connection) -> None:
    wanted = sqlite_triggers()
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    found = {str(name): str(sql) for name, sql in rows}
    for name in found.keys() - {name for name, sql in wanted.items() if found.get(name) == sql}:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    for name, sql in wanted.items():
        if found.get(name) != sql:
            connection.exec_driver_sql(sql)


_INSTALL: Mapping[str, Callable[[Connection], None]] = {"sqlite": _install_sqlite}


def sqlite_triggers() -> dict[str, str]:
    """Name -> statement."""
    triggers = {}
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            name = f"{table}_no_{verb.lower()}"
            triggers[name] = _refuse(name, f"BEFORE {verb} ON {table}", "", f"{table} are written once")
    none = "intents are never deleted"
    triggers["intents_no_delete"] = _refuse("intents_no_delete", "BEFORE DELETE ON intents", "", none)
    arrow = _refuse("intents_arrow", "BEFORE UPDATE OF state ON intents", f"NOT ({_arrows()})", "no such arrow")
    triggers["intents_arrow"] = arrow
    changed = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in FIXED)
    triggers["intents_fixed"] = _refuse(
        "intents_fixed", "BEFORE UPDATE ON intents", changed, "an intent keeps its nonce and its call for life"
    )
    begins = f"NEW.state <> '{State.RESERVED}'"
    triggers["intents_begin"] = _refuse("intents_begin", "BEFORE INSERT ON intents", begins, "begins RESERVED")
    live = ", ".join(f"'{state}'" for state in sorted(LIVE))
    busy = (
        "EXISTS (SELECT 1 FROM intents WHERE chain_id = NEW.chain_id "  # noqa: S608  constants
        f"AND (sender = NEW.sender OR vault = NEW.vault) AND state IN ({live}))"
    )
    one = "one live intent per sender and vault"
    triggers["intents_one_live"] = _refuse("intents_one_live", "BEFORE INSERT ON intents", busy, one)
    return triggers


def _refuse(name: str, when: str, condition: str, message: str) -> str:
    test = f"WHEN {condition} " if condition else ""
    return f"CREATE TRIGGER {name} {when} {test}BEGIN SELECT RAISE(ABORT, '{message}'); END"


def _arrows() -> str:
    drawn = []
    for before in State:
        after = ", ".join(f"'{state}'" for state in sorted(ARROWS[before]))
        if after:
            drawn.append(f"(OLD.state = '{before}' AND NEW.state IN ({after}))")
    return " OR ".join(drawn)
