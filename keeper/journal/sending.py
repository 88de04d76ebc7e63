"""The part of a journal that is about transactions: which nonce is whose, what was signed, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, insert, select, update

from keeper.core.errors import Halted, JournalError
from keeper.core.records import NewIntent
from keeper.core.sending import Attempt, Intent, Mined, Outcome, State
from keeper.core.units import Address
from keeper.journal import commands, rows, rules
from keeper.journal.adoption import Adoption
from keeper.journal.opened import OpenJournal
from keeper.journal.prepared import Prepared
from keeper.journal.tables import attempts, intents, outcomes, transitions

_MOVE = Prepared(update(intents).where(intents.c.id == bindparam("number"), intents.c.state == bindparam("before")))
_INTEND = Prepared(insert(intents))
_LOG = Prepared(insert(transitions))
_ATTEMPT = Prepared(insert(attempts))


class SendingJournal(OpenJournal):
    """Keeps of every nonce that a key ever used what it was for. Arrows that are not drawn are refused."""

    def _begin(self) -> None:
        self._live: dict[int, tuple[Intent, ...]] = {}
        """By chain."""
        self._latest: Intent | None = None
        """The intent that was written last."""

    def _forget(self) -> None:
        super()._forget()
        self._live.clear()
        self._latest = None

    def intend(self, new: NewIntent, chain_nonce: int) -> Intent:
        """Reserves a nonce. Raises Halted where chain and journal cannot both be right (and halts the sender), or
        where the vault or sender is halted; TransientError while it is paused or something is live."""
        try:
            # Between looking and writing no other chain's thread may change anything, and there is no other writer.
            with self._mutex:
                nonce = self._next_nonce(new, chain_nonce)
                with self._sending() as connection:
                    return self._reserve(connection, new, nonce)
        except Halted as doubt:
            if not self._is_halted(new):
                self.halt(new.sender, str(doubt), new.at)
            raise

    def _next_nonce(self, new: NewIntent, chain_nonce: int) -> int:
        with self._store.reading() as connection:
            pause = self._pause_of(connection, new.vault)
            known = self._live.get(new.chain_id)  # as the look before it left them
            unfinished = rows.read_unfinished(connection, new.chain_id) if known is None else known
            following = commands.read_following(connection, new.chain_id, new.sender)
        rules.check_open(new, self.halted, pause)
        return rules.reserve(new, chain_nonce, following, unfinished)

    def _reserve(self, connection: Connection, new: NewIntent, nonce: int) -> Intent:
        number = _INTEND.insert(connection, rows.new_intent_row(new, nonce))
        self._log(connection, number, "", State.RESERVED, "")
        self._marks.touch(new.vault)
        self._latest = rules.reserved(new, number, nonce)
        return self._latest

    def _is_halted(self, new: NewIntent) -> bool:
        return any(self.halted(scope) for scope in rules.scopes(new))

    def following(self, chain_id: int, sender: Address) -> int | None:
        """The nonce after the last one that is accounted for; None for a sender without history."""
        with self._store.reading() as connection:
            return commands.read_following(connection, chain_id, sender)

    def adopt(self, chain_id: int, sender: Address, next_nonce: int, by: str, reason: str) -> None:
        """A person accounts for nonces that the journal cannot explain: from here on `next_nonce` is the next one.

        Raises JournalError where the journal itself has used it.
        """
        with self._store.writing() as connection:
            commands.adopt(connection, Adoption(chain_id, sender, next_nonce), by, reason, self._now())

    def attempt(self, intent: int, attempt: Attempt, leaves: bool = False) -> Intent:
        """Adds a signed transaction before it is broadcast. The first one makes the intent SIGNED, and where it
        `leaves` next, MAYBE_SENT in the same breath."""
        with self._sending() as connection:
            before = self._before(connection, intent)
            after = rules.signed(before, attempt)
            _ATTEMPT.run(connection, rows.attempt_row(intent, attempt, self._store.epoch))
            self._move(connection, before, after, str(attempt.purpose))
            if leaves:
                before, after = after, rules.offered(after)
                self._move(connection, before, after, "")
            self._latest = after
            return after

    def advance(self, intent: int, to: State, mined: Mined | None = None, note: str = "") -> Intent:
        """Raises JournalError where the arrow is not drawn, or `mined` is the receipt of none of its attempts."""
        with self._sending() as connection:
            before = self._before(connection, intent)
            after = rules.moved(before, to, mined, note)
            self._move(connection, before, after, note)
            self._latest = after
            return after

    @contextmanager
    def _sending(self) -> Iterator[Connection]:
        """A write about an intent. What is kept of intents is right again, or forgotten, when it ends."""
        with self._mutex:
            try:
                with self._writing() as connection:
                    yield connection
            finally:
                self._live.clear()

    def _before(self, connection: Connection, number: int) -> Intent:
        """As the last write left it, where that was about the same one: there is no other writer."""
        known = self._latest
        return known if known is not None and known.id == number else _intent(connection, number)

    def _move(self, connection: Connection, before: Intent, after: Intent, note: str) -> None:
        if after.state is before.state and after.mined == before.mined:
            return
        self._marks.touch(before.vault)
        here = {"number": before.id, "before": str(before.state)}
        if _MOVE.run(connection, here | rows.moved_row(after)) != 1:
            raise JournalError(f"intent {before.id}: expected {before.state}, found another state")
        self._log(connection, before.id, before.state, after.state, note)

    def _log(self, connection: Connection, intent: int, before: str, after: str, note: str) -> None:
        values = {"intent": intent, "before": str(before), "after": str(after), "note": note}
        at = {"at": self._now(), "epoch": self._store.epoch}
        _LOG.run(connection, values | at)

    def finish(self, outcome: Outcome) -> None:
        """Fills and costs of a mined intent; replaces what an earlier call said of it."""
        with self._store.writing() as connection:
            concluded = _intent(connection, outcome.intent)
            rules.concludable(concluded, outcome)
            self._marks.touch(concluded.vault)
            values = rows.outcome_row(outcome, self._now())
            known = update(outcomes).where(outcomes.c.intent == outcome.intent).values(values)
            if connection.execute(known).rowcount == 0:
                connection.execute(insert(outcomes).values(values))

    def live(self, chain_id: int) -> Sequence[Intent]:
        """Live and unfinal intents of a chain, oldest first."""
        with self._mutex:
            if chain_id not in self._live:
                with self._store.reading() as connection:
                    self._live[chain_id] = rows.read_unfinished(connection, chain_id)
            return self._live[chain_id]

    def expectation(self, intent: int) -> NewIntent:
        with self._store.reading() as connection:
            row = connection.execute(select(intents).where(intents.c.id == intent)).first()
        if row is None:
            raise rules.not_found("intent", intent)
        return rows.new_intent_of(row)


def _intent(connection: Connection, number: int) -> Intent:
    found = rows.read_intent(connection, number)
    if found is None:
        raise rules.not_found("intent", number)
    return found
