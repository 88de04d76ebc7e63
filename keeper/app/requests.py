"""What people ask of a running keeper: done here and now, or left to the submitter that follows the transaction."""

from __future__ import annotations

from collections.abc import Collection

from keeper.chain.sending.wishes import ACTIONS, concerns
from keeper.core.errors import JournalError
from keeper.core.records import Request
from keeper.core.sending import LIVE, Intent
from keeper.core.units import Address
from keeper.journal.sql import SqlJournal


def carry_out(
    journal: SqlJournal, signers: Collection[Address], chain_ids: Collection[int], request: Request
) -> str | None:
    """What it did; None where the submitter will say so. A request that this keeper does not know is answered too."""
    try:
        if request.action not in ACTIONS:
            return journal.apply(request)
        found = [i for chain_id in chain_ids for i in journal.live(chain_id) if concerns(i, request.vault)]
        return why_not(request.vault, found, signers)
    except JournalError as error:
        return str(error)


def why_not(target: str, found: Collection[Intent], signers: Collection[Address]) -> str | None:
    """Why a live transaction cannot be sped up or cancelled; None where it can be tried."""
    live = [intent for intent in found if intent.state in LIVE]
    if not live:
        return next((f"{target}: {_ended(intent)}" for intent in found), f"{target}: nothing of it is live")
    if not any(intent.sender in signers for intent in live):
        return f"{target}: no signer for {live[0].sender} is loaded: the keeper that runs is dry"
    return None


def _ended(intent: Intent) -> str:
    block = f" in block {intent.mined.block_number}" if intent.mined else ""
    return f"nonce {intent.nonce} is {intent.state}{block} already"
