"""A private relay: what is shown to whom, what its answers change, and which key signs for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.chain.nodes.rpc import RpcError, SendAnswer, TransportFault
from keeper.chain.sending.relay import open_authority
from keeper.core.calls import Purpose
from keeper.core.errors import ConfigError
from keeper.core.sending import State
from tests.unit.chain.sending.test_submitter import Room

KEY = "11" * 32


class FakeRelay:
    """Says what it is told to, whatever really happens to the transaction."""

    def __init__(self, events: list[str], says: str | TransportFault = "") -> None:
        self.events, self.says, self.raws = events, says, list[tuple[bytes, int]]()

    def offer(self, raw: bytes, head: int) -> SendAnswer:
        from eth_utils.crypto import keccak

        self.events.append("relay")
        self.raws.append((raw, head))
        if isinstance(self.says, TransportFault):
            return SendAnswer("https://relay", self.says)
        return SendAnswer("https://relay", RpcError(None, self.says) if self.says else "0x" + keccak(raw).hex())


def private_room(says: str | TransportFault = "") -> Room:
    room = Room()
    room.relay = FakeRelay(room.events, says)
    room.restart()
    return room


@pytest.mark.fault("R36")
@pytest.mark.fault("M16")
def test_submit__window_open__shown_to_the_relay_only() -> None:
    room = private_room()
    intent = room.submit()
    assert room.events == ["intend", "sign", "attempt swap MAYBE_SENT", "relay", "SENT"]
    assert intent is not None and room.relay.raws == [(intent.attempts[0].raw, 1_000)]
    room.node.pass_blocks(3)
    room.events.clear()
    assert "relay has it" in room.submitter.settle()["treasury"]
    assert room.events == [], "not in the public pool, and that is as it should be"
    room.node.mine(room.hash())
    assert room.submitter.settle() == {} and room.state is State.CONFIRMED


@pytest.mark.fault("T28")
@pytest.mark.parametrize("says", ["", "FAILED", "UNKNOWN", "nonce too high", "intrinsic gas too low", "already known"])
def test_settle__window_over__the_same_bytes_go_public_whatever_the_relay_says(says: str) -> None:
    room = private_room(says)
    room.submit()
    assert room.state in (State.SENT, State.MAYBE_SENT) and not room.journal.halts, "no proof of anything"
    for _ in range(24):
        room.node.pass_blocks(1)
        room.submitter.settle()
    assert "send" not in room.events
    room.node.pass_blocks(1)
    room.submitter.settle()
    assert room.events[-3:] == ["MAYBE_SENT", "send", "SENT"] or room.events[-2:] == ["send", "SENT"]
    assert room.node.pool == {room.hash(): room.intent.attempts[0].raw}
    assert len(room.intent.attempts) == 1, "one nonce, one signature, one min_out"


@pytest.mark.fault("T28")
def test_settle__relay_silent_until_the_deadline__nonce_kept_until_the_cancel_is_final() -> None:
    room = private_room(TransportFault("https://relay: no answer in time"))
    room.submit()
    room.node.pass_blocks(50)
    room.submitter.settle()
    cancel = room.intent.attempts[-1]
    assert cancel.purpose is Purpose.CANCEL and room.relay.raws[-1][0] == cancel.raw, "the relay hears of it too"
    assert room.node.pool == {cancel.hash: cancel.raw}
    room.node.mine(cancel.hash)
    room.submitter.settle()
    assert room.state is State.CONFIRMED
    room.node.pass_blocks(10)
    room.submitter.settle()
    assert room.state is State.FINAL_CANCELLED and {s["nonce"] for s in room.signer.signed} == {7}


@pytest.mark.fault("T29")
def test_settle__leaked_and_mined_from_the_public_pool__settled_as_the_trade_it_was() -> None:
    room = private_room("FAILED")
    room.submit()
    room.node.mine(room.hash())
    room.submitter.settle()
    assert room.state is State.CONFIRMED and "send" not in room.events
    room.node.reorg()  # the block that held it is an uncle now: everybody has seen it
    room.submitter.settle()
    assert room.state is State.MAYBE_SENT and len(room.intent.attempts) == 1


def test_settle__restarted_within_the_window__still_private() -> None:
    room = private_room()
    room.submit()
    room.restart()
    room.node.pass_blocks(10)
    room.submitter.settle()
    assert "send" not in room.events


# --- its key ---------------------------------------------------------------------------------------------------------


def key_file(path: Path, text: str = KEY, mode: int = 0o600) -> Path:
    file = path / "relay.key"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_authority__signs_the_bodys_hash__as_its_own_address(tmp_path: Path) -> None:
    from eth_account import Account
    from eth_account.messages import encode_defunct
    from eth_utils.crypto import keccak

    address, authorize = open_authority(key_file(tmp_path, "0x" + KEY), "chains.main.relay")
    said, signature = authorize(b'{"id":1}').split(":")
    assert said == address == Account.from_key(KEY).address
    message = encode_defunct(text="0x" + keccak(b'{"id":1}').hex())
    assert Account.recover_message(message, signature=signature) == address


@pytest.mark.fault("S2")
@pytest.mark.fault("C13")
@pytest.mark.parametrize(("text", "mode"), [(KEY, 0o644), ("22" * 31, 0o600), ("zz" * 32, 0o600), ("00" * 32, 0o600)])
def test_authority__no_guarded_key__refused_without_repeating_it(tmp_path: Path, text: str, mode: int) -> None:
    with pytest.raises(ConfigError) as caught:
        open_authority(key_file(tmp_path, text, mode), "chains.main.relay")
    assert text not in str(caught.value)
