"""A journal of a fork and one of a real chain are never taken for each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.core.errors import JournalError
from keeper.journal.sql import SqlJournal


@pytest.mark.parametrize("fork", [True, False])
def test_journal__when_opened_as_what_it_is_not__then_it_is_refused_and_left_to_its_own(
    tmp_path: Path, fork: bool
) -> None:
    url = f"sqlite:///{tmp_path / 'keeper.db'}"
    SqlJournal(url, fork=fork).close()
    expected, found = ("a real chain", "a fork") if fork else ("a fork", "a real chain")
    for _ in range(2):  # the first refusal must not turn it into the other kind, nor keep its lock
        with pytest.raises(JournalError, match=f"expected one of {expected}, found one of {found}"):
            SqlJournal(url, fork=not fork)
    with SqlJournal(url, fork=fork) as journal:
        assert journal.epoch == 4
