"""Rules that the database itself keeps, whatever a program does: drawn arrows only, attempts written once, one live
intent. They hold no data, so each opening for writing makes them as they should be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from keeper.core.sending import ARROWS, LIVE, State

APPEND_ONLY = ("attempts", "transitions", "configs", "pins", "adoptions")
FIXED = ("vault", "cycle", "chain_id", "sender", "account", "nonce", "call", "expect", "created_at")
"""What an intent keeps for life."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`verb` on `table` fails with `message` where `condition` holds, or always where there is none.

    The condition is SQL over OLD and NEW; `{differs}` stands for the dialect's way to compare what may be null.
    """

    name: str
    verb: str
    table: str
    message: str
    condition: str = ""


def refusals() -> Iterator[Refusal]:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield Refusal(f"{table}_no_{verb.lower()}", verb, table, f"{table} are written once")
    yield Refusal("intents_no_delete", "DELETE", "intents", "intents are never deleted")
    yield Refusal("intents_arrow", "UPDATE OF state", "intents", "no such arrow", f"NOT ({_arrows()})")
    changed = " OR ".join(f'OLD."{column}" {{differs}} NEW."{column}"' for column in FIXED)
    yield Refusal("intents_fixed", "UPDATE", "intents", "an intent keeps its nonce and its call for life", changed)
    begins = f"NEW.state <> '{State.RESERVED}'"
    yield Refusal("intents_begin", "INSERT", "intents", "begins RESERVED", begins)
    yield Refusal("proposals_no_delete", "DELETE", "proposals", "proposals are never deleted")
    ended = "OLD.ended_at IS NOT NULL"
    yield Refusal("proposals_ended", "UPDATE", "proposals", "what became of a proposal is said once", ended)
    live = ", ".join(f"'{state}'" for state in sorted(LIVE))
    busy = (
        "EXISTS (SELECT 1 FROM intents WHERE chain_id = NEW.chain_id "  # noqa: S608  constants
        f"AND (sender = NEW.sender OR vault = NEW.vault) AND state IN ({live}))"
    )
    yield Refusal("intents_one_live", "INSERT", "intents", "one live intent per sender and vault", busy)


def _arrows() -> str:
    drawn = []
    for before in State:
        after = ", ".join(f"'{state}'" for state in sorted(ARROWS[before]))
        if after:
            drawn.append(f"(OLD.state = '{before}' AND NEW.state IN ({after}))")
    return " OR ".join(drawn)


def install(connection: Connection) -> None:
    """SQLite's, within the caller's transaction. PostgreSQL's are in postgres_triggers.py."""
    wanted = sqlite_triggers()
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    found = {str(name): str(sql) for name, sql in rows}
    for name in found.keys() - {name for name, sql in wanted.items() if found.get(name) == sql}:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    for name, sql in wanted.items():
        if found.get(name) != sql:
            connection.exec_driver_sql(sql)


def sqlite_triggers() -> Mapping[str, str]:
    """Name -> statement."""
    return {refusal.name: _statement(refusal) for refusal in refusals()}


def _statement(refusal: Refusal) -> str:
    test = f"WHEN {refusal.condition.format(differs='IS NOT')} " if refusal.condition else ""
    begins = f"CREATE TRIGGER {refusal.name} BEFORE {refusal.verb} ON {refusal.table}"
    return f"{begins} {test}BEGIN SELECT RAISE(ABORT, '{refusal.message}'); END"
