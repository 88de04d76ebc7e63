from dataclasses import replace
from typing import Any

import pytest

from keeper.chain.nodes.calls import MAX_ITEMS
from keeper.chain.nodes.rpc import RpcError
from keeper.chain.reading.chainlink import LATEST_ROUND
from keeper.chain.reading.observer import ChainObserver
from keeper.chain.reading.views import VaultSpec, balance_of, build_view
from keeper.core.chain import History, Read, Unusable, VaultView
from keeper.core.errors import TransientError
from keeper.core.replies import Reverted, parse_reply
from tests.builders import CHAIN, NOW, WETH, address, token
from tests.unit.chain.fake_node import RUNTIME, FakeNode, hash32, words
from tests.unit.chain.worlds import FEEDS, POOL, RESERVES, SENDER, PairedVenue, answers, spec, whole

OTHER = address(0x07E4)


class Now:
    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def now(self) -> int:
        return self.seconds


def observer_of(
    node: FakeNode,
    *specs: VaultSpec,
    venue: PairedVenue | None = None,
    clock: int = NOW + 2,
    max_head_age: int | None = 60,
) -> ChainObserver:
    def history(vault: str, now: int) -> History:
        return History(seed=now + len(vault))

    venues = {"paired": venue or PairedVenue()}
    return ChainObserver(
        node,  # type: ignore[arg-type]
        CHAIN,
        specs or (spec(),),
        venues,
        history,
        RUNTIME,
        Now(clock),
        max_head_age,
    )


def test_observe__a_steady_tick__is_one_request_at_one_block() -> None:
    node = FakeNode(answers(), nonces={SENDER: "0x5"})
    observer = observer_of(node)
    observer.observe(["treasury"])
    before = node.requests_made
    snapshot = observer.observe(["treasury"])
    assert node.requests_made - before == 1
    assert (snapshot.block.number, snapshot.block.hash, snapshot.nonces) == (1_000, hash32(1_000), {SENDER: 5})
    view = snapshot.vaults["treasury"].view
    assert isinstance(view, VaultView)
    assert view.holdings[WETH] == whole(WETH, "5")
    assert (view.tip, view.history.seed) == (2, NOW + 8)


def test_observe__again_from_the_kept_answers__gives_the_same_view() -> None:
    snapshot = observer_of(FakeNode(answers())).observe(["treasury"])
    observed = snapshot.vaults["treasury"]
    assert isinstance(observed.view, VaultView)
    assert observed.answers == answers()
    again = build_view(
        spec(), snapshot.block, observed.answers, observed.view.history, observed.view.tip, {"paired": PairedVenue()}
    )
    assert again == observed.view


@pytest.mark.parametrize(("answer", "reply"), [(b"\x01", b"\x01"), (None, None)])
def test_observe__direct_reads__one_more_request_at_the_same_block(answer: bytes | None, reply: bytes | None) -> None:
    asked = Read(address(0xC0FFEE), b"\x6e\x04\xff\x0d")
    specs = [replace(spec(name), direct=(asked,)) for name in ("treasury", "counter")]
    node = FakeNode(answers() | {asked: answer})
    observer = observer_of(node, *specs)
    observer.observe(["treasury", "counter"])
    node.requests_made, node.calls[:] = 0, []
    snapshot = observer.observe(["treasury", "counter"])
    assert node.requests_made == 2
    assert [params[1] for method, params in node.calls if params[0] == node.calls[-1][1][0]] == [
        {"blockHash": snapshot.block.hash}
    ]
    for name in ("treasury", "counter"):
        view = snapshot.vaults[name].view
        assert isinstance(view, VaultView)
        found = parse_reply(view.extra[asked] or b"")
        assert isinstance(found, Reverted) if reply is None else found == reply
        assert asked in snapshot.vaults[name].answers


def test_observe__two_vaults_with_one_pool__reads_and_decodes_it_once() -> None:
    venue = PairedVenue()
    node = FakeNode(answers() | answers(OTHER))
    observer = observer_of(node, spec(), spec("other", OTHER), venue=venue)
    snapshot = observer.observe(["treasury", "other"])
    assert venue.decoded == 1
    packed = [params[0]["data"] for method, params in node.calls if method == "eth_call"][-1]
    assert packed.count(RESERVES.data.hex()) == 1
    assert snapshot.vaults["other"].answers == answers(OTHER)


def test_observe__only_the_due__reads_nothing_of_the_others() -> None:
    node = FakeNode(answers() | answers(OTHER))
    snapshot = observer_of(node, spec(), spec("other", OTHER)).observe(["other"])
    assert list(snapshot.vaults) == ["other"]
    assert not any(balance_of(WETH, spec().account).data.hex() in str(params) for _, params in node.calls)


@pytest.mark.fault("R12")
def test_observe__one_vault_unreadable__leaves_the_other_alone() -> None:
    node = FakeNode(answers() | answers(OTHER) | {balance_of(WETH, OTHER): None})
    snapshot = observer_of(node, spec(), spec("other", OTHER)).observe(["treasury", "other"])
    assert isinstance(snapshot.vaults["treasury"].view, VaultView)
    assert snapshot.vaults["other"].view == Unusable(f"WETH balance of {OTHER} cannot be read")


# --- one block -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("R18")
def test_observe__the_call_saw_another_block__is_read_again_by_hash() -> None:
    node = FakeNode(answers())
    observer = observer_of(node)
    observer.observe(["treasury"])
    node.sees = 997
    before = node.requests_made
    snapshot = observer.observe(["treasury"])
    assert node.requests_made - before == 2
    assert node.calls[-1][1][1] == {"blockHash": hash32(1_000)}
    assert isinstance(snapshot.vaults["treasury"].view, VaultView)


