from dataclasses import replace
from typing import Any

import pytest

from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.calls import MAX_BYTES, READER, override_way
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.multicall import MULTICALL3
from keeper.chain.nodes.packed import encode_reads
from keeper.chain.nodes.rpc import RpcError
from keeper.chain.nodes.sight import native_balance
from keeper.core.chain import Block, Read
from keeper.core.errors import TransientError
from tests.builders import ACCOUNT, CHAIN, NOW, address
from tests.unit.chain.fake_node import RUNTIME, FakeNode, hash32, words

HEADER = ("eth_getBlockByNumber", ["latest", False])
READS = tuple(Read(address(0xC0DE + i), bytes([i] * (i % 40))) for i in range(30))
ANSWERS = {read: None if i % 7 == 3 else bytes([i]) * i for i, read in enumerate(READS)} | {
    native_balance(ACCOUNT): words(5)
}


def reader_of(node: FakeNode) -> BatchReader:
    return BatchReader(node, CHAIN, RUNTIME)  # type: ignore[arg-type]


def head_of(node: FakeNode) -> Block:
    return parse_block(node.call("eth_getBlockByNumber", ["latest", False]), CHAIN)


DEPLOYED = address(0xDE9)
WAYS: dict[str, dict[str, Any]] = {
    "reader put there for the call": {},
    "deployed reader": {"deployed": DEPLOYED},
    "Multicall3": {"overrides": False, "multicall": True},
    "one by one": {"overrides": False},
}
CALLS = tuple(WAYS)[:3]
"""Those that make one call of many reads."""


def started(way: str, **more: Any) -> tuple[FakeNode, BatchReader]:
    """A node on which this way is the one to take, and it has been taken."""
    node = FakeNode(ANSWERS, **WAYS[way], **more)
    reader = BatchReader(node, CHAIN, RUNTIME, DEPLOYED if node.deployed else None)  # type: ignore[arg-type]
    assert reader.way == way
    return node, reader


def carried(node: FakeNode) -> list[Any]:
    """Where each call was made that carries many reads."""
    many = (READER, DEPLOYED, MULTICALL3)
    return [params[1] for method, params in node.calls if method == "eth_call" and params[0]["to"] in many]


@pytest.mark.parametrize("way", WAYS)
def test_fetch__on_each_way__says_the_same(way: str) -> None:
    node, reader = started(way)
    assert reader.fetch(tuple(ANSWERS), head_of(node)) == ANSWERS
    assert reader.fetch_list(list(ANSWERS), head_of(node)) == list(ANSWERS.values())
    assert reader.fetch_list((), head_of(node)) == []


def test_fetch__pinned__names_the_hash_and_never_a_number() -> None:
    node = FakeNode(ANSWERS)
    reader_of(node).fetch(READS, head_of(node))
    places = [params[1] for method, params in node.calls if method == "eth_call"]
    assert places == [{"blockHash": hash32(1_000)}] * 2


def test_fetch__where_opcodes_speak_of_another_chain__trusts_the_hash_alone() -> None:
    node = FakeNode(ANSWERS, opcodes_lie=True)
    reader = reader_of(node)
    assert reader.fetch(READS, head_of(node)) == {read: ANSWERS[read] for read in READS}
    before = node.requests_made
    reader.settle(reader.ask([HEADER], READS), head_of(node))
    assert [params[1] for method, params in node.calls[-2:] if method == "eth_call"] == [{"blockHash": hash32(1_000)}]
    assert node.requests_made - before == 3


def test_fetch__too_much_gas__halves_until_it_fits() -> None:
    node = FakeNode(ANSWERS, gas_for=4)
    reader = reader_of(node)
    head = head_of(node)
    assert reader.fetch(READS, head) == {read: ANSWERS[read] for read in READS}
    before, calls = node.requests_made, len(node.calls)
    reader.fetch(READS, head)
    # 30 reads, 4 at a time: remembered, and all in one request.
    assert (node.requests_made - before, len(node.calls) - calls) == (1, 8)


