"""Proposals for people: `keeper proposals`, and what `explain` says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from keeper.core.foreign import printable
from keeper.core.proposals import Fate
from keeper.core.records import Proposal
from keeper.report import format as form
from keeper.report.page import DIM, GOOD, STRONG, WARN, Page, styled

HEADER = ("vault", "Safe nonce", "state", "proposed", "dead after", "what")
_STYLES = {Fate.OPEN: WARN, Fate.EXECUTED: GOOD}


@dataclass(frozen=True, slots=True)
class Written:
    """A proposal, and the files in which people find it: for the Transaction Builder, and for the service."""

    proposal: Proposal
    files: tuple[str, ...]


def render_proposals(found: Sequence[Written]) -> Page:
    """A table, and below it the hash and the files of each that should be signed."""
    page = Page()
    if not found:
        page.add("No proposal waits for signatures.")
        return page
    page.table([_row(written.proposal) for written in found], "lrllll", HEADER, drop=(3,))
    for written in found:
        if written.proposal.fate is Fate.OPEN:
            page.blank()
            show_proposal(page, written)
    return page


def _row(proposal: Proposal) -> list[Text]:
    new = proposal.proposed.new
    return [
        styled((proposal.vault, STRONG)),
        Text(str(proposal.proposed.nonce)),
        styled((str(proposal.fate), _STYLES.get(proposal.fate, DIM))),
        Text(form.moment(new.at)),
        Text(form.moment(new.deadline)),
        Text(printable(new.call.text)),
    ]


def show_proposal(page: Page, written: Written) -> None:
    """What its owners need to sign it, and what became of it."""
    proposal = written.proposal
    page.label("sign", proposal.hash, width=11)
    page.label("of", f"Safe {proposal.proposed.new.account}, nonce {proposal.proposed.nonce}", width=11)
    page.label("why", printable(proposal.proposed.new.asks), width=11)
    if proposal.fate is Fate.OPEN:
        for index, file in enumerate(written.files):
            page.label("" if index else "files", file, width=11)
        return
    note = f": {printable(proposal.note)}" if proposal.note else ""
    page.label("now", f"{proposal.fate}{note}", width=11)


def proposal_record(written: Written) -> dict[str, Any]:
    """The same for machines: times as ISO 8601."""
    proposal, new = written.proposal, written.proposal.proposed.new
    return {
        "vault": proposal.vault,
        "chain_id": new.chain_id,
        "safe": new.account,
        "nonce": proposal.proposed.nonce,
        "hash": proposal.hash,
        "state": str(proposal.fate),
        "note": proposal.note,
        "why": new.asks,
        "what": new.call.text,
        "cycle": new.cycle,
        "at": form.utc(new.at),
        "deadline": form.utc(new.deadline),
        "files": list(written.files),
    }
