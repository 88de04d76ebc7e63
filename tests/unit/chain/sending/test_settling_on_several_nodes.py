"""Decisions about what became of a transaction, where one of the nodes asked lies, lags or censors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from keeper.chain.nodes.rpc import Freshness, Rpc, RpcError
from keeper.chain.sending.sightings import Sighting, fetch_sightings
from keeper.core.calls import Purpose
from keeper.core.errors import KeeperError
from keeper.core.plan import Fees
from keeper.core.sending import Attempt, Intent, State
from keeper.core.units import Wei
from tests.builders import ACCOUNT, CHAIN, NOW
from tests.unit.chain.lives import GWEI, OneNode, new_intent
from tests.unit.chain.wires import Hands

OURS = "0x" + "01" * 32
STRANGER = "0x" + "02" * 32
ATTEMPT = Attempt(OURS, b"", Fees(Wei(GWEI), Wei(1)), Purpose.SWAP, NOW)
INTENT = Intent(
    1, "treasury", 1, CHAIN, ACCOUNT, 7, new_intent().call, 200_000, NOW + 600, (), State.SENT, NOW, (ATTEMPT,)
)


@dataclass
class NodeWire:
    """One made-up node behind a URL."""

    label: str
    node: OneNode

    def exchange(self, body: Any) -> Any:
        calls = body if isinstance(body, list) else [body]
        found = [self._answer(call) for call in calls]
        return found if isinstance(body, list) else found[0]

    def _answer(self, call: Mapping[str, Any]) -> dict[str, Any]:
        (said,) = self.node.batch([(call["method"], call["params"])])
        if isinstance(said, RpcError):
            return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": said.code, "message": said.message}}
        return {"jsonrpc": "2.0", "id": call["id"], "result": said}

    def hide(self, text: str) -> str:
        return text

    def close(self) -> None:
        """Nothing is open."""


def look(*nodes: OneNode, quorum: int = 2) -> Sighting | KeeperError:
    wires = {f"node{index}": NodeWire(f"node{index}", node) for index, node in enumerate(nodes)}
    timer = Hands().timer()
    rpc = Rpc("main", list(wires), quorum=quorum, freshness=Freshness(), timer=timer, connect=wires.__getitem__)
    try:
        return fetch_sightings(rpc, [INTENT], 3, lambda _: "")[1]
    except KeeperError as error:
        return error
    finally:
        rpc.close()


def pooled() -> OneNode:
    return OneNode([], pool={OURS: b""})


def after(node: OneNode, raw_hash: str, blocks: int = 10) -> OneNode:
    """Mined there, and long past finality."""
    node.mine(raw_hash)
    node.pass_blocks(blocks)
    return node


@pytest.mark.fault("R23")
@pytest.mark.fault("R34")
@pytest.mark.parametrize("liar", [0, 1])
def test_settle__one_of_three_says_mined__it_is_not(liar: int) -> None:
    nodes = [pooled(), pooled(), pooled()]
    after(nodes[liar], OURS)
    found = look(*nodes)
    assert isinstance(found, Sighting)
    assert (found.seen.mined, found.receipt, found.seen.nonce) == (None, None, 7)


@pytest.mark.fault("T7")
@pytest.mark.fault("R34")
@pytest.mark.parametrize("liar", [0, 1])
def test_settle__one_of_three_says_a_stranger_used_the_nonce__nobody_is_halted(liar: int) -> None:
    nodes = [pooled(), pooled(), pooled()]
    after(nodes[liar], STRANGER)
    found = look(*nodes)
    assert isinstance(found, Sighting)
    assert (found.seen.nonce, found.seen.final_nonce) == (7, None)


@pytest.mark.fault("T7")
@pytest.mark.fault("R22")
def test_settle__used_nonce_and_one_node_gives_no_receipt__is_a_doubt_and_no_stranger() -> None:
    whole, slow = after(pooled(), OURS), after(pooled(), OURS)
    slow.receipts.clear()
    found = look(whole, slow)
    assert isinstance(found, Sighting)
    assert found.seen.mined is None
    assert found.seen.final_nonce is None
    assert "nodes disagree on eth_getTransactionReceipt: node0 says" in found.doubts[0]
    third = look(whole, slow, after(pooled(), OURS))
    assert isinstance(third, Sighting)
    assert third.seen.mined is not None


@pytest.mark.fault("R35")
def test_settle__one_of_two_hides_that_it_holds_ours__it_is_offered_again() -> None:
    found = look(pooled(), OneNode([]))
    assert isinstance(found, Sighting)
    assert not found.seen.pooled
    both = look(pooled(), pooled())
    assert isinstance(both, Sighting)
    assert both.seen.pooled


@pytest.mark.fault("R34")
def test_settle__one_of_two_says_another_outcome__nothing_is_concluded() -> None:
    good, bad = after(pooled(), OURS), after(pooled(), OURS)
    bad.receipts[OURS] = bad.receipts[OURS] | {"status": "0x0"}
    found = look(good, bad)
    assert isinstance(found, Sighting)
    assert found.receipt is None
    assert found.doubts
    three = look(good, bad, after(pooled(), OURS))
    assert isinstance(three, Sighting)
    assert three.receipt is not None
    assert three.receipt.status == 1


@pytest.mark.fault("R20")
def test_settle__two_nodes_on_two_forks__nothing_is_decided() -> None:
    one, other = pooled(), pooled()
    other.replaced[other.head] = "0x" + "ee" * 32
    found = look(one, other)
    assert isinstance(found, KeeperError)
    assert "nodes disagree on eth_getBlockByNumber" in str(found)
