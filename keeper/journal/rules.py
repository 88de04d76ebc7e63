"""What may follow what in the life of an intent. Pure: every journal keeps these rules, whatever it writes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from keeper.core.drain import drain_scope
from keeper.core.errors import Halted, JournalError, TransientError
from keeper.core.records import CycleRecord, NewIntent, PauseState, Request
from keeper.core.sending import ARROWS, FINAL, LIVE, Attempt, Intent, Mined, Outcome, State
from keeper.core.units import Address
from keeper.journal.past import pause_text

ATTEMPTABLE = frozenset({State.RESERVED, State.SIGNED, State.MAYBE_SENT, State.SENT})
MINED_STATES = frozenset({State.MINED, State.CONFIRMED})
_CONCLUDABLE = MINED_STATES | FINAL
_NEEDS_RECEIPT = frozenset({State.MINED, State.CONFIRMED, State.FINAL_OK, State.FINAL_REVERTED})
_STATUS = {State.FINAL_OK: 1, State.FINAL_REVERTED: 0}

APPLICABLE = ("pause", "resume", "halt", "drain", "clear", "adopt")
"""Requests that need nothing but the journal."""

EVERY_VAULT = "*"
"""Stands for all vaults in a pause or a request."""


@dataclass(frozen=True, slots=True)
class StreakKey:
    """What makes a cycle the same as the one before it."""

    vault: str
    chain_id: int
    kind: str
    code: str
    guards: tuple[str, ...]
    config_hash: str
    armed: bool


def streak_key(record: CycleRecord) -> StreakKey | None:
    """None where every cycle counts for itself: one that starts a transaction, or proposes one."""
    return None if record.kind in ("intended", "proposed") else key_of(record)


def key_of(record: CycleRecord) -> StreakKey:
    return StreakKey(
        record.vault,
        record.chain_id,
        record.kind,
        record.code,
        tuple(record.guards),
        record.config_hash,
        record.armed,
    )


def check_open(new: NewIntent, halted: Callable[[str], str], pause: PauseState | None) -> None:
    """The last look before a nonce is reserved; `halted` says why a scope is. Raises Halted, or TransientError where
    waiting helps."""
    for scope in scopes(new):
        if reason := halted(scope):
            raise Halted(f"{scope} is halted: {reason}")
    if reason := halted(drain_scope(new.sender)):
        raise TransientError(f"{new.sender} is draining, and starts nothing new: {reason}")
    if pause:
        raise TransientError(f"{new.vault}: {pause_text(pause)}")


def reserve(new: NewIntent, chain_nonce: int, following: int | None, unfinished: Sequence[Intent]) -> int:
    """The nonce for `new`.

    `following` is the nonce after the last one that the journal knows as used, None where it knows none; `unfinished`
    are the chain's live and unfinal intents. Raises TransientError where waiting helps, Halted where it does not.
    """
    for intent in unfinished:
        if intent.state in LIVE and (shared := _shared(new, intent)):
            raise TransientError(f"{shared}: intent {intent.id} (nonce {intent.nonce}, {intent.state}) is live")
    if following is None or chain_nonce == following:
        return chain_nonce
    figures = f"sender {new.sender}: expected nonce {following} next, chain says {chain_nonce}"
    if chain_nonce > following:
        raise Halted(f"{figures}: the key was used elsewhere, or this journal is an old copy")
    if any(intent.sender == new.sender and intent.nonce >= chain_nonce for intent in unfinished):
        raise TransientError(f"{figures}: the node lags, or a reorg took back what is not final")
    raise Halted(f"{figures}: what was final is not on this chain; is it another chain behind the same id?")


def _shared(new: NewIntent, intent: Intent) -> str:
    """What both would use at once, or an empty string."""
    if new.sender == intent.sender:
        return f"sender {new.sender}"
    if new.vault == intent.vault:
        return f"vault {new.vault}"
    pools = set(new.pools) & set(intent.pools)
    return f"pool {min(pools)}" if pools else ""


def reserved(new: NewIntent, number: int, nonce: int) -> Intent:
    return Intent(
        id=number,
        vault=new.vault,
        cycle=new.cycle,
        chain_id=new.chain_id,
        sender=new.sender,
        nonce=nonce,
        call=new.call,
        gas_limit=new.gas_limit,
        deadline=new.deadline,
        pools=new.pools,
        state=State.RESERVED,
        created_at=new.at,
    )


def signed(intent: Intent, attempt: Attempt) -> Intent:
    """`intent` with one more attempt; the first one makes it SIGNED. Raises JournalError where none may follow."""
    if intent.state not in ATTEMPTABLE:
        raise JournalError(f"intent {intent.id}: expected a state before MINED for a new attempt, was {intent.state}")
    state = State.SIGNED if intent.state is State.RESERVED else intent.state
    return replace(intent, state=state, attempts=(*intent.attempts, attempt))


def offered(intent: Intent) -> Intent:
    """`intent` as its newest attempt leaves: from now on a node may have it, whatever is heard."""
    return intent if intent.state is State.MAYBE_SENT else moved(intent, State.MAYBE_SENT, None, "")


def moved(intent: Intent, to: State, mined: Mined | None, note: str) -> Intent:
    """`intent` after one arrow. Raises JournalError where the arrow is not drawn, or the receipt is not its own."""
    if intent.state is State.SIGNED and to is State.SIGNED:
        return intent  # the attempt has already made it so
    if to not in ARROWS[intent.state]:
        drawn = ", ".join(sorted(ARROWS[intent.state])) or "none"
        raise JournalError(f"intent {intent.id}: no arrow from {intent.state} to {to}; drawn: {drawn}")
    if intent.state is State.RESERVED and to is State.SIGNED and not intent.attempts:
        raise JournalError(f"intent {intent.id}: expected an attempt before SIGNED, found none")
    kept = (mined or intent.mined) if to in MINED_STATES | FINAL - {State.EXTERNAL} else None
    if kept is None and to in _NEEDS_RECEIPT:
        raise JournalError(f"intent {intent.id}: expected a receipt for {to}, found none")
    if kept is not None and kept.hash not in {attempt.hash for attempt in intent.attempts}:
        raise JournalError(f"intent {intent.id}: {kept.hash} is none of its {len(intent.attempts)} attempts")
    if kept is not None and kept.status != _STATUS.get(to, kept.status):
        raise JournalError(f"intent {intent.id}: expected status {_STATUS[to]} for {to}, was {kept.status}")
    return replace(intent, state=to, mined=kept, note=note or intent.note)


def is_abandoned(intent: Intent) -> bool:
    """Cancelled before anything was signed: nobody can ever use its nonce but the next intent."""
    return intent.state is State.FINAL_CANCELLED and not intent.attempts


def concludable(intent: Intent, outcome: Outcome) -> None:
    """Raises JournalError where an outcome is said of what was never mined."""
    if intent.state not in _CONCLUDABLE:
        raise JournalError(f"intent {outcome.intent}: expected MINED or later for an outcome, was {intent.state}")


def not_found(what: str, number: int) -> JournalError:
    return JournalError(f"{what} {number}: not in the journal")


def not_applicable(request: Request) -> JournalError:
    return JournalError(f"request {request.id}: expected one of {', '.join(APPLICABLE)}, found {request.action}")


def named(vault: str) -> str:
    return "every vault" if vault == EVERY_VAULT else vault


def stays_paused(vault: str) -> str:
    return f"{vault} stays paused, as every vault is: resume '{EVERY_VAULT}'"


OVERTAKEN = "overtaken by a resume"
"""Answers a pause that still waited for one when somebody resumed."""


def in_scope(vault: str, named: str) -> bool:
    """Whether a pause or request for `named` concerns `vault`."""
    return named in (vault, EVERY_VAULT)


def scopes(new: NewIntent) -> tuple[str, Address]:
    """Whose halt stops this intent."""
    return new.vault, new.sender
