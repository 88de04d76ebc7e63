"""The same refusals in PL/pgSQL, and one more: emptying a table at once, which SQLite does not know."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

from keeper.journal.triggers import APPEND_ONLY, Refusal, refusals

PREFIX = "keeper_"
"""Of every function and trigger of ours."""


def install(connection: Connection) -> None:
    """Within the caller's transaction. Those that stand are left alone: to replace one locks its table."""
    standing = _standing(connection)
    wanted = {PREFIX + refusal.name: refusal for refusal in _refusals()}
    for name, (table, _) in standing.items():
        if name not in wanted:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}" ON "{table}"')
    for name, refusal in wanted.items():
        body = _body(refusal)
        if standing.get(name) == (refusal.table, body):
            continue
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $keeper${body}$keeper$"
        )
        each = "STATEMENT" if refusal.verb == "TRUNCATE" else "ROW"
        connection.exec_driver_sql(f'DROP TRIGGER IF EXISTS {name} ON "{refusal.table}"')
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name} BEFORE {refusal.verb} ON {refusal.table} FOR EACH {each} EXECUTE FUNCTION {name}()"
        )


def _refusals() -> Iterator[Refusal]:
    yield from refusals()
    for table in (*APPEND_ONLY, "intents"):
        yield Refusal(f"{table}_no_truncate", "TRUNCATE", table, f"{table} are never deleted")


def _body(refusal: Refusal) -> str:
    condition = refusal.condition.format(differs="IS DISTINCT FROM") or "true"
    refuse = f"RAISE EXCEPTION '{refusal.message}' USING ERRCODE = 'restrict_violation'"
    # Where it does not refuse, a row goes on as it is; only those that always refuse see rows without NEW.
    return f"BEGIN IF {condition} THEN {refuse}; END IF; RETURN NEW; END"


def _standing(connection: Connection) -> dict[str, tuple[str, str]]:
    """Trigger -> its table and its function's body; a trigger that was switched off counts as none."""
    found = connection.execute(
        text(
            "SELECT t.tgname, c.relname, CASE WHEN t.tgenabled = 'O' THEN p.prosrc ELSE '' END FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
        )
    )
    return {str(name): (str(table), str(body)) for name, table, body in found}
