"""Real nodes behind proxies that break things: what a chain's Rpc makes of it, over real sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from keeper.chain.nodes.breaker import DEAD
from keeper.chain.nodes.health import CHECK
from keeper.chain.nodes.rpc import Disagreement, Freshness, Rpc, RpcError, Timer, TransportFault
from keeper.core.errors import Unreachable
from keeper.local.anvil import Anvil, run_anvil
from tests.chain.keeper_process import wait_until
from tests.chain.node import Node
from tests.faults.fault_proxy import Fault, FaultProxy

KEY = "6b65" * 16
SENDER = Account.from_key(KEY).address
HEADER = ("eth_getBlockByNumber", ["latest", False])
BALANCE = ("eth_getBalance", [SENDER, "latest"])
TICK = [HEADER, BALANCE]
SEND = "eth_sendRawTransaction"
WEALTH = 10**18
TIMEOUT, LATE = 1.0, 1.3
"""{s} An honest answer takes a hundredth of it, on a busy machine too."""


def port_of(anvil: Anvil) -> int:
    return int(anvil.url.rpartition(":")[2])


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with run_anvil() as running:
        yield running


@pytest.fixture(scope="module")
def node(anvil: Anvil) -> Node:
    found = Node(anvil.url)
    found.rpc("anvil_setBalance", SENDER, hex(WEALTH))
    found.rpc("evm_mine")
    return found


@pytest.fixture
def proxies(anvil: Anvil, node: Node) -> Iterator[list[FaultProxy]]:
    """Three before one node."""
    with ExitStack() as stack:
        yield [stack.enter_context(FaultProxy(port_of(anvil), seed=seed)) for seed in range(3)]


@contextmanager
def rpc_over(proxies: list[FaultProxy], quorum: int = 2, **more: Any) -> Iterator[Rpc]:
    rpc = Rpc("main", [proxy.url for proxy in proxies], quorum=quorum, timeout=TIMEOUT, **more)
    try:
        yield rpc
    finally:
        rpc.close()


def heard(rpc: Rpc) -> list[str]:
    texts: list[str] = []
    rpc.listen(lambda key, text, is_good: texts.append(text))
    return texts


def raw_transaction(node: Node, nonce: int) -> bytes:
    fields = {"to": node.deployer, "value": 1, "gas": 21_000, "nonce": nonce, "chainId": node.chain_id}
    fees = {"type": 2, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9}
    return bytes(Account.sign_transaction(fields | fees, KEY).raw_transaction)


def nonce_of(node: Node) -> int:
    return int(node.rpc("eth_getTransactionCount", SENDER, "latest"), 16)


# --- reads -----------------------------------------------------------------------------------------------------------


def answer(**fields: Any) -> Callable[[Any, Any], Any]:
    return lambda call, found: found | fields


READ_FAULTS = [
    pytest.param(Fault("hang", seconds=LATE), id="R1", marks=pytest.mark.fault("R1")),
    pytest.param(Fault("drop_request"), id="R3", marks=pytest.mark.fault("R3")),
    pytest.param(Fault("reset"), id="R4", marks=pytest.mark.fault("R4")),
    pytest.param(
        Fault("status", status="429 Slow", headers=("retry-after: 9",)), id="R5", marks=pytest.mark.fault("R5")
    ),
    pytest.param(Fault("status", status="402 Pay"), id="R6", marks=pytest.mark.fault("R6")),
    pytest.param(Fault("status"), id="R7", marks=pytest.mark.fault("R7")),
    pytest.param(Fault("status", status="525 TLS"), id="R7-525", marks=pytest.mark.fault("R7")),
    *(
        pytest.param(Fault("status", status=f"{status} No"), id=f"R8-{status}", marks=pytest.mark.fault("R8"))
        for status in sorted(DEAD)
    ),
    pytest.param(Fault("body"), id="R9", marks=pytest.mark.fault("R9")),
    pytest.param(Fault("body", data=b"[]"), id="R9-list", marks=pytest.mark.fault("R9")),
    pytest.param(Fault("truncate"), id="R10", marks=pytest.mark.fault("R10")),
    pytest.param(Fault("replay"), id="R11-replay", marks=pytest.mark.fault("R11")),
    pytest.param(Fault("mutate", change=answer(id=10**6)), id="R11", marks=pytest.mark.fault("R11")),
    pytest.param(Fault("delay", seconds=LATE), id="R32", marks=pytest.mark.fault("R32")),
]
LIES = [
    pytest.param(Fault("mutate", change=answer(result=None)), id="R12", marks=pytest.mark.fault("R12")),
    pytest.param(Fault("mutate", change=answer(error="words")), id="R13", marks=pytest.mark.fault("R13")),
    pytest.param(Fault("mutate", change=answer(result="0x1")), id="R34", marks=pytest.mark.fault("R34")),
]


@pytest.mark.parametrize("quorum", [1, 2])
@pytest.mark.parametrize("fault", READ_FAULTS)
def test_read__one_node_fails__the_others_answer_in_the_same_tick(
    proxies: list[FaultProxy], node: Node, fault: Fault, quorum: int
) -> None:
    proxies[0].add(replace(fault))
    with rpc_over(proxies, quorum) as rpc:
        header, balance = rpc.batch(TICK)
    assert proxies[0].happened[fault.kind] >= 1
    assert (header["number"], balance) == (node.rpc("eth_blockNumber"), hex(WEALTH))


@pytest.mark.parametrize("fault", LIES)
def test_read__one_node_lies__the_other_two_decide_in_the_same_tick(
    proxies: list[FaultProxy], node: Node, fault: Fault
) -> None:
    proxies[0].add(replace(fault))
    with rpc_over(proxies) as rpc:
        header, balance = rpc.batch(TICK)
    assert proxies[0].happened["mutate"] >= 1
    assert (header["number"], balance) == (node.rpc("eth_blockNumber"), hex(WEALTH))


@pytest.mark.fault("R5")
@pytest.mark.fault("R7")
def test_read__every_twentieth_request_fails_somehow__two_hundred_ticks_all_come_through(
    proxies: list[FaultProxy], node: Node
) -> None:
    kinds = ("drop_request", "drop_response", "reset", "truncate", "replay", "status", "body")
    for proxy in proxies:
        proxy.add(*(Fault(kind, share=0.05 / len(kinds)) for kind in kinds))
    failed = 0
    with rpc_over(proxies) as rpc:
        for _ in range(200):
            try:
                assert rpc.batch(TICK)[1] == hex(WEALTH)
            except Unreachable:
                failed += 1
    assert sum(sum(proxy.happened.values()) for proxy in proxies) >= 10
    assert failed <= 4


@pytest.mark.fault("R31")
def test_read__all_nodes_down__is_unreachable_at_once_and_recovers(proxies: list[FaultProxy], node: Node) -> None:
    for proxy in proxies:
        proxy.add(Fault("drop_request"))
    with rpc_over(proxies) as rpc:
        for _ in range(20):
            with pytest.raises(Unreachable, match="expected answers of 2 nodes"):
                rpc.batch(TICK)
        asked = sum(len(proxy.methods) for proxy in proxies)
        assert asked < 20
        for proxy in proxies:
            proxy.clear()
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                assert rpc.batch(TICK)[1] == hex(WEALTH)
                return
            except Unreachable:
                time.sleep(0.1)
    pytest.fail("it did not recover")


@pytest.mark.fault("R8")
def test_read__dead_provider__is_told_once_without_its_key(anvil: Anvil, node: Node) -> None:
    token = "s3cr3tAp1Key0123456789"
    with FaultProxy(port_of(anvil), token=token) as dead, FaultProxy(port_of(anvil)) as good:
        dead.add(Fault("status", status="401 Unauthorized", data=f"no such key: {token}".encode()))
        with rpc_over([dead, good], 1) as rpc:
            told = heard(rpc)
            for _ in range(5):
                rpc.batch(TICK)
    assert len(dead.methods) == 1
    assert len(told) == 1
    assert "HTTP 401: no such key: …: it refuses us" in told[0]


@pytest.mark.fault("R15")
def test_read__provider_turns_to_another_chain__is_found_out_within_a_minute(
    proxies: list[FaultProxy], node: Node
) -> None:
    moved = [0.0]
    timer = Timer(now=lambda: time.monotonic() + moved[0])
    with rpc_over(proxies, chain_id=node.chain_id, timer=timer) as rpc:
        told = heard(rpc)
        rpc.batch(TICK)
        proxies[0].add(Fault("mutate", methods=("eth_chainId",), change=answer(result="0x2105")))
        moved[0] = CHECK
        assert rpc.batch(TICK)[1] == hex(WEALTH)
        asked = len(proxies[0].methods)
        rpc.batch(TICK)
    assert len(proxies[0].methods) == asked == 2
    assert f"chain id: expected {node.chain_id}, was 8453" in told[0]


@pytest.mark.fault("R22")
@pytest.mark.fault("R24")
def test_read__receipt_missing_or_incomplete_at_one_node__is_taken_from_the_others(
    proxies: list[FaultProxy], node: Node
) -> None:
    sent = node.rpc("eth_sendTransaction", {"from": node.deployer, "to": SENDER, "value": "0x0"})
    receipt = ("eth_getTransactionReceipt", [sent])
    spoils: list[Callable[[Any, Any], Any]] = [
        answer(result=None),
        lambda call, found: found | {"result": {**found["result"], "blockHash": None}},
        lambda call, found: found | {"result": {**found["result"], "transactionHash": "0x" + "11" * 32}},
        lambda call, found: found | {"result": {**found["result"], "status": "0x0"}},
    ]
    for spoil in spoils:
        proxies[0].add(Fault("mutate", methods=(receipt[0],), change=spoil))
        with rpc_over(proxies) as rpc:
            (found,) = rpc.batch([receipt], nullable=True)
            assert (found["transactionHash"], found["status"]) == (sent, "0x1")
        with rpc_over(proxies[:2]) as rpc:
            (doubted,) = rpc.batch([receipt], nullable=True)
            assert isinstance(doubted, RpcError)
            assert "nodes disagree on eth_getTransactionReceipt" in doubted.message
        proxies[0].clear()


# --- two nodes that differ -------------------------------------------------------------------------------------------


@pytest.mark.fault("R17")
@pytest.mark.fault("R18")
@pytest.mark.fault("R20")
def test_read__two_nodes_of_different_height_and_then_fork__one_block_or_none() -> None:
    options = ["--timestamp", "1700000000"]
    with run_anvil(options=options) as ahead, run_anvil(options=options) as behind:
        one, other = Node(ahead.url), Node(behind.url)
        for number in range(3):
            for node in (one, other):
                node.rpc("evm_setNextBlockTimestamp", hex(1_700_000_100 + number))
                node.rpc("evm_mine")
        for height in (1, 2):
            one.rpc("evm_setNextBlockTimestamp", hex(1_700_000_200 + height))
            one.rpc("evm_mine")
        rpc = Rpc("main", [ahead.url, behind.url], quorum=2, freshness=Freshness(max_lag=600))
        assert (
            one.rpc("eth_getBlockByNumber", "0x3", False)["hash"]
            == other.rpc("eth_getBlockByNumber", "0x3", False)["hash"]
        )
        header, _ = rpc.batch(TICK)
        assert header["number"] == "0x3"
        other.rpc("evm_setNextBlockTimestamp", hex(1_700_000_999))
        other.rpc("evm_mine")
        with pytest.raises(
            Disagreement, match=r"eth_getBlockByNumber: .* says block 0x4 0x.* and .* says block 0x4 0x"
        ):
            rpc.batch(TICK)
        rpc.close()


# --- sends -----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("R2")
@pytest.mark.fault("R3")
@pytest.mark.fault("R4")
@pytest.mark.fault("R7")
@pytest.mark.parametrize("kind", ["drop_request", "drop_response", "reset", "truncate", "status", "hang", "delay"])
def test_send__request_or_answer_is_lost__offered_once_and_the_same_bytes_again_are_one_transaction(
    anvil: Anvil, node: Node, kind: str
) -> None:
    nonce = nonce_of(node)
    raw = raw_transaction(node, nonce)
    with FaultProxy(port_of(anvil)) as proxy, rpc_over([proxy], 1) as rpc:
        rpc.batch(TICK)
        proxy.add(Fault(kind, methods=(SEND,), times=1, seconds=LATE))
        (lost,) = rpc.send_raw(raw)
        assert isinstance(lost.result, TransportFault)
        assert proxy.asked(SEND) == 1
        (again,) = rpc.send_raw(raw)
        assert proxy.asked(SEND) == 2
        # Taken now, or known already: either way the node has one.
        assert isinstance(again.result, str | RpcError)
    wait_until(lambda: nonce_of(node) == nonce + 1, 10, "mined once")  # it answers before it mines


@pytest.mark.fault("R25")
@pytest.mark.fault("R35")
def test_send__one_lies_about_the_hash_and_one_keeps_it_to_itself__the_third_takes_it(
    proxies: list[FaultProxy], node: Node
) -> None:
    nonce = nonce_of(node)
    raw = raw_transaction(node, nonce)
    wrong = "0x" + "22" * 32
    proxies[0].add(Fault("mutate", methods=(SEND,), change=answer(result=wrong)))
    taken = f'{{"jsonrpc": "2.0", "id": 1, "result": "{wrong}"}}'.encode()
    proxies[1].add(Fault("body", methods=(SEND,), data=taken))
    with rpc_over(proxies) as rpc:
        told = heard(rpc)
        answers = rpc.send_raw(raw)
    assert [len(proxy.methods) for proxy in proxies] == [1, 1, 1]
    assert len({str(answer.result) for answer in answers}) >= 2
    assert any("is not believed for 600 s: it took 0x" in text for text in told)
    wait_until(lambda: nonce_of(node) == nonce + 1, 10, "mined once")  # it answers before it mines
