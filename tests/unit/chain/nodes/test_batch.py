from typing import Any

import pytest

from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.calls import MAX_BYTES, override_way
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.packed import encode_reads
from keeper.chain.nodes.rpc import RpcError
from keeper.chain.nodes.sight import native_balance
from keeper.core.chain import Block, Read
from keeper.core.errors import TransientError
from tests.builders import ACCOUNT, CHAIN, address
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


@pytest.mark.parametrize("overrides", [True, False])
def test_fetch__with_and_without_overrides__says_the_same(overrides: bool) -> None:
    node = FakeNode(ANSWERS, overrides=overrides)
    reader = reader_of(node)
    assert reader.fetch(tuple(ANSWERS), head_of(node)) == ANSWERS
    assert reader.way == ("reader put there for the call" if overrides else "one by one")


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
def test_fetch__node_fails__is_never_taken_for_a_revert(text: str) -> None:
    refusing = False

    def refuse(method: str, params: list[Any]) -> RpcError | None:
        return RpcError(-32000, text) if refusing and method == "eth_call" else None

    for overrides in (True, False):
        node = FakeNode(ANSWERS, overrides=overrides, refuse=refuse)
        reader, head = reader_of(node), head_of(node)
        refusing = False
        reader.fetch(READS, head)
        refusing = True
        before = node.requests_made
        with pytest.raises(RpcError, match=text):
            reader.fetch(READS, head)
        assert node.requests_made - before <= 8


@pytest.mark.fault("R15")
@pytest.mark.parametrize("overrides", [True, False])
def test_fetch__another_chain__is_refused(overrides: bool) -> None:
    node = FakeNode(ANSWERS, overrides=overrides)
    reader, head = reader_of(node), head_of(node)
    reader.fetch(READS, head)
    node.chain_id = 1
    with pytest.raises(TransientError, match=f"chain id: expected {CHAIN}, was 1"):
        reader.fetch(READS, head)


def test_chunks__many_bytes__are_cut_below_the_limit_in_order() -> None:
    reads = [Read(address(i + 1), b"\x01" * 50_000) for i in range(10)]
    chunks = override_way(RUNTIME).chunks(reads)
    assert [read for chunk in chunks for read in chunk.reads] == reads
    assert [len(encode_reads(chunk.reads)) <= MAX_BYTES for chunk in chunks] == [True] * 4
