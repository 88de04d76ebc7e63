"""The observer against Anvil: our reader's real bytecode through a state override, and HTTP requests counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import contracts_abi
from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.nodes.sight import NOBODY, native_balance
from keeper.chain.reading.inputs import pack, unpack
from keeper.chain.reading.observer import ChainObserver
from keeper.chain.reading.pins import FeedWant, Pinner, Pins, TokenWant, code_hash
from keeper.chain.reading.views import build_view
from keeper.core.chain import Block, History, Read, VaultView
from keeper.core.errors import TransientError
from keeper.core.units import Address
from keeper.local.anvil import run_anvil
from tests.builders import CHAIN, ETH, NOW, USDC, WETH, address
from tests.unit.chain.reading.test_observer import Now
from tests.unit.chain.worlds import FEEDS, POOL, SENDER, PairedVenue, answers, spec, whole

RUNTIME = bytes.fromhex(contracts_abi.load("reader")["runtime"][2:])
GREEDY = address(0x6EED)


def canned(says: dict[bytes, bytes]) -> str:
    """Code that answers calldata by its first word, and reverts on all else."""
    head, body, tail = b"", b"", b""
    body_at = 40 * len(says) + 3
    tail_at = body_at + 14 * len(says)
    for asked, answer in says.items():
        target = (body_at + len(body)).to_bytes(2, "big")
        offset = (tail_at + len(tail)).to_bytes(2, "big")
        size = len(answer).to_bytes(2, "big")
        # Jump to its answer where the first word of calldata is this one.
        head += b"\x7f" + asked[:32].ljust(32, b"\0") + b"\x5f\x35\x14\x61" + target + b"\x57"
        # The answer: copy it from the end of the code and return it.
        body += b"\x5b\x61" + size + b"\x61" + offset + b"\x5f\x39\x61" + size + b"\x5f\xf3"
        tail += answer
    return "0x" + (head + b"\x5f\x5f\xfd" + body + tail).hex()


def set_balance(rpc: Rpc, read: Read, wei: int) -> None:
    rpc.call("anvil_setBalance", ["0x" + read.data.hex(), hex(wei)], nullable=True)


def furnish(rpc: Rpc, found: dict[Read, bytes | None]) -> None:
    """Puts contracts on the chain that give these answers."""
    contracts: dict[Address, dict[bytes, bytes]] = {}
    for read, answer in found.items():
        if read.to == NOBODY:
            rpc.call(
                "anvil_setBalance", ["0x" + read.data.hex(), hex(int.from_bytes(answer or b"", "big"))], nullable=True
            )
        else:
            contracts.setdefault(read.to, {})[read.data] = answer or b""
    for at, says in contracts.items():
        rpc.call("anvil_setCode", [at, canned(says)], nullable=True)
    rpc.call("anvil_setNonce", [SENDER, "0x5"], nullable=True)
    rpc.call("evm_mine", [])


@pytest.fixture(scope="module")
def rpc() -> Iterator[Rpc]:
    with run_anvil(timestamp=NOW) as anvil:
        rpc = Rpc("local", [anvil.url])
        furnish(rpc, answers())
        rpc.call("anvil_setCode", [GREEDY, "0x5b5f56"], nullable=True)  # for ever: jump to itself
        yield rpc
        rpc.close()


def observer_of(rpc: Rpc, runtime: bytes = RUNTIME) -> ChainObserver:
    def history(vault: str, now: int) -> History:
        return History(seed=11)

    clock = Now(head(rpc).timestamp)
    return ChainObserver(rpc, CHAIN, [spec()], {"paired": PairedVenue()}, history, runtime, clock, 300)


def head(rpc: Rpc) -> Block:
    return parse_block(rpc.call("eth_getBlockByNumber", ["latest", False]), CHAIN)


# --- ticks -----------------------------------------------------------------------------------------------------------


def test_observe__on_anvil__is_one_request_in_a_steady_tick(rpc: Rpc) -> None:
    observer = observer_of(rpc)
    observer.observe(["treasury"])
    for _ in range(5):
        rpc.call("evm_mine", [])
        before = rpc.requests_made
        snapshot = observer.observe(["treasury"])
        assert rpc.requests_made - before == 1
        assert snapshot.block == head(rpc)
        assert snapshot.nonces == {SENDER: 5}


def test_observe__on_anvil__sees_what_is_there(rpc: Rpc) -> None:
    observed = observer_of(rpc).observe(["treasury"]).vaults["treasury"]
    view = observed.view
    assert isinstance(view, VaultView)
    assert view.holdings == {WETH: whole(WETH, "5"), USDC: whole(USDC, "3000")}
    assert (view.native, view.gas_balance) == (whole(ETH, "1.02"), whole(ETH, "0.5"))
    assert view.price(WETH).mid.ratio == 3000
    assert [state.pool for state in view.pools] == [POOL]
    assert observed.answers == answers()
    assert view.tip is not None


def test_observe__without_overrides__sees_the_same_by_hash(rpc: Rpc) -> None:
    packed, plain = observer_of(rpc), observer_of(rpc, runtime=b"")
    assert plain.observe(["treasury"]) == packed.observe(["treasury"])


def test_observe__then_replayed_from_its_inputs__is_the_same_view(rpc: Rpc) -> None:
    snapshot = observer_of(rpc).observe(["treasury"])
    observed = snapshot.vaults["treasury"]
    inputs = unpack(pack(snapshot, observed))
    again = build_view(spec(), inputs.block, inputs.answers, inputs.history, inputs.tip, {"paired": PairedVenue()})
    assert again == observed.view


@pytest.mark.fault("R17")
def test_observe__after_the_chain_went_back__is_refused(rpc: Rpc) -> None:
    observer = observer_of(rpc)
    state = rpc.call("evm_snapshot", [])
    rpc.call("evm_mine", [])
    observer.observe(["treasury"])
    rpc.call("evm_revert", [state])
    with pytest.raises(TransientError, match="head went back"):
        observer.observe(["treasury"])


@pytest.mark.fault("R15")
def test_observe__a_chain_of_another_id__is_refused(rpc: Rpc) -> None:
    observer = ChainObserver(rpc, 1, [spec()], {}, lambda vault, now: History(), RUNTIME, Now(NOW))
    with pytest.raises(TransientError, match=f"chain id: expected 1, was {CHAIN}"):
        observer.observe(["treasury"])


# --- reads -----------------------------------------------------------------------------------------------------------


def test_reader__with_reads_that_fail_in_every_way__says_the_same_packed_and_plain(rpc: Rpc) -> None:
    reads = (
        *answers(),
        Read(WETH.address, b"nothing like it"),  # reverts
        Read(address(0xDEAD), b"\1\2\3\4"),  # no code: empty
        Read(GREEDY, b""),  # burns all its gas
        native_balance(address(0xDEAD)),
        Read(WETH.address, b""),
    )
    block = head(rpc)
    packed = BatchReader(rpc, CHAIN, RUNTIME).fetch(reads, block)
    assert packed == BatchReader(rpc, CHAIN, b"").fetch(reads, block)
    assert packed == answers() | {
        reads[-5]: None, reads[-4]: b"", reads[-3]: None, reads[-2]: bytes(32), reads[-1]: None,
    }  # fmt: skip


def test_reader__after_more_blocks__still_reads_the_block_it_was_given(rpc: Rpc) -> None:
    reader, block, read = BatchReader(rpc, CHAIN, RUNTIME), head(rpc), native_balance(address(0xBA1))
    rpc.call("evm_mine", [])
    set_balance(rpc, read, 7)
    rpc.call("evm_mine", [])
    assert reader.fetch((read,), block) == {read: bytes(32)}
    assert int.from_bytes(reader.fetch((read,), head(rpc))[read] or b"", "big") == 7


@pytest.mark.fault("R21")
def test_reader__of_a_block_that_the_node_does_not_have__is_no_answer(rpc: Rpc) -> None:
    unknown = replace(head(rpc), hash="0x" + "ab" * 32)
    for runtime in (RUNTIME, b""):
        with pytest.raises(TransientError):
            BatchReader(rpc, CHAIN, runtime).fetch(tuple(answers()), unknown)


# --- pins ------------------------------------------------------------------------------------------------------------


def test_pins__on_anvil__are_what_the_contracts_say(rpc: Rpc) -> None:
    pinner = Pinner(rpc, CHAIN, RUNTIME)
    pins = pinner.begin("chain_id")
    assert isinstance(pins, Pins)
    pinner.pin_feeds(pins, [FeedWant("feed", FEEDS[WETH], 8)])
    pinner.pin_tokens(pins, [TokenWant("ghost", address(0xDEAD))])
    assert pins.feed_decimals == {FEEDS[WETH]: 8}
    assert [str(finding) for finding in pins.wrong] == [
        f"ghost: expected a contract at {address(0xDEAD)}, found no code"
    ]


@pytest.mark.fault("R14")
def test_pins__on_another_chain__say_both_ids(rpc: Rpc) -> None:
    assert str(Pinner(rpc, 1, RUNTIME).begin("chain_id")) == f"chain_id: expected 1, found {CHAIN}"


@pytest.mark.fault("M13")
def test_pins__of_a_pool_whose_code_changed__say_so(rpc: Rpc) -> None:
    pinner = Pinner(rpc, CHAIN, RUNTIME)
    code = bytes.fromhex(rpc.call("eth_getCode", [POOL.address, "latest"])[2:])
    pool = replace(POOL, code_hash=code_hash(code))
    assert pinner.look_for_changes([pool, POOL]) == []
    state = rpc.call("evm_snapshot", [])
    rpc.call("anvil_setCode", [POOL.address, "0x00"], nullable=True)
    (finding,) = pinner.look_for_changes([pool])
    assert (finding.expected, finding.found) == (pool.code_hash, code_hash(b"\0"))
    rpc.call("evm_revert", [state])
