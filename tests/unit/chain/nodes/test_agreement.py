from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.agreement import Split, Tally, is_unanimous, tally
from keeper.chain.nodes.rpc import RpcError
from tests.unit.chain.fake_node import hash32
from tests.unit.chain.wires import header

CALL = ("eth_call", [{"to": "0x1"}, "0x3e8"])
BLOCK = ("eth_getBlockByNumber", ["0x3e8", False])
RECEIPT = ("eth_getTransactionReceipt", [hash32(5)])
POOLED = ("eth_getTransactionByHash", [hash32(5)])
FEES = ("eth_feeHistory", ["0x5", "0x3e8", [50]])
FINAL = ("eth_getBlockByNumber", ["finalized", False])
SIMULATED = ("eth_simulateV1", [])
LAGS, REVERTS = RpcError(-32000, "header not found"), RpcError(3, "execution reverted: no")


def count(request: Any, *said: Any, quorum: int = 2) -> Tally:
    return tally([request], dict(zip("abcdef", ([answer] for answer in said), strict=False)), quorum)


def tip(wei: int) -> dict[str, Any]:
    return {"reward": [[hex(wei)]]}


@pytest.mark.fault("R34")
@pytest.mark.parametrize(
    ("said", "quorum", "answer", "odd"),
    [
        (["0x1", "0x1"], 2, "0x1", ""),
        (["0xAb", "0xaB"], 2, "0xAb", ""),
        (["0x2", "0x1", "0x1"], 2, "0x1", "a"),
        (["0x1", "0x1", "0x2", "0x3"], 2, "0x1", "cd"),
        (["0x1", "0x1", LAGS], 2, "0x1", ""),
        (["0x1", "0x1", None], 2, "0x1", ""),
        ([REVERTS, RpcError(-32000, "VM execution reverted"), "0x1"], 2, REVERTS, "c"),
        (["0x1", LAGS], 2, LAGS, ""),
        ([LAGS, LAGS], 2, LAGS, ""),
        ([None, None], 2, None, ""),
    ],
)
def test_tally__of_a_call__is_what_most_and_enough_say(said: Any, quorum: int, answer: Any, odd: str) -> None:
    found = count(CALL, *said, quorum=quorum)
    assert (found.answers, set(found.odd), found.forked, found.split) == ((answer,), set(odd), {}, "")


@pytest.mark.fault("R20")
@pytest.mark.fault("R34")
@pytest.mark.parametrize(
    ("said", "quorum"),
    [(["0x1", "0x2"], 2), (["0x1", "0x1", "0x2", "0x2"], 2), (["0x1", "0x1", "0x2"], 3), (["0x1", REVERTS], 2)],
)
def test_tally__without_a_winner__is_split_and_blames_nobody(said: Any, quorum: int) -> None:
    found = count(CALL, *said, quorum=quorum)
    assert isinstance(found.answers[0], Split)
    assert (found.odd, found.forked, found.open) == ({}, {}, True)
    assert found.split.startswith("nodes disagree on eth_call: a says 0x1 and ")


def test_tally__one_speaks_and_one_does_not_know__could_be_settled_by_more() -> None:
    assert count(CALL, "0x1", None).open
    assert not count(CALL, "0x1", "0x1").open
    # Nobody has a receipt of what is not mined: asking more nodes each tick would find nothing.
    assert not count(RECEIPT, None, None).open


@pytest.mark.fault("R20")
def test_tally__another_block_at_the_same_height__is_a_fork_and_no_lie() -> None:
    found = tally([BLOCK, CALL], {"a": [header(9), "0x1"], "b": [header(9), "0x1"], "c": [header(9, 7), "0x2"]}, 2)
    assert found.answers == (header(9), "0x1")
    assert (set(found.forked), found.odd) == ({"c"}, {})
    assert f"c says block 0x9 {hash32(16)}" in found.forked["c"]


@pytest.mark.fault("R34")
@pytest.mark.parametrize("field", ["timestamp", "baseFeePerGas", "gasLimit", "parentHash", "number"])
def test_tally__same_hash_with_another_field__is_a_lie(field: str) -> None:
    found = count(BLOCK, header(9), header(9) | {field: "0xff"}, header(9) | {"size": "0x2", "extra": 1})
    assert (found.answers[0], set(found.odd), found.forked) == (header(9), {"b"}, {})


