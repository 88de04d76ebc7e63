"""What became of each transaction and each nonce, and a copy of the journal: txs, verify, backup."""

from __future__ import annotations

import sys
from pathlib import Path

from keeper.app.facts import now_of, transactions_of
from keeper.app.journals import journal_url
from keeper.app.loading import open_config
from keeper.cli.screen import console, print_json
from keeper.core.errors import ConfigError, Halted
from keeper.core.sending import LIVE
from keeper.journal.reader import JournalReader
from keeper.report.txs import render_txs, txs_record

RECENT = 20
"""Transactions beside the live ones, unless all are asked for."""


def txs(path: Path, *, everything: bool, json: bool) -> None:
    loaded = open_config(path, need_env=False)
    with JournalReader(journal_url(loaded)) as reader:
        found = transactions_of(reader.transactions())
        now = now_of(loaded, reader)
    if not everything:
        live = [transaction for transaction in found if transaction.intent.state in LIVE]
        ended = [transaction for transaction in found if transaction.intent.state not in LIVE]
        found = (*ended[-RECENT:], *live)
    if json:
        print_json(txs_record(found, now=now))
        return
    option = "" if str(path) == "keeper.yaml" else f" -c {path}"
    commands = [f"keeper {what} NO --reason …{option}" for what in ("speed-up", "cancel")]
    render_txs(found, now=now, next_commands=commands).show(console())


def verify(path: Path, *, everything: bool, json: bool) -> None:
    """Raises Halted where a nonce is not explained."""
    from keeper.app.accounts import verify_senders
    from keeper.report.verify import render_verify, verify_record

    loaded = open_config(path)
    with JournalReader(journal_url(loaded)) as reader:
        senders = list(verify_senders(loaded, reader))
    option = "" if str(path) == "keeper.yaml" else f" -c {path}"
    wrong = {sender.sender: sum(1 for _ in sender.unexplained) for sender in senders if sender.unexplained}
    if json:
        print_json(verify_record(senders))
    else:
        commands = [f"keeper clear {sender} --adopt --reason …{option}" for sender in wrong]
        render_verify(senders, show_all=everything, next_commands=commands).show(console())
    if wrong:
        raise Halted(f"{sum(wrong.values())} nonces are not explained, of {', '.join(wrong)}")


def backup(path: Path, target: Path) -> None:
    from keeper.journal.sqlite_file import back_up

    loaded = open_config(path, need_env=False)
    if loaded.config.journal.url is not None and not journal_url(loaded).startswith("sqlite"):
        raise ConfigError("command", "backup", "a journal in a file", "one in PostgreSQL: use pg_dump")
    back_up(journal_url(loaded), target)
    sys.stdout.write(f"{target}: a copy of the journal, checked; how to restore it: docs/restore.md\n")
