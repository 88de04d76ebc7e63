"""What people switch and what the keeper latches: pauses, halts, and requests left for the daemon."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from keeper.core.drain import drain_scope
from keeper.core.errors import JournalError
from keeper.core.records import PauseState, Request
from keeper.journal.adoption import Adoption
from keeper.journal.places import place_of
from keeper.journal.prepared import Prepared
from keeper.journal.rules import EVERY_VAULT, OVERTAKEN, named, not_applicable, stays_paused
from keeper.journal.store import checked
from keeper.journal.tables import adoptions, halts, intents, pauses, pins, requests


class RequestBox:
    """Where a command leaves word for the daemon, which alone writes anything else.

    Opens the journal for each call and lets it go at once. Does not guarantee that anybody reads it: see `result`.
    """

    def __init__(self, url: str) -> None:
        """Raises JournalError where there is no journal, or one of another schema."""
        self._place = place_of(url)
        self._engine = checked(self._place, self._place.open_asking())

    def ask(self, action: str, vault: str, reason: str, by: str, at: int | None = None) -> int:
        """Returns the request's number. `vault` is a name or `*`; a `pause` counts from now on."""
        values = {"action": action, "vault": vault, "reason": reason, "by": by}
        asked = insert(requests).values(values | {"at": int(time.time()) if at is None else at})
        with self._place.errors(), self._engine.begin() as connection:
            key = connection.execute(asked).inserted_primary_key
        assert key is not None
        return int(key[0])

    def result(self, request: int) -> str | None:
        """What the daemon answered; None while it has not."""
        mine = select(requests.c.answer).where(requests.c.id == request)
        with self._place.errors(), self._place.for_reading(self._engine).connect() as connection:
            answer: str | None = connection.execute(mine).scalar()
        return answer

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> RequestBox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def apply(connection: Connection, request: Request, now: int) -> str:
    """Raises JournalError for an action that needs more than a journal."""
    match request.action:
        case "pause":
            return _pause(connection, request)
        case "resume":
            return _resume(connection, request, now)
        case "halt":
            halt(connection, request.vault, request.reason or f"asked for by {request.by}", now)
            return f"halted {request.vault}"
        case "drain":
            halt(connection, drain_scope(request.vault), request.reason or f"asked for by {request.by}", now)
            return f"draining {request.vault}: it starts nothing new, and finishes what it began"
        case "clear":
            count = clear(connection, request.vault, request.by, request.reason, now)
            return f"cleared {count} of {request.vault}" if count else f"{request.vault} was not halted"
        case "adopt":
            adoption = Adoption.parse(request.vault)
            adopt(connection, adoption, request.by, request.reason, now)
            return f"adopted: {adoption.sender} goes on at nonce {adoption.next_nonce} on chain {adoption.chain_id}"
    raise not_applicable(request)


def _pause(connection: Connection, request: Request) -> str:
    connection.execute(delete(pauses).where(pauses.c.vault == request.vault))
    values = {"vault": request.vault, "reason": request.reason, "by": request.by, "at": request.at}
    connection.execute(insert(pauses).values(values))
    return f"paused {named(request.vault)}"


def _resume(connection: Connection, request: Request, now: int) -> str:
    """Resuming every vault ends each pause, those that wait for an answer included; resuming one leaves a pause of
    every vault in force, and says so."""
    every = request.vault == EVERY_VAULT
    overtaken = [requests.c.answer.is_(None), requests.c.action == "pause"]
    overtaken += [] if every else [requests.c.vault == request.vault]
    overtaken += [requests.c.id < request.id] if request.id else []
    connection.execute(update(requests).where(*overtaken).values(answer=OVERTAKEN, answered_at=now))
    ended = delete(pauses) if every else delete(pauses).where(pauses.c.vault == request.vault)
    count = connection.execute(ended).rowcount
    if not every and connection.execute(select(pauses.c.vault).where(pauses.c.vault == EVERY_VAULT)).first():
        return stays_paused(request.vault)
    return f"resumed {named(request.vault)}" if count else f"{named(request.vault)} was not paused"


