"""What can be asked of a running keeper, and that nothing else can."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.app.requests import carry_out
from keeper.chain.sending.wishes import ACTIONS
from keeper.core.records import Request
from keeper.journal.rules import APPLICABLE
from keeper.journal.sql import SqlJournal
from tests.builders import ACCOUNT, CHAIN, NOW


@pytest.mark.fault("S19")
def test_requests__all_that_there_are__stop_or_finish_and_none_begins_a_trade() -> None:
    assert {*APPLICABLE, *ACTIONS} == {"pause", "resume", "halt", "drain", "clear", "adopt", "speed-up", "cancel"}


@pytest.mark.fault("S19")
@pytest.mark.parametrize("action", ["trade", "sign", "withdraw", "config", "", "PAUSE"])
def test_carry_out__forged_action__refused_and_answered(tmp_path: Path, action: str) -> None:
    with SqlJournal(f"sqlite:///{tmp_path / 'keeper.db'}") as journal:
        said = carry_out(journal, {ACCOUNT}, [CHAIN], Request(1, action, "treasury", "", "mallory", NOW))
        assert said is not None and "expected one of pause" in said
        assert journal.live(CHAIN) == () and journal.paused("treasury") is None and journal.halted("treasury") == ""


@pytest.mark.fault("S19")
@pytest.mark.parametrize("action", ["speed-up", "cancel"])
def test_carry_out__wish_for_what_is_not_live__refused(tmp_path: Path, action: str) -> None:
    with SqlJournal(f"sqlite:///{tmp_path / 'keeper.db'}") as journal:
        said = carry_out(journal, {ACCOUNT}, [CHAIN], Request(1, action, "treasury", "", "mallory", NOW))
        assert said == "treasury: nothing of it is live"
