"""`keeper proposals`: what should be signed, and where it is."""

from __future__ import annotations

from dataclasses import replace

from keeper.core.proposals import Fate
from keeper.report.proposals import Written, proposal_record, render_proposals
from tests.unit.app.proposals import SAFE, make_proposal

OPEN = Written(make_proposal(), ("/k/proposals/a.builder.json", "/k/proposals/a.service.json"))


def test_render__nothing_waits__says_so() -> None:
    assert render_proposals([]).plain(200) == "No proposal waits for signatures.\n"


def test_render__one_open_and_one_executed__names_hash_and_files_of_the_open_one_alone() -> None:
    done = Written(replace(make_proposal(2, Fate.EXECUTED, "0x" + "cd" * 32), note="0xfe"), ("/k/b", "/k/c"))
    page = render_proposals([done, OPEN]).plain(200)
    assert "executed" in page and "open" in page
    assert OPEN.proposal.hash in page and done.proposal.hash not in page
    assert "/k/proposals/a.builder.json" in page and "/k/b" not in page
    assert f"Safe {SAFE}, nonce 7" in page and "m of n must sign" in page


def test_record__for_machines__has_times_in_iso_8601() -> None:
    record = proposal_record(OPEN)
    assert (record["state"], record["nonce"], record["safe"]) == ("open", 7, SAFE)
    assert (record["at"], record["deadline"]) == ("2026-09-21T14:13:20Z", "2026-09-22T14:13:20Z")
