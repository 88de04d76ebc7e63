"""What is asked about everything live, and what is done with answers that are missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keeper.chain.nodes.rpc import RpcError
from keeper.chain.sending.sightings import fetch_sightings
from keeper.core.calls import Purpose
from keeper.core.errors import TransientError
from keeper.core.plan import Fees
from keeper.core.sending import Attempt, Intent, Mined, State
from keeper.core.units import Wei
from tests.builders import ACCOUNT, CHAIN, NOW
from tests.unit.chain.lives import GWEI, OneNode, new_intent

FIRST, SECOND, OTHER = "0x" + "01" * 32, "0x" + "02" * 32, "0x" + "03" * 32


def intent(number: int, *hashes: str, nonce: int = 7) -> Intent:
    attempts = tuple(Attempt(each, b"", Fees(Wei(GWEI), Wei(1)), Purpose.SWAP, NOW) for each in hashes)
    call = new_intent().call
    return Intent(
        number, "treasury", 1, CHAIN, ACCOUNT, nonce, call, 200_000, NOW + 600, (), State.SENT, NOW, attempts
    )  # fmt: skip


def look(node: Any, *intents: Intent, finality: int | None = 10, legacy: bool = False) -> Any:
    return fetch_sightings(node, intents, finality, lambda each: "paused" if each.id == 2 else "", legacy=legacy)


def test_fetch__two_of_one_sender__one_request_and_nothing_asked_twice() -> None:
    node = OneNode([])
    node.pool = {SECOND: b""}
    found = look(node, intent(1, FIRST, SECOND), intent(2, OTHER, nonce=8))
    assert node.batches == 1
    assert [method for method, _ in node.asked] == [
        "eth_getBlockByNumber",
        "eth_feeHistory",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_getTransactionReceipt",
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
        "eth_getTransactionByHash",
    ]
    assert (found[1].seen.pooled, found[2].seen.pooled) == (True, False)
    assert (found[1].seen.stopped, found[2].seen.stopped) == ("", "paused")
    assert (found[1].seen.base_fee, found[1].seen.tip, found[1].seen.finalized) == (GWEI * 9 // 8, GWEI, 90)


def test_fetch__newly_mined__its_block_fetched_once_for_time_and_hash() -> None:
    node = OneNode([])
    node.mine(FIRST)
    found = look(node, intent(1, FIRST, SECOND))
    assert node.batches == 2 and node.asked[-1] == ("eth_getBlockByNumber", [hex(101), False])
    assert found[1].seen.mined.timestamp == NOW + 12 and found[1].receipt.block_hash == node.hash_of(101)


def test_fetch__receipt_in_a_block_that_is_not_canonical__doubted() -> None:
    node = OneNode([])
    node.mine(FIRST)
    node.replaced[101] = "0x" + "ee" * 32
    found = look(node, intent(1, FIRST))
    assert found[1].seen.mined is None and "expected block" in found[1].doubts[0]


def test_fetch__nonce_used_without_receipt__asked_again_at_the_finalized_block() -> None:
    node = OneNode([])
    node.used.append(95)
    found = look(node, intent(1, FIRST), finality=5)
    assert node.batches == 2 and found[1].seen.final_nonce == 8
    assert look(node, intent(1, FIRST), finality=6)[1].seen.final_nonce == 7
    assert look(node, intent(1, FIRST), finality=None)[1].seen.final_nonce is None, "no tag, no proof"


@pytest.mark.fault("R27")
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([GWEI] * 5 + [1_100_000_000], 1_100_000_000),
        ([GWEI] * 5 + [50 * GWEI], GWEI * 9 // 8),  # more than a block can add
        ([GWEI] * 5 + [0], GWEI * 9 // 8),
        ([GWEI] * 5, GWEI * 9 // 8),  # the next block is missing
        ([GWEI] * 5 + [None], GWEI * 9 // 8),
        (None, GWEI * 9 // 8),
    ],
)
def test_fetch__fee_history__next_base_fee_within_what_a_block_can_change(told: Any, expected: int) -> None:
    class Telling(OneNode):
        def _answer(self, method: str, params: list[Any]) -> Any:
            if method != "eth_feeHistory":
                return super()._answer(method, params)
            fees = told if told is None else [each if each is None else hex(each) for each in told]
            return {"baseFeePerGas": fees, "gasUsedRatio": [0.5] * 5, "reward": None}

    found = look(Telling([]), intent(1, FIRST))
    assert (found[1].seen.base_fee, found[1].seen.tip) == (expected, None)


def test_fetch__tip_percentile__is_what_is_asked_for() -> None:
    node = OneNode([])
    fetch_sightings(node, [intent(1, FIRST)], 10, lambda _: "", percentile=20)  # type: ignore[arg-type]
    assert ("eth_feeHistory", ["0x5", "latest", [20]]) in node.asked


@pytest.mark.fault("T34")
def test_fetch__legacy__gas_price_instead_of_a_tip() -> None:
    node = OneNode([], base_fee=None)
    found = look(node, intent(1, FIRST), legacy=True)
    assert (found[1].seen.base_fee, found[1].seen.tip) == (None, 3 * GWEI)


@pytest.mark.fault("R12")
@pytest.mark.parametrize("missing", ["eth_getBlockByNumber", "eth_getTransactionCount"])
@pytest.mark.parametrize("answer", [None, RpcError(-32000, "header not found"), "", {}, 7])
def test_fetch__no_head_or_no_nonce__nothing_is_guessed(missing: str, answer: Any) -> None:
    class Silent(OneNode):
        def _answer(self, method: str, params: list[Any]) -> Any:
            return answer if method == missing else super()._answer(method, params)

    with pytest.raises(TransientError):
        look(Silent([]), intent(1, FIRST))


def test_fetch__failed_receipt_answer__proves_nothing() -> None:
    class Silent(OneNode):
        def _answer(self, method: str, params: list[Any]) -> Any:
            failed = RpcError(-32000, "transaction indexing is in progress")
            return failed if method == "eth_getTransactionReceipt" else super()._answer(method, params)

    node = Silent([])
    node.used.append(50)
    found = look(node, intent(1, FIRST))
    assert found[1].seen.mined is None and "indexing" in found[1].doubts[0]
    assert found[1].seen.final_nonce is None, "a receipt that was not given proves no stranger"


@pytest.mark.parametrize(("block", "stands"), [("", True), ("0x" + "ee" * 32, False), (None, True)])
def test_fetch__receipt_gone__block_stands_unless_the_node_shows_another(block: str | None, stands: bool) -> None:
    class Forgetful(OneNode):
        def _block(self, number: int) -> dict[str, Any] | None:
            return (
                None if block is None and number == 100 and self.asked[-1][1][0] != "latest" else super()._block(number)
            )

    node = Forgetful([])
    mined = Mined(FIRST, 100, node.hash_of(100), NOW, 1, 1, Wei(1))
    if block:
        node.replaced[100] = block
    found = look(node, replace(intent(1, FIRST), state=State.CONFIRMED, mined=mined))
    assert found[1].seen.block_stands is stands


class Forgetful(OneNode):
    """Has lost its receipts, and answers `said` to who asks for a transaction by its hash."""

    said: Any = None

    def _answer(self, method: str, params: list[Any]) -> Any:
        if method == "eth_getTransactionReceipt":
            return None
        return self.said if method == "eth_getTransactionByHash" else super()._answer(method, params)


@pytest.mark.fault("R22")
@pytest.mark.parametrize(
    ("said", "final_nonce"),
    [
        (None, 8),
        ({"hash": FIRST, "blockHash": None}, 8),
        ({"hash": FIRST, "blockHash": "0x" + "01" * 32}, None),
        (RpcError(-32603, "internal error"), None),
    ],
)
def test_fetch__receipt_missing_after_finality__is_a_strangers_only_if_no_attempt_is_in_a_block(
    said: Any, final_nonce: int | None
) -> None:
    node = Forgetful([])
    node.said = said
    node.used.append(95)
    assert look(node, intent(1, FIRST, SECOND), finality=5)[1].seen.final_nonce == final_nonce