@pytest.mark.fault("R17")
def test_observe__the_head_goes_back__is_refused_until_it_is_back() -> None:
    node = FakeNode(answers())
    observer = observer_of(node)
    observer.observe(["treasury"])
    node.number = 999
    with pytest.raises(TransientError, match="head went back: expected at least 1000, was 999"):
        observer.observe(["treasury"])
    node.number = 1_001
    assert observer.observe(["treasury"]).block.number == 1_001


@pytest.mark.fault("R16")
@pytest.mark.parametrize(
    ("clock", "reason"), [(NOW + 61, "head is 61 s old, allowed 60 s"), (NOW - 121, "head is 121 s ahead")]
)
def test_observe__a_head_of_another_time__is_refused(clock: int, reason: str) -> None:
    with pytest.raises(TransientError, match=reason):
        observer_of(FakeNode(answers()), clock=clock).observe(["treasury"])


def test_observe__without_a_limit__takes_a_head_of_any_age() -> None:
    node = FakeNode(answers())
    assert observer_of(node, clock=NOW + 10**6, max_head_age=None).observe(["treasury"]).block.number == 1_000


@pytest.mark.fault("R15")
def test_observe__another_chain_answers__is_refused() -> None:
    node = FakeNode(answers())
    observer = observer_of(node)
    observer.observe(["treasury"])
    node.chain_id = 8453
    with pytest.raises(TransientError, match=f"chain id: expected {CHAIN}, was 8453"):
        observer.observe(["treasury"])


@pytest.mark.fault("R12")
@pytest.mark.parametrize("nonce", [None, "", "0xzz", RpcError(None, "eth_getTransactionCount: result was null")])
def test_observe__without_a_nonce__is_refused(nonce: Any) -> None:
    with pytest.raises(TransientError):
        observer_of(FakeNode(answers(), nonces={SENDER: nonce})).observe(["treasury"])


@pytest.mark.fault("R27")
@pytest.mark.parametrize("fees", [RpcError(-32601, "no such method"), None, {"reward": None}])
def test_observe__without_fee_history__has_no_tip_but_a_view(fees: Any) -> None:
    view = observer_of(FakeNode(answers(), fees=fees)).observe(["treasury"]).vaults["treasury"].view
    assert isinstance(view, VaultView)
    assert view.tip is None


def test_observe__on_a_legacy_chain__has_neither_base_fee_nor_tip() -> None:
    snapshot = observer_of(FakeNode(answers(), header={"baseFeePerGas": None})).observe(["treasury"])
    view = snapshot.vaults["treasury"].view
    assert isinstance(view, VaultView)
    assert (snapshot.block.base_fee, view.tip) == (None, None)


# --- nodes that offer less -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"overrides": False}, {"opcodes_lie": True}])
def test_observe__where_latest_cannot_be_checked__asks_by_hash(limits: dict[str, Any]) -> None:
    node = FakeNode(answers(), **limits)
    observer = observer_of(node)
    observer.observe(["treasury"])
    before = len(node.calls)
    snapshot = observer.observe(["treasury"])
    assert isinstance(snapshot.vaults["treasury"].view, VaultView)
    calls = [params for method, params in node.calls[before:] if method == "eth_call"]
    assert calls
    assert all(params[1] == {"blockHash": hash32(1_000)} for params in calls)


def test_observe__more_than_one_chunk__is_still_one_request_and_each_proves_its_block() -> None:
    coins = tuple(token(f"T{i}") for i in range(MAX_ITEMS))
    more = {balance_of(coin, spec().account): words(i) for i, coin in enumerate(coins)}
    node = FakeNode(answers() | more)
    observer = observer_of(node, spec(tokens=(*spec().tokens, *coins), spenders=()))
    observer.observe(["treasury"])
    before, calls = node.requests_made, len(node.calls)
    view = observer.observe(["treasury"]).vaults["treasury"].view
    assert node.requests_made - before == 1
    assert [params[1] for method, params in node.calls[calls:] if method == "eth_call"] == ["latest"] * 2
    assert isinstance(view, VaultView)
    assert [view.balances[coin].raw for coin in coins] == list(range(MAX_ITEMS))


# --- follow-ups ------------------------------------------------------------------------------------------------------


def test_observe__a_pool_that_needs_more__gets_it_at_the_same_block_and_later_at_once() -> None:
    more = (Read(POOL.address, b"bitmap"), Read(POOL.address, b"ticks"))
    node = FakeNode(answers() | dict.fromkeys(more, words(1)))
    observer = observer_of(node, venue=PairedVenue(more))
    observed = observer.observe(["treasury"]).vaults["treasury"]
    assert isinstance(observed.view, VaultView)
    assert [state.pool for state in observed.view.pools] == [POOL]
    assert set(more) <= set(observed.answers)
    before = node.requests_made
    observer.observe(["treasury"])
    assert node.requests_made - before == 1


def test_observe__a_pool_that_never_has_enough__is_left_out() -> None:
    more = tuple(Read(POOL.address, bytes([i])) for i in range(5))
    view = observer_of(FakeNode(answers()), venue=PairedVenue(more)).observe(["treasury"]).vaults["treasury"].view
    assert isinstance(view, VaultView)
    assert view.left_out == ((POOL, "needs 1 more reads than one tick allows"),)


@pytest.mark.fault("M1")
def test_observe__a_stale_price__keeps_the_view_and_says_why() -> None:
    stale = answers() | {Read(FEEDS[WETH], LATEST_ROUND): words(1, 3000 * 10**8, NOW - 9_000, NOW - 9_000, 1)}
    view = observer_of(FakeNode(stale)).observe(["treasury"]).vaults["treasury"].view
    assert isinstance(view, VaultView)
    assert view.unusable() == ["WETH: chainlink WETH/USD: 9000 s old, allowed 3900 s"]
