"""Follows what is on its way while nothing may be signed: receipts are read and journaled, and that is all.

It holds no key. What needs one (a replacement, a cancel) waits for the keeper that acts, as do people's wishes; only
the bytes of a cancel that was offered before are offered again, where a node has lost them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from keeper.app.chains import open_rpc
from keeper.app.rules import make_fees, make_rules
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.sending.simulate import Simulator
from keeper.chain.sending.submitter import LiveSubmitter
from keeper.chain.sending.wishes import Wishes
from keeper.config import Loaded
from keeper.core.errors import TransientError, Unreachable
from keeper.core.ports import Alert
from keeper.journal.sql import SqlJournal
from keeper.telemetry.logs import logger

AFTER = 10.0
"""{s} Before the first look. What killed the runs before may be what is looked at here: then it must not be met as
often as a supervisor can start us."""
LEAST = 1.0
"""{s} Between two looks, on chains with blocks of less."""


@contextmanager
def following(loaded: Loaded, journal: SqlJournal, alert: Alert, stop: threading.Event) -> Iterator[None]:
    """One thread for each chain on which something is live. At the end each has let go of the journal, unless `stop`
    is set: then nobody else will take it up, and a thread that hangs in a request is not waited for."""
    over = threading.Event()
    config = loaded.config
    names = dict.fromkeys(kept.chain for kept in config.kept.values())
    threads = [
        threading.Thread(target=_follow, args=(loaded, name, journal, alert, over), name=f"{name} waits", daemon=True)
        for name in names
        if journal.live(config.chains[name].chain_id)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=1.0 if stop.is_set() else None)


def _follow(loaded: Loaded, name: str, journal: SqlJournal, alert: Alert, over: threading.Event) -> None:
    pause = max(LEAST, float(loaded.config.chains[name].block_time))
    with closing(open_rpc(loaded, name)) as rpc:
        submitter = make_follower(loaded, name, rpc, journal, alert)
        wait = AFTER
        while not over.wait(wait):
            wait = pause
            try:
                submitter.settle()
            except (TransientError, Unreachable) as error:
                logger("start").warning("not followed", chain=name, text=str(error))
            except Exception as error:  # noqa: BLE001  it may be what killed the runs before: the wait must outlive it
                if not over.is_set():
                    said = f"{name}: what is on its way cannot be followed: {type(error).__name__}: {error}"
                    alert.alert(f"unfollowed:{name}", said)
                return


def make_follower(loaded: Loaded, name: str, rpc: Rpc, journal: SqlJournal, alert: Alert) -> LiveSubmitter:
    """A submitter without a signer, which is not to broadcast either."""
    chain = loaded.config.chains[name]
    return LiveSubmitter(
        rpc,
        journal,
        Simulator(rpc, make_fees(chain), b""),
        {},
        chain.chain_id,
        make_rules(loaded, name),
        finality=chain.finality.depth,
        stop=lambda _vault: "this start waits, as several before it died",
        alert=alert,
        tip_percentile=chain.fees.tip_percentile,
        wishes=Wishes(journal, heard=False),
    )
