"""Before a sender signs, and hourly: every nonce it ever used is explained, or it halts."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

from keeper.chain.nodes.rpc import Rpc
from keeper.chain.sending.reconcile import MARK, examine, fetch_senders, ledger_of
from keeper.core.ports import Alert
from keeper.core.units import Address
from keeper.journal.sql import SqlJournal


def reconcile(
    rpc: Rpc, journal: SqlJournal, chain_id: int, senders: Sequence[Address], alert: Alert, now: int, *, adopt: bool
) -> None:
    """Halts each sender whose nonces, or whose code, nobody can explain.

    With `adopt` a person answers for nonces that were used and are no intent of ours, and a halt that asked for this
    is over. Raises TransientError or Unreachable where the chain does not tell.
    """
    for sender, found in fetch_senders(rpc, senders).items():
        ledger = ledger_of(journal.following(chain_id, sender), journal.live(chain_id), sender)
        doubt = examine(ledger, found)
        if adopt and doubt is not None and doubt.adoptable:
            journal.adopt(chain_id, sender, found.next_nonce, getpass.getuser(), doubt.reason)
            doubt = None
        if doubt is not None:
            journal.halt(sender, doubt.reason, now)
            alert.alert(f"halt:{sender}", f"{sender} is halted: {doubt.reason}")
        elif adopt and journal.halted(sender).startswith(MARK):
            journal.clear(sender, getpass.getuser(), "started with --adopt")
