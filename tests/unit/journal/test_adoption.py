"""Adoptions by request, and copies of a journal."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from keeper.core.errors import JournalError
from keeper.core.records import Request
from keeper.journal.adoption import Adoption
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from keeper.journal.sqlite_file import back_up
from tests.builders import ACCOUNT, CHAIN, NOW
from tests.unit.journal.situations_journal import cycle, run, wish


def test_adoption__as_text_and_back__is_the_same() -> None:
    adoption = Adoption(8453, ACCOUNT, 17)
    assert Adoption.parse(str(adoption)) == adoption
    for wrong in ("", "0x1", "0x1@1", "0x1@x:3", "@1:2", "0x1@1:-2"):
        with pytest.raises(JournalError, match="expected SENDER@CHAIN_ID:NONCE"):
            Adoption.parse(wrong)


@pytest.mark.fault("P21")
def test_apply__adopt__counts_from_then_on_and_names_who(sql: SqlJournal, reader: JournalReader) -> None:
    assert reader.adopted(CHAIN, ACCOUNT) is None
    said = sql.apply(Request(1, "adopt", str(Adoption(CHAIN, ACCOUNT, 9)), "by hand", "ana", NOW))
    assert said == f"adopted: {ACCOUNT} goes on at nonce 9 on chain {CHAIN}"
    found = reader.adopted(CHAIN, ACCOUNT)
    assert found is not None and (found.next_nonce, found.by, found.reason) == (9, "ana", "by hand")
    run(sql, wish(), 9, 1, NOW + 12)
    assert [intent.nonce for intent in reader.intents_of(CHAIN, ACCOUNT)] == [9]
    with pytest.raises(JournalError, match="expected a nonce > 9 to adopt, found 9"):
        sql.apply(Request(2, "adopt", str(Adoption(CHAIN, ACCOUNT, 9)), "again", "ana", NOW))


@pytest.mark.fault("P20")
def test_back_up__while_the_writer_goes_on__is_a_whole_journal_for_its_owner_only(
    sql: SqlJournal, url: str, tmp_path: Path
) -> None:
    sql.record_cycle(cycle())
    target = tmp_path / "copy.db"
    back_up(url, target)
    sql.record_cycle(cycle(vault="later"))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with JournalReader(f"sqlite:///{target}") as copy:
        assert copy.vaults() == ["treasury"]
    with SqlJournal(f"sqlite:///{target}") as restored:
        assert restored.record_cycle(cycle(vault="other")) > 1
    with pytest.raises(JournalError, match="File exists"):
        back_up(url, target)
    with pytest.raises(JournalError, match="does not exist yet"):
        back_up(f"sqlite:///{tmp_path / 'no.db'}", tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()
