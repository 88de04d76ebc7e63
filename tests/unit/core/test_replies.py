from __future__ import annotations

import pytest

from keeper.core.replies import MOST, Reverted, TooLarge, kept, parse_reply


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x01" * MOST])
def test_reply__as_it_was_kept__comes_back(data: bytes) -> None:
    assert parse_reply(kept(data, reverted=False)) == data
    assert parse_reply(kept(data, reverted=True)) == Reverted(data)


@pytest.mark.parametrize("reverted", [False, True])
def test_reply__larger_than_is_believed__is_cut_and_told(reverted: bool) -> None:
    answer = kept(b"\xff" * (10 * MOST), reverted=reverted)
    assert len(answer) == MOST + 2
    assert parse_reply(answer) == TooLarge()
