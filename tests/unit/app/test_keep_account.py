"""What is noted of a vault that keeps a peg, beside its decisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from keeper.app.telling import keep_account
from keeper.core.chain import Unusable
from keeper.core.decision import Decision
from keeper.core.plan import Hold
from keeper.cycle import Turn
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import usd
from tests.unit.journal.situations_journal import cycle
from tests.unit.strategies.peg_rides import warm


def test_keep_account__of_a_peg__samples_all_that_the_vault_holds(tmp_path: Path) -> None:
    ride = warm()
    plan, view = ride.look(), ride.view()
    assert isinstance(plan, Hold)
    record = replace(cycle(code=plan.code, at=ride.now), vault=view.vault)
    url = f"sqlite:///{tmp_path / 'keeper.db'}"
    with SqlJournal(url) as journal:
        keep_account(journal)(Turn(1, record, Decision(view.vault, view, plan)))
        ride.usdc = Unusable("stale")
        keep_account(journal)(Turn(2, record, Decision("blind", replace(ride.view(), vault="blind"), plan)))
    with JournalReader(url) as reader:
        (sample,) = reader.samples(view.vault)
        assert reader.samples("blind") == []
    assert {token.symbol for token in sample.prices} == {"DUSD", "USDC"}
    assert sample.value == usd(2_000_000)
    assert sample.weights == {}