def test_fetch__one_read_that_eats_all_gas__fails_alone() -> None:
    greedy = READS[5]

    def refuse(method: str, params: list[Any]) -> RpcError | None:
        is_in = encode_reads([greedy]).hex() in params[0]["data"] if method == "eth_call" else False
        return RpcError(-32000, "out of gas") if is_in else None

    node = FakeNode(ANSWERS, refuse=refuse)
    reader, head = reader_of(node), head_of(node)
    expected = {read: ANSWERS[read] for read in READS} | {greedy: None}
    assert reader.fetch(READS, head) == expected
    before = node.requests_made
    reader.fetch(READS[:5], head)
    assert node.requests_made - before == 1


@pytest.mark.fault("R21")
@pytest.mark.parametrize("text", ["missing trie node", "header not found", "rate limit exceeded", "try later"])
@pytest.mark.parametrize("way", WAYS)
def test_fetch__node_fails__is_never_taken_for_a_revert(way: str, text: str) -> None:
    node, reader = started(way)
    head = head_of(node)
    reader.fetch(READS, head)
    node.refuse = lambda method, params: RpcError(-32000, text) if method == "eth_call" else None
    before = node.requests_made
    with pytest.raises(RpcError, match=text):
        reader.fetch(READS, head)
    assert node.requests_made - before <= 8


# --- the right block -------------------------------------------------------------------------------------------------


@pytest.mark.fault("R15")
@pytest.mark.parametrize("way", WAYS)
def test_fetch__another_chain__is_refused(way: str) -> None:
    node, reader = started(way)
    head = head_of(node)
    reader.fetch(READS, head)
    node.chain_id = 1
    with pytest.raises(TransientError, match=f"chain id: expected {CHAIN}, was 1"):
        reader.fetch(READS, head)


@pytest.mark.fault("R17")
@pytest.mark.parametrize("way", CALLS)
def test_fetch__by_hash_and_told_of_another_block__is_refused(way: str) -> None:
    node, reader = started(way)
    head = head_of(node)
    node.opcodes_lie = True
    with pytest.raises(TransientError, match=r"block by hash: expected 1000, was 1001"):
        reader.fetch(READS, head)


@pytest.mark.fault("R18")
@pytest.mark.parametrize("way", CALLS)
@pytest.mark.parametrize("change", [{"sees": 1_001}, {"header": {"timestamp": hex(NOW - 12)}}])
def test_settle__of_a_call_that_ran_in_another_block__asks_again_by_hash(way: str, change: dict[str, Any]) -> None:
    """The next block, or another one of the same parent, which only its time tells."""
    node, reader = started(way)
    for name, value in change.items():
        setattr(node, name, value)
    asked = reader.ask([HEADER], READS)
    block = parse_block(asked.beside[0], CHAIN)
    node.timestamp = block.timestamp
    node.calls.clear()
    assert reader.settle(asked, block) == [ANSWERS[read] for read in READS]
    assert carried(node) == [{"blockHash": hash32(1_000)}]


@pytest.mark.fault("R18")
@pytest.mark.parametrize("way", CALLS)
def test_settle__of_several_calls_of_which_one_saw_another_block__asks_again_for_that_one(way: str) -> None:
    node, reader = started(way)
    many = tuple(ANSWERS) * 110  # more than one call of any way holds

    def blocks_go_on(method: str, params: list[Any]) -> None:
        node.sees = 1_001 if len(carried(node)) == 2 else None

    node.calls.clear()
    node.refuse = blocks_go_on
    asked = reader.ask([HEADER], many)
    at_head = carried(node)
    assert at_head == ["latest"] * len(asked.chunks)
    assert len(at_head) >= 2
    assert reader.settle(asked, parse_block(asked.beside[0], CHAIN)) == [ANSWERS[read] for read in many]
    assert carried(node)[len(at_head) :] == [{"blockHash": hash32(1_000)}]


