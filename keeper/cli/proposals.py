"""What waits for the signatures of a Safe's owners."""

from __future__ import annotations

from pathlib import Path

from keeper.app.facts import proposals_of
from keeper.app.journals import journal_url
from keeper.app.loading import open_config
from keeper.cli.screen import console, print_json
from keeper.core.proposals import Fate
from keeper.journal.reader import JournalReader
from keeper.report.proposals import proposal_record, render_proposals


def proposals(path: Path, *, everything: bool, json: bool) -> None:
    """Those of every vault that should be signed; with `everything` also what became of the latest ones."""
    loaded = open_config(path, need_env=False)
    with JournalReader(journal_url(loaded)) as reader:
        found = [each for vault in loaded.config.vaults for each in proposals_of(loaded, reader.proposals(vault))]
    shown = [each for each in found if everything or each.proposal.fate is Fate.OPEN]
    if json:
        print_json([proposal_record(each) for each in shown])
        return
    render_proposals(shown).show(console())
