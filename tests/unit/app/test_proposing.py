"""Following proposals where a node is silent, or lies in the way of what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keeper.app.proposal_files import ProposalFiles
from keeper.app.proposing import SafeProposer
from keeper.core.errors import TransientError, Unreachable
from keeper.core.proposals import Fate
from keeper.core.records import CycleRecord
from keeper.journal.sql import SqlJournal
from tests.builders import CHAIN, NOW
from tests.unit.app.proposals import make_proposal
from tests.unit.chain.lives import Ears
from tests.unit.chain.sending.test_executions import OTHER, Chain


class Silent:
    """A node that does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    def batch(self, requests: Sequence[Any]) -> list[Any]:
        self.asked += 1
        raise Unreachable("nobody answers")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    with SqlJournal(f"sqlite:///{tmp_path / 'keeper.db'}", now=lambda: NOW) as journal:
        yield journal


def follow(journal: SqlJournal, node: Any, folder: Path, *hashes: str) -> SafeProposer:
    """With an open proposal of each hash, the later ones in place of the earlier."""
    for hash_ in hashes:
        cycle = CycleRecord("treasury", CHAIN, 1_000, "0x" + "00" * 32, NOW, "proposed", "swap", "", "c0", armed=True)
        wanted = make_proposal(hash_=hash_).proposed
        number = journal.record_cycle(cycle)
        journal.propose(replace(wanted, new=replace(wanted.new, cycle=number)), "replaced")
    return SafeProposer(node, journal, CHAIN, 2, ProposalFiles(folder / "proposals"), Ears())


def test_settle__nothing_waits__asks_nobody(journal: SqlJournal, tmp_path: Path) -> None:
    node = Silent()
    assert follow(journal, node, tmp_path).settle() == {}
    assert node.asked == 0


def test_settle__the_node_is_silent__its_vault_waits_and_others_do_not(journal: SqlJournal, tmp_path: Path) -> None:
    proposer = follow(journal, Silent(), tmp_path, OTHER)
    assert proposer.settle() == {"treasury": "what became of its proposal is not known: nobody answers"}
    assert [each.fate for each in journal.waiting(CHAIN)] == [Fate.OPEN]


def test_settle__the_nonce_has_moved_and_logs_cannot_be_had__waits_and_guesses_nothing(
    journal: SqlJournal, tmp_path: Path
) -> None:
    class NoLogs(Chain):
        def call(self, method: str, params: list[Any]) -> Any:
            if method == "eth_getLogs":
                raise TransientError("the node refuses so many logs")
            return super().call(method, params)

    proposer = follow(journal, NoLogs(OTHER), tmp_path, OTHER)
    assert proposer.settle() == {"treasury": "what became of its proposal is not known: the node refuses so many logs"}
    assert len(journal.waiting(CHAIN)) == 1


def test_settle__the_superseded_one_was_executed__counts_once_and_its_heir_is_overtaken(
    journal: SqlJournal, tmp_path: Path
) -> None:
    first, second = "0x" + "ab" * 32, OTHER
    proposer = follow(journal, Chain(first), tmp_path, first, second)
    assert proposer.settle() == {}
    assert journal.waiting(CHAIN) == ()
    (trade,) = journal.history("treasury", NOW).trades
    assert trade.gas_cost.raw == 0
    assert proposer.settle() == {}


def test_settle__executed_but_not_final__waits_and_counts_nothing(journal: SqlJournal, tmp_path: Path) -> None:
    proposer = follow(journal, Chain(OTHER), tmp_path, OTHER)
    proposer.finality = 60
    assert "was used: what for is told once that is final" in proposer.settle()["treasury"]
    assert journal.history("treasury", NOW).trades == ()


def test_withdraw__an_open_one__is_told_and_marked(journal: SqlJournal, tmp_path: Path) -> None:
    proposer = follow(journal, Chain(OTHER), tmp_path, OTHER)
    (waiting,) = journal.waiting(CHAIN)
    proposer.files.write(waiting)
    proposer.withdraw("treasury", "the vault is in band again")
    (waiting,) = journal.waiting(CHAIN)
    assert (waiting.fate, waiting.note) == (Fate.SUPERSEDED, "the vault is in band again")
    assert not any(place.exists() for place in proposer.files.places(waiting))
    assert isinstance(proposer.alert, Ears)
    assert proposer.alert.heard[f"withdrawn:{OTHER}"].startswith(f"treasury: do not sign {OTHER} any more")
