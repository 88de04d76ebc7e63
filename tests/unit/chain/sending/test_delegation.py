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
    room.node.code = code
    assert room.submit() is None
    assert said in room.journal.halts[ACCOUNT] and room.events == [f"halt {ACCOUNT}"]


def test_submit__nobody_says_whether_the_key_has_code__not_sent_this_time(room: Room) -> None:
    room.node.code = "maybe"
    assert room.submit() is None
    assert room.events == [] and "expected its code" in room.ears.heard["preflight:treasury"]


@pytest.mark.parametrize(("code", "halted"), [("0x", ""), ("0x60", "contract")])
def test_submit__the_simulation_told_the_code__nobody_is_asked_again(room: Room, code: str, halted: str) -> None:
    room.node.code = "not to be asked"
    assert (room.submit(replace(PLAIN, sender_code=code)) is None) == bool(halted)
    assert halted in room.journal.halts.get(ACCOUNT, "")
    assert [method for method, _ in room.node.asked] == []
