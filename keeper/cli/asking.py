"""What people ask of a running keeper: pause, resume, halt, clear, adopt, speed-up, cancel.

Each is a row in the journal that the daemon honours and answers. Without a daemon the command takes the journal itself
and goes the same way.
"""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from keeper.app.journals import has_journal, journal_url
from keeper.app.loading import open_config
from keeper.chain.sending.wishes import ACTIONS, concerns
from keeper.config import Loaded
from keeper.core.errors import ConfigError, JournalError
from keeper.core.sending import LIVE
from keeper.journal.commands import RequestBox
from keeper.journal.lock import Busy
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal

PATIENCE = 30.0
"""{s} How long a command waits for the daemon to answer; longer than the lease of a daemon that died."""
POLL, TRY = 0.1, 1.0
"""{s} Between two looks at the answer, and between two tries to take the journal that nobody may have any more."""


def switch(path: Path, action: str, vault: str, reason: str) -> None:
    """pause or resume"""
    loaded = open_config(path, need_env=False)
    if vault != "*" and vault not in loaded.config.kept:
        raise ConfigError("command", "VAULT", f"one of {', '.join(loaded.config.kept)}, or '*'", vault)
    _ask(loaded, [(action, vault)], reason)


def halt(path: Path, scope: str, reason: str) -> None:
    loaded = open_config(path, need_env=False)
    _ask(loaded, [("halt", _scope(loaded, scope))], reason)


def drain(loaded: Loaded, sender: str, reason: str) -> None:
    """The sender starts nothing new from here on; `clear` of its scope ends that."""
    _ask(loaded, [("drain", sender)], reason)


def clear(path: Path, scope: str, reason: str, *, adopt: bool) -> None:
    """Ends a halt: of a vault, of a sender, or by its number; with `adopt` a person also accounts for the sender's
    nonces up to now."""
    if not reason:
        raise ConfigError("command", "--reason", "why it is cleared, to be kept in the journal", "none")
    loaded = open_config(path, need_env=False)
    with JournalReader(journal_url(loaded)) as reader:
        standing = reader.halts()
    known = {str(found.number) for found in standing} | {found.scope for found in standing}
    target = scope if scope in known else _scope(loaded, scope)
    asked = [("clear", target)]
    if adopt:
        from keeper.app.accounts import adoptions_of

        named = {str(found.number): found.scope for found in standing}
        asked = [*(("adopt", str(each)) for each in adoptions_of(loaded, named.get(target, target))), *asked]
    _ask(loaded, asked, reason)


def _scope(loaded: Loaded, scope: str) -> str:
    """A vault or a sender of the configuration; an address in any case of its letters."""
    senders = {sender for name in loaded.config.kept if (sender := loaded.config.sender_of(name))}
    same = [known for known in (*loaded.config.kept, *sorted(senders)) if known.lower() == scope.lower()]
    if not same:
        expected = f"one of {', '.join([*loaded.config.kept, *sorted(senders)])}, or the number of a halt"
        raise ConfigError("command", "SCOPE", expected, scope)
    return same[0]


def wish(path: Path, action: str, target: str, reason: str) -> None:
    """speed-up or cancel, of what is live now: a wish never reaches a transaction that comes later."""
    loaded = open_config(path, need_env=False)
    with JournalReader(journal_url(loaded)) as reader:
        live = reader.live()
    wanted = [intent for intent in live if concerns(intent, target)]
    if not wanted:
        known = ", ".join(f"{intent.id} ({intent.vault}, nonce {intent.nonce})" for intent in live)
        raise ConfigError("command", "TX", f"a live transaction: {known}" if live else "something live", target)
    _ask(loaded, [(action, str(intent.id)) for intent in wanted], reason)


# --- asking and being answered ---------------------------------------------------------------------------------------


def _ask(loaded: Loaded, asked: Collection[tuple[str, str]], reason: str) -> None:
    url = journal_url(loaded)
    if not has_journal(loaded):
        with suppress(Busy):  # a daemon that begins it at this moment
            SqlJournal(url).close()
    with RequestBox(url) as box:
        for action, target in asked:
            number = box.ask(action, target, reason, getpass.getuser())
            sys.stdout.write(f"{_answered(loaded, box, number)}\n")


def _answered(loaded: Loaded, box: RequestBox, number: int) -> str:
    """What the daemon did; where none has the journal, what was done here."""
    end, tried = time.monotonic() + PATIENCE, -TRY
    while time.monotonic() < end:
        if (answer := box.result(number)) is not None:
            return answer
        if time.monotonic() - tried >= TRY:
            tried = time.monotonic()
            with suppress(Busy), SqlJournal(journal_url(loaded)) as journal:
                _carry_out_here(loaded, journal)
                continue
        time.sleep(POLL)
    raise JournalError(f"request {number} is written, but the daemon did not answer within {PATIENCE:.0f} s")


def _carry_out_here(loaded: Loaded, journal: SqlJournal) -> None:
    """Everything that waits for an answer, as a daemon would do it."""
    waiting = journal.requests()
    for request in waiting:
        if request.action not in ACTIONS:
            journal.answer(request.id, journal.apply(request))
    if all(request.action not in ACTIONS for request in waiting):
        return
    chain_ids = {chain.chain_id for chain in loaded.config.chains.values()}
    live = [intent for chain_id in chain_ids for intent in journal.live(chain_id) if intent.state in LIVE]
    for request in journal.requests():
        if not any(concerns(intent, request.vault) for intent in live):
            journal.answer(request.id, f"{request.vault}: nothing of it is live")
    if journal.requests():
        _settle(loaded.path, journal)


def _settle(path: Path, journal: SqlJournal) -> None:
    """One look at everything live, with the keys: what was asked for is signed and sent, or told why not."""
    from keeper.app.deployment import Deployment
    from keeper.app.dumps import forbid_dumps

    forbid_dumps()
    deployment = Deployment.open(open_config(path), journal, live=True)
    try:
        for loop in deployment.loops:
            for request in journal.requests():
                if (answer := loop.answer(request)) is not None:
                    journal.answer(request.id, answer)
            loop.cycle.settle()
    finally:
        deployment.close()
    for request in journal.requests():
        down = "; ".join(str(error) for error in deployment.down.values())
        journal.answer(request.id, f"not done: {down or 'no vault of that chain is armed'}")
