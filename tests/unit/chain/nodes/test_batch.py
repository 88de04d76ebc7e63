from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.batch import (
    MAX_BYTES,
    BatchReader,
    Sight,
    decode_found,
    encode_reads,
    is_revert,
    is_too_much,
    native_balance,
)
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.rpc import RpcError
from keeper.core.chain import Block, Read
from keeper.core.errors import TransientError
from tests.builders import ACCOUNT, CHAIN, address
from tests.unit.chain.fake_node import RUNTIME, FakeNode, hash32, words

READS = tuple(Read(address(0xC0DE + i), bytes([i] * (i % 40))) for i in range(30))
ANSWERS = {read: None if i % 7 == 3 else bytes([i]) * i for i, read in enumerate(READS)} | {
    native_balance(ACCOUNT): words(5)
}


def reader_of(node: FakeNode) -> BatchReader:
    return BatchReader(node, CHAIN, RUNTIME)  # type: ignore[arg-type]


def head_of(node: FakeNode) -> Block:
    return parse_block(node.call("eth_getBlockByNumber", ["latest", False]), CHAIN)


def test_encode__a_read_and_a_native_balance__is_target_length_calldata() -> None:
    read = Read(address(0xABCD), b"\x01\x02")
    assert encode_reads([read, native_balance(ACCOUNT)]).hex() == (
        "000000000000000000000000000000000000abcd" + "000002" + "0102" + "00" * 20 + "000014" + ACCOUNT[2:].lower()
    )


@given(st.lists(st.one_of(st.none(), st.binary(max_size=300)), max_size=20))
def test_decode__any_answers__gives_them_back(answers: list[bytes | None]) -> None:
    reads = [Read(address(i + 1), b"") for i in range(len(answers))]
    items = [(b"\0" if a is None else b"\1") + len(a or b"").to_bytes(3, "big") + (a or b"") for a in answers]
    sight, found = decode_found(words(7, 6, CHAIN) + b"".join(items), reads)
    assert sight == Sight(7, hash32(6), CHAIN)
    assert [found[read] for read in reads] == answers


@pytest.mark.fault("R10")
@pytest.mark.parametrize("cut", [1, 4, 33, 99])
def test_decode__cut_short__is_refused(cut: int) -> None:
    output = words(7, 6, CHAIN) + b"\1\0\0\2ab"
    with pytest.raises(TransientError, match="packed answer"):
        decode_found(output[:-cut], [Read(ACCOUNT, b"")])


def test_decode__bytes_left_over__is_refused() -> None:
    with pytest.raises(TransientError, match="expected 96 bytes, found 97"):
        decode_found(words(7, 6, CHAIN) + b"\0", [])


@pytest.mark.parametrize("overrides", [True, False])
def test_fetch__with_and_without_overrides__says_the_same(overrides: bool) -> None:
    node = FakeNode(ANSWERS, overrides=overrides)
    reader = reader_of(node)
    assert reader.fetch(tuple(ANSWERS), head_of(node)) == ANSWERS
    assert reader.can_read_at_latest is overrides


def test_fetch__pinned__names_the_hash_and_never_a_number() -> None:
    node = FakeNode(ANSWERS)
    reader_of(node).fetch(READS, head_of(node))
    places = [params[1] for method, params in node.calls if method == "eth_call"]
    assert places == [{"blockHash": hash32(1_000)}] * 2


def test_fetch__where_opcodes_speak_of_another_chain__trusts_the_hash_alone() -> None:
    node = FakeNode(ANSWERS, opcodes_lie=True)
    reader = reader_of(node)
    assert reader.fetch(READS, head_of(node)) == {read: ANSWERS[read] for read in READS}
    assert not reader.can_read_at_latest


def test_fetch__too_much_gas__halves_until_it_fits() -> None:
    node = FakeNode(ANSWERS, gas_for=4)
    reader = reader_of(node)
    head = head_of(node)
    assert reader.fetch(READS, head) == {read: ANSWERS[read] for read in READS}
    before = node.requests_made
    reader.fetch(READS, head)
    assert node.requests_made - before == 8  # 30 reads, 4 at a time: remembered


def test_fetch__one_read_that_eats_all_gas__fails_alone() -> None:
    greedy = READS[5]

    def refuse(method: str, params: list[Any]) -> RpcError | None:
        is_in = encode_reads([greedy]).hex() in params[0]["data"] if method == "eth_call" else False
        return RpcError(-32000, "out of gas") if is_in else None

    node = FakeNode(ANSWERS, refuse=refuse)
    reader, head = reader_of(node), head_of(node)
    expected = {read: ANSWERS[read] for read in READS} | {greedy: None}
    assert reader.fetch(READS, head) == expected
    assert reader.chunks(READS) == [READS]


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
    chunks = reader_of(FakeNode({})).chunks(reads)
    assert [read for chunk in chunks for read in chunk] == reads
    assert [len(encode_reads(chunk)) <= MAX_BYTES for chunk in chunks] == [True] * 4


@pytest.mark.parametrize(
    ("code", "text", "reverted", "too_much"),
    [
        (3, "execution reverted: STF", True, True),
        (-32000, "execution reverted", True, True),
        (-32015, "VM execution error: OutOfGas", True, True),
        (-32000, "out of gas: gas required exceeds allowance", True, True),
        (-32000, "request entity too large", False, True),
        (-32005, "query timeout exceeded", False, True),
        (-32005, "daily request count exceeded, request rate limited", False, False),
        (-32000, "header not found", False, False),
        (None, "something else", False, False),
    ],
)
def test_errors__by_their_words__are_the_contracts_or_the_nodes(
    code: int | None, text: str, reverted: bool, too_much: bool
) -> None:
    error = RpcError(code, text)
    assert (is_revert(error), is_too_much(error)) == (reverted, too_much)
