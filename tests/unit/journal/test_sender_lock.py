"""One keeper per sender and chain, whatever their journals."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.journal.lock import Busy, SenderLock
from tests.builders import ACCOUNT, address


@pytest.mark.fault("C15")
def test_sender_lock__another_keeper_sends_for_it__then_it_is_refused_by_process(tmp_path: Path) -> None:
    first = SenderLock(tmp_path, 8453, ACCOUNT)
    with pytest.raises(Busy, match=r"sender 0x.* on chain 8453: process \d+ sends for it; expected no other keeper"):
        SenderLock(tmp_path, 8453, ACCOUNT)
    first.release()
    SenderLock(tmp_path, 8453, ACCOUNT).release()


def test_sender_lock__another_chain_or_sender__then_both_may(tmp_path: Path) -> None:
    locks = [SenderLock(tmp_path, 1, ACCOUNT), SenderLock(tmp_path, 10, ACCOUNT), SenderLock(tmp_path, 1, address(7))]
    assert len({lock.path for lock in locks}) == 3
    for lock in locks:
        lock.release()
