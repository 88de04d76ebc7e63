"""A key whose account got code after the keeper had started: it must not sign once more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import ACCOUNT
from tests.unit.chain.sending.test_submitter import PLAIN, Room, room

__all__ = ["room"]


@pytest.mark.fault("S15")
@pytest.mark.parametrize(
    ("code", "said"), [("0xEF0100" + "ab" * 20, "has given its account to the code at 0xabab"), ("0x60", "contract")]
)
def test_submit__key_got_code_since_the_last_look__halted_before_a_nonce_is_used(
    room: Room, code: str, said: str
) -> None:
    assert room.submit(replace(PLAIN, sender_code=code)) is None
    assert said in room.journal.halts[ACCOUNT] and room.events == [f"halt {ACCOUNT}"]
    assert not room.node.asked, "the simulation told it"


def test_submit__nobody_says_whether_the_key_has_code__not_sent_this_time(room: Room) -> None:
    assert room.submit(replace(PLAIN, sender_code=None)) is None
    assert room.events == [] and "no node tells" in room.ears.heard["preflight:treasury"]
