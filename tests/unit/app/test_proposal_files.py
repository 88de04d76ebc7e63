"""Proposals as files: whole or not at all, readable by the group, marked when nobody should sign them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from keeper.app.proposal_files import ProposalFiles, safe_tx
from keeper.core.proposals import Fate
from tests.unit.app.proposals import SAFE, make_proposal


def test_write__a_proposal__is_two_files_that_the_group_may_read_and_nobody_else(tmp_path: Path) -> None:
    files, proposal = ProposalFiles(tmp_path / "proposals"), make_proposal()
    files.write(proposal)
    builder, service = files.places(proposal)
    assert (builder.name, service.name) == ("treasury-7-abababab.builder.json", "treasury-7-abababab.service.json")
    assert all(not stat.S_IMODE(place.stat().st_mode) & 0o027 for place in (builder, service))
    assert not stat.S_IMODE(files.directory.stat().st_mode) & 0o027
    assert sorted(files.directory.iterdir()) == [builder, service]
    new = proposal.proposed.new
    payload = json.loads(service.read_text("utf-8"))
    assert (payload["safe"], payload["nonce"], payload["operation"]) == (SAFE, 7, 0)
    assert payload["contractTransactionHash"] == "0x" + safe_tx(new, 7).hash.hex()
    batch = json.loads(builder.read_text("utf-8"))
    assert [call["data"] for call in batch["transactions"]] == ["0x" + b"swap".hex()]
    said = batch["meta"]["description"]
    assert "Why: m of n must sign" in said and "Dead after 2026-09-22 14:13 UTC" in said and "cycle 12" in said


def test_write__what_is_there_already__is_left_alone(tmp_path: Path) -> None:
    files, proposal = ProposalFiles(tmp_path), make_proposal()
    files.write(proposal)
    builder, service = files.places(proposal)
    builder.write_text("signed by somebody", "utf-8")
    service.unlink()
    files.write(proposal)
    assert builder.read_text("utf-8") == "signed by somebody"
    assert service.exists()


@pytest.mark.fault("P17")
def test_write__no_room__raises_and_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    files, proposal = ProposalFiles(tmp_path / "proposals"), make_proposal()
    builder, _ = files.places(proposal)
    files.directory.mkdir()
    (files.directory / f".{builder.name}.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        files.write(proposal)
    assert not builder.exists()


@pytest.mark.parametrize("fate", [Fate.SUPERSEDED, Fate.EXECUTED, Fate.OVERTAKEN, Fate.EXPIRED])
def test_mark__what_nobody_should_sign__says_so_in_its_name(tmp_path: Path, fate: Fate) -> None:
    files, proposal = ProposalFiles(tmp_path), make_proposal()
    files.write(proposal)
    files.mark(proposal, fate)
    files.mark(proposal, fate)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"treasury-7-abababab.builder.json.{fate}",
        f"treasury-7-abababab.service.json.{fate}",
    ]