@pytest.mark.fault("R10")
@pytest.mark.parametrize("said", ["0x", "0x1234", "no bytes", None, 7, [], {"data": "0x"}])
@pytest.mark.parametrize("way", CALLS)
def test_settle__of_what_is_no_answer__is_refused(way: str, said: Any) -> None:
    node, reader = started(way)
    head = head_of(node)
    asked = replace(reader.ask([], READS), said=[said])
    with pytest.raises(TransientError, match=way if said not in ("0x", "0x1234") else "answer"):
        reader.settle(asked, head)


# --- gas -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", CALLS[:2])
def test_fetch__the_reader_runs_short_of_gas__asks_again_for_the_rest(way: str) -> None:
    node, reader = started(way)
    node.ends_after = 12
    head = head_of(node)
    before = node.requests_made
    assert reader.fetch_list(READS, head) == [ANSWERS[read] for read in READS]
    assert node.requests_made - before == 3


@pytest.mark.parametrize("way", CALLS[:2])
def test_fetch__no_gas_for_a_single_read__is_an_error_and_no_failure_of_the_read(way: str) -> None:
    node, reader = started(way)
    node.ends_after = 0
    with pytest.raises(TransientError, match=f"{way}: expected gas for one read, found less"):
        reader.fetch_list(READS, head_of(node))
    assert reader.way == "one by one"  # probed again
    assert reader.fetch_list(READS, head_of(node)) == [ANSWERS[read] for read in READS]


def test_fetch__through_multicall_that_starves_its_last_calls__looks_at_them_one_by_one() -> None:
    node, reader = started("Multicall3")
    node.starves_after = 20
    head = head_of(node)
    assert reader.fetch_list(READS, head) == [ANSWERS[read] for read in READS]
    node.calls.clear()
    assert reader.fetch_list(READS, head) == [ANSWERS[read] for read in READS]
    assert len(carried(node)) == 2, "the next time they are two calls, which do not run short"


# --- calls -----------------------------------------------------------------------------------------------------------


def test_fetch__the_same_reads_again__writes_no_calldata_anew() -> None:
    node, reader = started(CALLS[0])
    head = head_of(node)
    first = reader.ask([], READS).chunks[0]
    assert reader.ask([], READS).chunks[0] is first
    assert reader.ask([], tuple(READS)).chunks[0] is first
    assert reader.ask([], list(READS)).chunks[0] is first
    assert reader.ask([], READS[1:]).chunks[0] is not first
    assert reader.settle(reader.ask([], READS), head) == [ANSWERS[read] for read in READS]


def test_fetch__other_reads_at_the_end__leaves_the_calls_before_them_as_they_were() -> None:
    _, reader = started(CALLS[0])
    many = READS * 100
    first = reader.ask([], (*many, READS[0])).chunks
    second = reader.ask([], (*many, READS[1])).chunks
    assert [one is other for one, other in zip(first, second, strict=True)] == [True, False]
    assert second[1].reads == (*many[len(first[0].reads) :], READS[1])


def test_ask__more_than_a_request_may_hold__sends_several_at_once() -> None:
    reads = tuple(Read(address(i + 1), b"\x01" * 50_000) for i in range(30))
    node = FakeNode(dict.fromkeys(reads, b"x"))
    reader = reader_of(node)
    head = head_of(node)
    assert reader.way == CALLS[0]
    before = node.requests_made
    asked = reader.ask([HEADER], reads)
    assert len(asked.said) == len(asked.chunks) == 10
    assert reader.settle(asked, head) == [b"x"] * 30
    assert node.requests_made - before == 4
    assert reader.fetch_list(reads, head) == [b"x"] * 30
    assert node.requests_made - before == 8


def test_chunks__many_bytes__are_cut_below_the_limit_in_order() -> None:
    reads = [Read(address(i + 1), b"\x01" * 50_000) for i in range(10)]
    chunks = override_way(RUNTIME).chunks(reads)
    assert [read for chunk in chunks for read in chunk.reads] == reads
    assert [len(encode_reads(chunk.reads)) <= MAX_BYTES for chunk in chunks] == [True] * 4