# Built once: they stand between a head and its transaction, and building one takes longer than running it.
_NAMES: tuple[Any, ...] = (bindparam("vault"), EVERY_VAULT)
_PAUSE = select(pauses).where(pauses.c.vault.in_(_NAMES)).order_by(pauses.c.at)
_PAUSE_ASKED = (
    select(requests)
    .where(requests.c.answer.is_(None), requests.c.action == "pause", requests.c.vault.in_(_NAMES))
    .order_by(requests.c.id)
)
_REQUESTS = select(requests).where(requests.c.answer.is_(None)).order_by(requests.c.id)
_HALT = (
    select(halts.c.reason)
    .where(halts.c.scope == bindparam("scope"), halts.c.cleared_at.is_(None), halts.c.trying_at.is_(None))
    .order_by(halts.c.id)
    .limit(1)
)
_HERE: tuple[Any, ...] = (bindparam("chain_id"), bindparam("sender"))
_LAST_USED = select(func.max(intents.c.nonce)).where(
    intents.c.chain_id == _HERE[0], intents.c.sender == _HERE[1], intents.c.abandoned == 0
)
_ADOPTED = select(func.max(adoptions.c.next_nonce)).where(
    adoptions.c.chain_id == _HERE[0], adoptions.c.sender == _HERE[1]
)
_USED_AND_ADOPTED = Prepared(select(_LAST_USED.scalar_subquery(), _ADOPTED.scalar_subquery()))


def read_pause(connection: Connection, vault: str) -> PauseState | None:
    """A pause in force, else a request for one that nobody has answered yet."""
    asked = {"vault": vault}
    row = connection.execute(_PAUSE, asked).first() or connection.execute(_PAUSE_ASKED, asked).first()
    return None if row is None else PauseState(row.vault, row.reason, row.by, row.at)


def read_requests(connection: Connection) -> tuple[Request, ...]:
    """Unanswered ones, oldest first."""
    waiting = connection.execute(_REQUESTS)
    return tuple(Request(row.id, row.action, row.vault, row.reason, row.by, row.at) for row in waiting)


def read_pins(connection: Connection, config_hash: str, chain_id: int, at: int | None = None) -> str | None:
    """What the chain had said of this config by then (Unix seconds); by now where no time is given. The first of all
    where nothing is older: a chain's time may differ from the keeper's."""
    mine = and_(pins.c.config_hash == config_hash, pins.c.chain_id == chain_id)
    latest = select(pins.c.body).where(mine).order_by(pins.c.id.desc()).limit(1)
    if at is None:
        return connection.execute(latest).scalar()
    first = select(pins.c.body).where(mine).order_by(pins.c.id).limit(1)
    return connection.execute(latest.where(pins.c.at <= at)).scalar() or connection.execute(first).scalar()


def halt(connection: Connection, scope: str, reason: str, now: int) -> None:
    same = and_(halts.c.scope == scope, halts.c.reason == reason, halts.c.cleared_at.is_(None))
    if not connection.execute(select(halts.c.id).where(same)).first():
        connection.execute(insert(halts).values(scope=scope, reason=reason, at=now))


def read_halt(connection: Connection, scope: str) -> str:
    """The first reason that still stands, or an empty string."""
    return connection.execute(_HALT, {"scope": scope}).scalar() or ""


def clear(connection: Connection, scope: str, by: str, reason: str, now: int) -> int:
    """`scope` is a vault, a sender, or the number of one halt."""
    named = or_(halts.c.scope == scope, halts.c.id == int(scope)) if scope.isdecimal() else halts.c.scope == scope
    ended = {"cleared_at": now, "cleared_by": by, "cleared_reason": reason}
    return connection.execute(update(halts).where(named, halts.c.cleared_at.is_(None)).values(ended)).rowcount


def adopt(connection: Connection, adoption: Adoption, by: str, reason: str, now: int) -> None:
    """Raises JournalError where the journal itself has used the nonce."""
    here = {"chain_id": adoption.chain_id, "sender": adoption.sender}
    last = connection.execute(_LAST_USED, here).scalar()
    if last is not None and adoption.next_nonce <= last:
        found = f"expected a nonce > {last} to adopt, found {adoption.next_nonce}"
        raise JournalError(f"sender {adoption.sender}: {found}")
    values = here | {"next_nonce": adoption.next_nonce}
    connection.execute(insert(adoptions).values(values | {"by": by, "reason": reason, "at": now}))


def read_following(connection: Connection, chain_id: int, sender: str) -> int | None:
    """The nonce after the last one that is accounted for; None for a sender without history. An intent that was given
    up before it was signed has used none."""
    used, adopted = _USED_AND_ADOPTED.first(connection, {"chain_id": chain_id, "sender": sender})
    known = [nonce for nonce in (adopted, None if used is None else used + 1) if nonce is not None]
    return max(known, default=None)
