"""A key on another machine: over a real socket, with a signer that lies, and with a whole submitter on a real node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account

from keeper.chain.sending.remote_signer import TRIES, RemoteSigner
from keeper.core.development import ACCOUNTS
from keeper.core.errors import ConfigError, SubmitError
from keeper.core.sending import State
from keeper.core.units import Address
from tests.builders import CHAIN
from tests.chain.fault_server import FaultServer, Reply, sends, serving
from tests.chain.lying_signer import lies, loses, signs
from tests.chain.test_submitter import KEY as NODE_KEY
from tests.chain.test_submitter import SENDER, World, world
from tests.unit.chain.sending.test_signers import ADDRESS, FEE_MARKET, KEY, LEGACY, LOCAL

__all__ = ["world"]

STRANGER = "07" * 32
LIES = lies(KEY, STRANGER)
TIMEOUT = 0.3


def ask(server: FaultServer, transaction: dict[str, Any] = FEE_MARKET, path: str = "") -> bytes:
    signer = RemoteSigner(server.url + path, ADDRESS, LOCAL, timeout=TIMEOUT)
    try:
        return signer.sign(transaction)
    finally:
        signer.close()


@pytest.mark.parametrize("transaction", [FEE_MARKET, LEGACY], ids=["fee_market", "legacy"])
@pytest.mark.parametrize(
    "shape", [lambda text: text, lambda text: {"raw": text, "tx": {"nonce": "0x7"}}], ids=["bare", "with fields"]
)
def test_sign__honest_signer__the_same_bytes_as_a_key_file(transaction: dict[str, Any], shape: Any) -> None:
    with serving(signs(KEY, shape=shape)) as server:
        assert ask(server, transaction) == bytes(Account.sign_transaction(transaction, KEY).raw_transaction)
        (body,) = server.requests
    fields = body["params"][0]
    assert fields["from"] == ADDRESS and fields["chainId"] == hex(31337)
    assert set(fields) == {"from", *transaction} - {"type"}


@pytest.mark.fault("S11")
@pytest.mark.parametrize("lie", LIES)
def test_sign__anything_else__refused_with_a_reason(lie: str) -> None:
    reply, said = LIES[lie]
    with serving(reply) as server, pytest.raises(SubmitError) as caught:
        ask(server)
    assert said in str(caught.value) and ADDRESS in str(caught.value)


def test_sign__signer_that_is_sure_of_itself__is_not_asked_again() -> None:
    for lie in ("refusal", "HTTP 403", "sender", "nonce", "another id"):
        with serving(LIES[lie][0]) as server, pytest.raises(SubmitError):
            ask(server)
        assert len(server.requests) == 1, lie


@pytest.mark.fault("S12")
@pytest.mark.parametrize(
    "lost", [loses(), loses(2 * TIMEOUT), sends(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"), LIES["HTTP 500"][0]]
)
def test_sign__answer_is_lost__asked_again_for_identical_fields(lost: Reply) -> None:
    with serving(lost, lost, signs(KEY)) as server:
        assert ask(server) == bytes(Account.sign_transaction(FEE_MARKET, KEY).raw_transaction)
        assert len(server.requests) == TRIES
        assert all(body == server.requests[0] for body in server.requests)


@pytest.mark.fault("S10")
def test_sign__silent_or_absent__given_up_after_a_few_tries() -> None:
    with serving(loses(2 * TIMEOUT)) as server, pytest.raises(SubmitError, match=r"within 0\.3 s|in time"):
        ask(server)
    assert len(server.requests) == TRIES
    with pytest.raises(SubmitError, match="connection refused"):
        ask(server)


@pytest.mark.fault("S3")
def test_sign__signer_quotes_its_own_url__its_token_stays_hidden() -> None:
    with serving(LIES["refusal"][0]) as server:
        signer = RemoteSigner(server.url + "/v1/SECRETTOKEN", ADDRESS, LOCAL)
        assert "SECRETTOKEN" not in repr(signer)
        server.replies[:] = [signs(KEY, shape=lambda text: f"/v1/SECRETTOKEN {text}")]
        with pytest.raises(SubmitError) as caught:
            signer.sign(FEE_MARKET)
        signer.close()
    assert "SECRETTOKEN" not in str(caught.value)


def test_sign__foreign_chain__refused_before_it_is_asked() -> None:
    with serving(signs(KEY)) as server, pytest.raises(SubmitError, match="chain 1 is not"):
        ask(server, FEE_MARKET | {"chainId": 1})
    assert server.requests == []


@pytest.mark.fault("C18")
def test_remote__public_development_account__only_for_local_chains() -> None:
    (account, *_) = sorted(ACCOUNTS)
    assert RemoteSigner("http://127.0.0.1:9", Address(account), LOCAL).address == account
    with pytest.raises(ConfigError, match=r"public development key, for chain 1$"):
        RemoteSigner("http://127.0.0.1:9", Address(account), frozenset({1}))


# --- with everything behind it ---------------------------------------------------------------------------------------


@pytest.fixture
def signing(world: World) -> Iterator[FaultServer]:
    """The world's submitter, its key behind a socket."""
    with serving(signs(NODE_KEY)) as server:
        remote = RemoteSigner(server.url, SENDER, frozenset({CHAIN}), timeout=TIMEOUT)
        world.submitter._signers = {SENDER: remote}
        yield server
        remote.close()


@pytest.mark.fault("S10")
@pytest.mark.fault("S11")
@pytest.mark.fault("S12")
def test_submit__signer_that_lies_about_everything__nothing_unintended_is_broadcast_and_the_nonce_survives(
    world: World, signing: FaultServer
) -> None:
    signing.replies[:] = [loses()]
    first = world.send()
    assert (first.state, first.attempts) == (State.RESERVED, ())
    for name, (reply, said) in lies(NODE_KEY, STRANGER).items():
        signing.replies[:] = [reply]
        world.mine()
        assert world.settle() is State.RESERVED, name
        assert said in world.ears.heard[f"signer:{SENDER}"], name
        assert SENDER in world.busy, "nobody else uses the key meanwhile"
    assert world.intent.attempts == () and world.intent.nonce == first.nonce
    assert int(world.do("eth_getTransactionCount", SENDER, "pending"), 16) == first.nonce
    assert world.do("txpool_status")["pending"] == "0x0"
    signing.replies[:] = [signs(NODE_KEY)]
    assert world.settle() is State.SENT
    world.mine()
    assert world.settle() is State.CONFIRMED
    assert world.intent.mined is not None and world.intent.mined.status == 1
    assert (world.intent.nonce, len(world.intent.attempts)) == (first.nonce, 1)
    assert int(world.do("eth_getTransactionCount", SENDER, "latest"), 16) == first.nonce + 1


@pytest.mark.fault("S10")
def test_settle__signer_is_away_until_the_deadline__the_nonce_is_given_up_unused(
    world: World, signing: FaultServer
) -> None:
    signing.replies[:] = [loses()]
    first = world.send(seconds=60)
    world.mine(seconds=61)
    assert world.settle() is State.FINAL_CANCELLED
    assert int(world.do("eth_getTransactionCount", SENDER, "pending"), 16) == first.nonce
    signing.replies[:] = [signs(NODE_KEY)]
    assert world.send(cycle=2).nonce == first.nonce, "the next intent takes it"
