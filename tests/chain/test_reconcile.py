"""A key's nonces on a real node, against journals that were lost, copied back, or never asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from eth_account import Account

from keeper.app.reconciling import reconcile
from keeper.core.calls import Calls
from keeper.core.sending import State
from keeper.journal.sql import SqlJournal
from tests.builders import CHAIN
from tests.chain.test_submitter import GWEI, KEY, SENDER, World, world
from tests.unit.chain.lives import Ears, new_intent

__all__ = ["world"]


@dataclass
class Desk:
    """A journal on disk, and a way to ask whether it explains the key."""

    world: World
    path: Path

    def journal(self, name: str = "journal") -> SqlJournal:
        return SqlJournal(f"sqlite:///{self.path}/{name}.db")

    def ask(self, journal: SqlJournal, *, adopt: bool = False) -> str:
        """Why the sender is halted after asking."""
        reconcile(self.world.rpc, journal, CHAIN, [SENDER], Ears(), 1, adopt=adopt)
        return journal.halted(SENDER)

    def foreign(self, nonce: int, tip: int = GWEI) -> None:
        """The key signs elsewhere."""
        fields = {
            "chainId": CHAIN, "nonce": nonce, "to": SENDER, "value": 0, "gas": 21_000, "type": 2, "data": b"",
            "maxFeePerGas": 50 * GWEI, "maxPriorityFeePerGas": tip,
        }  # fmt: skip
        raw = bytes(Account.sign_transaction(fields, KEY).raw_transaction)
        self.world.do("eth_sendRawTransaction", "0x" + raw.hex())

    def trade(self, journal: SqlJournal) -> None:
        """One transaction of ours, confirmed and final."""
        self.world.use(journal)
        self.world.send(cycle=0)
        for _ in range(4):
            self.world.mine()
            self.world.submitter.settle()
        assert journal.live(CHAIN) == ()


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    return Desk(world, tmp_path)


def test_start__own_transactions_at_every_stage__explained(desk: Desk) -> None:
    with desk.journal() as journal:
        assert desk.ask(journal) == ""
        desk.trade(journal)
        assert desk.ask(journal) == ""
        desk.world.send(cycle=0)
        assert journal.live(CHAIN)[0].state is State.SENT
        assert desk.ask(journal) == "", "pending, and ours"
        desk.world.mine()
        assert desk.ask(journal) == "", "mined while nobody looked"


@pytest.mark.fault("P21")
def test_start__journal_deleted__halted_until_somebody_adopts(desk: Desk) -> None:
    with desk.journal() as journal:
        desk.trade(journal)
    (desk.path / "journal.db").unlink()
    with desk.journal() as journal:
        assert "has used 1 nonces: a deleted journal" in desk.ask(journal)
        assert desk.ask(journal, adopt=True) == "" == desk.ask(journal)
        desk.trade(journal)
        assert int(desk.world.do("eth_getTransactionCount", SENDER, "latest"), 16) == 2


@pytest.mark.fault("P20")
def test_start__journal_restored_from_an_old_copy__halted(desk: Desk) -> None:
    with desk.journal() as journal:
        desk.trade(journal)
    shutil.copy(desk.path / "journal.db", desk.path / "old.db")
    with desk.journal() as journal:
        desk.trade(journal)
    with desk.journal("old") as journal:
        said = desk.ask(journal)
        assert "accounts for nonces below 1, the chain has used those below 2" in said and "old copy" in said


@pytest.mark.fault("P16")
@pytest.mark.fault("T6")
def test_start__second_keeper_with_its_own_journal__halted_before_it_signs(desk: Desk) -> None:
    with desk.journal() as first, desk.journal("second") as second:
        desk.trade(first)
        assert "key with a past" in desk.ask(second)
        desk.foreign(1)
        desk.world.mine()
        assert "used elsewhere" in desk.ask(first)


@pytest.mark.fault("T23")
def test_start__pending_transaction_of_another_process__halted_and_not_adoptable(desk: Desk) -> None:
    with desk.journal() as journal:
        desk.trade(journal)
        desk.foreign(1)
        assert "pool holds transactions of the sender up to nonce 1" in desk.ask(journal)
        assert "pool holds" in desk.ask(journal, adopt=True), "whether it is mined is not known yet"
        desk.world.mine()
        assert desk.ask(journal, adopt=True) == ""
        desk.trade(journal)


@pytest.mark.fault("S15")
def test_start__key_with_delegated_code__halted_and_never_adopted(desk: Desk) -> None:
    with desk.journal() as journal:
        desk.world.do("anvil_setCode", SENDER, "0xef0100" + "ab" * 20)
        assert "EIP-7702" in desk.ask(journal, adopt=True)
        desk.world.use(journal)
        view = desk.world.view()
        new = new_intent(sender=SENDER, account=SENDER, at=view.block.timestamp, deadline=view.block.timestamp + 60)
        simulation = replace(
            desk.world.simulator.simulate(Calls((desk.world.deposit(),)), view), failure="", gas_limit=100_000
        )
        assert desk.world.submitter.submit(new, view, simulation, 0) is None