@pytest.mark.fault("R22")
@pytest.mark.fault("R23")
def test_tally__of_receipts__is_in_doubt_unless_enough_give_the_same() -> None:
    mine = {"transactionHash": hash32(5), "status": "0x1", "logs": [{"address": "0xA", "topics": [], "data": "0x"}]}
    dressed = mine | {"type": "0x2", "logs": [{**mine["logs"][0], "blockTimestamp": "0x1"}]}  # type: ignore[index]
    assert count(RECEIPT, mine, dressed, None).answers == (mine,)
    assert count(RECEIPT, None, None).answers == (None,)
    for said in ([mine, None], [mine, mine | {"status": "0x0"}], [mine, None, None]):
        found = count(RECEIPT, *said)
        assert isinstance(found.answers[0], RpcError)
        assert found.split == ""
    assert set(count(RECEIPT, mine, mine, mine | {"status": "0x0"}).odd) == {"c"}
    assert count(RECEIPT, mine, mine, None).odd == {}


@pytest.mark.fault("R35")
def test_tally__of_a_pooled_transaction__needs_enough_who_hold_it() -> None:
    mine, other = {"hash": hash32(5), "blockHash": None}, {"hash": hash32(6)}
    assert count(POOLED, mine, None).answers == (None,)
    assert count(POOLED, mine, other).answers == (None,)
    assert count(POOLED, mine, mine | {"blockHash": hash32(1)}, None).answers == (mine,)
    assert count(POOLED, mine, other).odd == {}


@pytest.mark.fault("R27")
def test_tally__of_fees__is_the_middle_and_of_two_the_dearer() -> None:
    assert count(FEES, tip(10**15), tip(2), tip(3)).answers == (tip(3),)
    assert count(FEES, tip(0), tip(2), tip(3)).answers == (tip(2),)
    assert count(FEES, tip(1), tip(2)).answers == (tip(2),)
    assert count(FEES, tip(1), LAGS).answers == (tip(1),)
    assert count(FEES, {"reward": None}, tip(1)).answers == (tip(1),)
    assert count(FEES, None, LAGS).answers == (LAGS,)
    assert count(("eth_gasPrice", []), "0x9", "0x5", "words").answers == ("0x9",)


@pytest.mark.fault("R34")
def test_tally__of_finality__is_as_far_as_enough_have_come() -> None:
    assert count(FINAL, header(10**9), header(64), header(32)).answers == (header(64),)
    assert count(FINAL, header(64), LAGS).answers == (LAGS,)
    assert count(FINAL, header(64), None).answers == (None,)


def test_tally__of_simulations__compares_what_the_chain_decides() -> None:
    ours = [{"hash": "0x1", "calls": [{"status": "0x1", "gasUsed": "0x5", "returnData": "0x", "logs": []}]}]
    same = [{"hash": "0x2", "calls": [{**ours[0]["calls"][0], "error": {"message": "other words"}}]}]  # type: ignore[index]
    other = [{"calls": [{"status": "0x1", "gasUsed": "0x6", "returnData": "0x"}]}]
    assert count(SIMULATED, ours, same).answers == (ours,)
    assert count(SIMULATED, ours, other).split
    assert count(SIMULATED, ours, RpcError(-32601, "no such method")).answers[0].code == -32601


def test_unanimous__a_silent_node__is_not_but_other_fees_are() -> None:
    assert is_unanimous([CALL, FEES], {"a": ["0x1", tip(1)], "b": ["0x1", tip(9)]})
    assert not is_unanimous([CALL, FEES], {"a": ["0x1", tip(1)], "b": [LAGS, tip(1)]})
    assert not is_unanimous([CALL], {"a": ["0x1"], "b": ["0x2"]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.fault("R34")
@given(st.sampled_from([CALL, BLOCK, RECEIPT, SIMULATED, FINAL, POOLED, FEES]), JSON, st.permutations([0, 1, 2]))
def test_tally__one_of_three_says_anything__changes_nothing_that_two_agree_on(
    request: Any, lie: Any, order: list[int]
) -> None:
    truth: dict[str, Any] = {
        "eth_call": "0x2a",
        "eth_getBlockByNumber": header(64),
        "eth_getTransactionReceipt": {"transactionHash": hash32(5), "status": "0x1", "logs": []},
        "eth_getTransactionByHash": {"hash": hash32(5)},
        "eth_simulateV1": [{"calls": [{"status": "0x1", "gasUsed": "0x5", "returnData": "0x"}]}],
        "eth_feeHistory": tip(2),
    }
    honest = truth[request[0]]
    said = [[honest, honest, lie][place] for place in order]
    assert count(request, *said).answers == (honest,)
