"""The embedded chain's answers, without a socket: what a keeper asks, in the shapes a node has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeper.chain.nodes.headers import parse_block, parse_tip
from keeper.core.abi import calldata
from keeper.local.methods import Methods
from keeper.local.node_error import NO_METHOD, REVERTED, SERVER_ERROR, NodeError
from tests.unit.local.in_memory import GWEI, OTHER, START, WHO, Box, account

TIP = GWEI // 10


class Asker:
    """A token at `token`, minted to WHO, behind the methods; `WHO` is trusted."""

    def __init__(self) -> None:
        self.box = Box()
        self.token = self.box.token("T", 18)
        self.box.send(self.token, "mint(address,uint256)", WHO, 100)
        self.methods = Methods(self.box.evm, [account(WHO)], TIP)

    def ask(self, method: str, *params: Any) -> Any:
        return self.methods.answer(method, list(params))

    def call(self, signature: str, *arguments: Any) -> dict[str, str]:
        return {"from": WHO, "to": self.token, "data": "0x" + calldata(signature, *arguments).hex()}

    def send(self, signature: str, *arguments: Any) -> dict[str, Any]:
        sent = self.ask("eth_sendTransaction", self.call(signature, *arguments))
        receipt: dict[str, Any] = self.ask("eth_getTransactionReceipt", sent)
        return receipt


@pytest.fixture
def chain() -> Asker:
    return Asker()


def test_block__when_asked_by_number_and_hash__then_one_header_that_the_keeper_reads(chain: Asker) -> None:
    header = chain.ask("eth_getBlockByNumber", "latest", False)

    block = parse_block(header, 31_337)
    assert (block.number, block.timestamp, block.base_fee) == (2, START + 24, GWEI)
    assert chain.ask("eth_getBlockByHash", block.hash, False) == header
    assert chain.ask("eth_getBlockByNumber", "0x1", False)["hash"] == block.parent_hash
    assert chain.ask("eth_getBlockByNumber", "0x63", False) is None


def test_unknown_method__when_asked__then_the_code_that_says_so(chain: Asker) -> None:
    with pytest.raises(NodeError) as caught:
        chain.ask("eth_nothing")
    assert caught.value.code == NO_METHOD


def test_call__when_it_reverts__then_code_3_with_data(chain: Asker) -> None:
    with pytest.raises(NodeError, match="execution reverted: demo token: balance too small") as caught:
        chain.ask("eth_call", chain.call("transfer(address,uint256)", OTHER, 101), "latest")
    assert caught.value.code == REVERTED
    assert (caught.value.data or "").startswith("0x08c379a0")


def test_call__when_the_code_is_no_code__then_an_error_without_data(chain: Asker) -> None:
    with pytest.raises(NodeError) as caught:
        chain.ask("eth_call", {"to": OTHER}, "latest", {OTHER: {"code": "0xfe"}})
    assert (caught.value.code, caught.value.data) == (SERVER_ERROR, None)


def test_call__when_overridden__then_the_next_call_sees_nothing_of_it(chain: Asker) -> None:
    read = chain.call("decimals()")
    returns_seven = "0x600760005260206000f3"

    assert int(chain.ask("eth_call", read, "latest", {chain.token: {"code": returns_seven}}), 16) == 7
    assert int(chain.ask("eth_call", read, "latest"), 16) == 18


def test_simulate__when_calls_follow_each_other__then_shaped_as_a_node_does(chain: Asker) -> None:
    calls = [
        chain.call("transfer(address,uint256)", OTHER, 60),
        chain.call("transfer(address,uint256)", OTHER, 60),
        chain.call("balanceOf(address)", OTHER),
    ]
    script = {"blockStateCalls": [{"blockOverrides": {"time": hex(START + 99)}, "calls": calls}], "validation": False}
    head = chain.ask("eth_getBlockByNumber", "latest", False)

    (block,) = chain.ask("eth_simulateV1", script, {"blockHash": head["hash"]})

    paid, failed, seen = block["calls"]
    assert (int(block["number"], 16), int(block["timestamp"], 16)) == (3, START + 99)
    assert [one["status"] for one in (paid, failed, seen)] == ["0x1", "0x0", "0x1"]
    assert failed["error"]["code"] == REVERTED
    assert int(seen["returnData"], 16) == 60
    assert paid["logs"][0]["address"] == chain.token
    assert chain.send("transfer(address,uint256)", OTHER, 60)["gasUsed"] == paid["gasUsed"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"blockStateCalls": [{"calls": []}], "validation": True}, "expected false"),
        ({"blockStateCalls": [{}, {}]}, "found 2"),
        ({}, "blockStateCalls"),
        ({"blockStateCalls": [{"blockOverrides": {"time": "0x1"}}]}, "in order"),
        ({"blockStateCalls": [{"calls": [{"from": OTHER, "to": WHO, "value": "0x1"}]}]}, "insufficient funds"),
    ],
)
def test_simulate__when_it_cannot__then_refused_and_not_guessed(chain: Asker, script: Any, words: str) -> None:
    with pytest.raises(NodeError, match=words):
        chain.ask("eth_simulateV1", script, "latest")


def test_estimate__when_it_works__then_suffices_and_is_close(chain: Asker) -> None:
    fields = chain.call("transfer(address,uint256)", OTHER, 1)

    estimate = int(chain.ask("eth_estimateGas", fields), 16)

    receipt = chain.ask("eth_getTransactionReceipt", chain.ask("eth_sendTransaction", fields | {"gas": hex(estimate)}))
    assert receipt["status"] == "0x1"
    assert int(receipt["gasUsed"], 16) <= estimate <= int(receipt["gasUsed"], 16) * 103 // 100


def test_transaction__when_mined__then_receipt_transaction_and_logs_agree(chain: Asker) -> None:
    receipt = chain.send("transfer(address,uint256)", OTHER, 9)
    sent = chain.ask("eth_getTransactionByHash", receipt["transactionHash"])
    (log,) = chain.ask("eth_getLogs", {"blockHash": receipt["blockHash"]})

    assert receipt["logs"] == [log]
    assert {sent[key] for key in ("blockHash", "from", "to")} == {receipt[key] for key in ("blockHash", "from", "to")}
    assert int(receipt["effectiveGasPrice"], 16) == GWEI + TIP
    assert int(log["data"], 16) == 9


def test_logs__when_filtered__then_only_those_that_match(chain: Asker) -> None:
    receipt = chain.send("transfer(address,uint256)", OTHER, 9)
    transfer, *ends = receipt["logs"][0]["topics"]
    span = {"fromBlock": "earliest", "toBlock": "latest"}

    def count(**wanted: Any) -> int:
        return len(chain.ask("eth_getLogs", {**span, **wanted}))

    assert count() == 2
    assert count(address=chain.token.lower(), topics=[transfer]) == 2
    assert count(address=OTHER) == 0
    assert count(topics=[[transfer], None, ends[1]]) == 1
    assert count(topics=[None] * 4) == 0


def test_fee_history__when_blocks_are_quiet__then_tells_the_suggested_tip(chain: Asker) -> None:
    chain.ask("evm_mine")
    answer = chain.ask("eth_feeHistory", "0x2", "latest", [50])

    assert [int(row[0], 16) for row in answer["reward"]] == [GWEI, TIP]
    assert [int(fee, 16) for fee in answer["baseFeePerGas"]] == [GWEI] * 3
    assert parse_tip(answer) == GWEI


def test_time__when_moved__then_the_next_block_has_it_and_never_goes_back(chain: Asker) -> None:
    chain.ask("evm_increaseTime", 100)
    chain.ask("evm_mine")
    assert int(chain.ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16) == START + 36 + 100

    with pytest.raises(NodeError, match="expected more than"):
        chain.ask("evm_setNextBlockTimestamp", START)


def test_send__when_the_account_is_a_stranger__then_unknown(chain: Asker) -> None:
    with pytest.raises(NodeError, match="unknown account"):
        chain.ask("eth_sendTransaction", {"from": OTHER, "to": WHO})


def test_count_and_balance__when_asked_at_an_old_block__then_of_that_block(chain: Asker) -> None:
    old = {"blockHash": chain.ask("eth_getBlockByNumber", "0x1", False)["hash"]}

    assert [int(chain.ask("eth_getTransactionCount", WHO, at), 16) for at in (old, "latest", "pending")] == [1, 2, 2]
    assert chain.ask("eth_getBalance", WHO, old) != chain.ask("eth_getBalance", WHO, "latest")
    assert chain.ask("eth_getCode", chain.token, "earliest") == "0x"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5)
    | st.sampled_from(["0x", "0x1", "latest", WHO, "0x" + "00" * 32, "0x" + "ff" * 40]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["from", "to", "value", "gas", "data", "blockHash", "topics", "address", "fromBlock", "state",
                         "nonce", "calls", "blockStateCalls", "stateOverrides", "blockOverrides", "time", WHO, "0x1"]),
        inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), params=st.lists(ANYTHING, max_size=3))
def test_anything__when_sent_as_parameters__then_a_result_or_a_nodes_error(
    chain: Asker, data: st.DataObject, params: list[Any]
) -> None:
    method = data.draw(st.sampled_from(sorted(chain.methods.names)))

    try:
        answer = chain.ask(method, *params)
    except NodeError as error:
        assert error.code < 0 or error.code == REVERTED
    else:
        assert json.dumps(answer)
