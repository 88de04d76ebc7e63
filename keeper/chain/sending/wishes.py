"""What people ask of a live transaction: to speed it up, or to cancel it. Asked in the journal, answered there.

A wish is carried out once. A signed cancel is not: it stays in the journal, and nothing but cancels follows it.
"""

from __future__ import annotations

from keeper.core.ports import Journal
from keeper.core.records import Request
from keeper.core.sending import LIVE, Intent

SPEED_UP, CANCEL = "speed-up", "cancel"
ACTIONS = (SPEED_UP, CANCEL)


def concerns(intent: Intent, target: str) -> bool:
    """`target` is a vault, the journal's number of an intent, or the hash of one of its attempts."""
    return target in (intent.vault, str(intent.id)) or any(a.hash == target.lower() for a in intent.attempts)


class Wishes:
    """The open wishes of one journal."""

    def __init__(self, journal: Journal, *, heard: bool = True) -> None:
        """Not heard, they stay asked: whoever signs nothing cannot carry them out."""
        self._journal, self._heard = journal, heard

    def of(self, intent: Intent) -> str:
        """speed-up, cancel, or nothing. Whoever wants both wants it cancelled."""
        asked = {request.action for request in self._requests(intent)}
        return next((action for action in (CANCEL, SPEED_UP) if action in asked), "")

    def answer(self, before: Intent, after: Intent, waiting: str) -> None:
        """Says what one look at the intent came to. `waiting` is why it could do no more."""
        for request in self._requests(before):
            self._journal.answer(request.id, told(request.action, before, after, waiting))

    def _requests(self, intent: Intent) -> list[Request]:
        if not self._heard or intent.state not in LIVE:
            return []
        return [r for r in self._journal.requests() if r.action in ACTIONS and concerns(intent, r.vault)]


def told(action: str, before: Intent, after: Intent, waiting: str) -> str:
    what = f"nonce {after.nonce} of {after.vault}"
    if after.mined is not None:
        return f"{what} is mined in block {after.mined.block_number} already"
    if not after.attempts:
        return f"{what} is given up: nothing was signed for it" if after.state not in LIVE else f"{what}: {waiting}"
    latest = after.attempts[-1]
    if len(after.attempts) > len(before.attempts):
        done = "its cancel" if action == CANCEL else "a replacement" if before.attempts else "its transaction"
        return f"{what}: {done} is signed and sent, {latest.hash}, at most {latest.fees.cap / 10**9:g} gwei"
    if action == CANCEL and latest.purpose == CANCEL:
        return f"{what} is being cancelled already, by {latest.hash}"
    return f"{what}: not done: {waiting or 'its bytes were sent again instead'}"
