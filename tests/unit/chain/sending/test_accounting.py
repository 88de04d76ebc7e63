"""Who answers for each nonce, as a table, and what is asked of the node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keeper.chain.sending.accounting import Count, account, fetch_count, fetch_mined
from keeper.core.errors import TransientError
from keeper.core.sending import Intent, State
from tests.builders import ACCOUNT
from tests.unit.chain.lives import OneNode
from tests.unit.chain.sending.test_attempts import FIRST, intent


def used(nonce: int, state: State = State.FINAL_OK, number: int = 1) -> Intent:
    own = replace(FIRST, hash=f"0x{nonce:02x}")
    return replace(intent(state, own), id=number, nonce=nonce)


MINED = frozenset({"0x00", "0x01", "0x02"})


@pytest.mark.fault("P16")
@pytest.mark.fault("P20")
@pytest.mark.fault("P21")
@pytest.mark.fault("T23")
@pytest.mark.parametrize(
    ("intents", "adopted", "count", "explained", "said"),
    [
        ([used(0), used(1)], 0, Count(2, 2), [True, True], "intent 1, swap of treasury, FINAL_OK 0x01"),
        ([used(0)], 0, Count(2, 2), [True, False], "used on chain, by no transaction of this journal"),
        ([used(0)], 2, Count(2, 2), [True, True], "adopted by ana"),
        ([], 0, Count(1, 1), [False], "used on chain"),
        ([], 0, Count(0, 0), [], ""),
        ([used(0)], 0, Count(1, 2), [True, False], "pending at the node, by no transaction of this journal"),
        ([used(0), used(1, State.SENT)], 0, Count(1, 2), [True, True], "SENT"),
        ([used(0), used(1, State.SENT)], 0, Count(2, 2), [True, True], "SENT 0x01"),
        ([used(7)], 7, Count(8, 8), [True] * 7 + [False], "used, but none of its attempts is on chain"),
        ([used(0, State.EXTERNAL)], 0, Count(1, 1), [False], "used by a transaction that is not in the journal"),
        ([used(0, State.EXTERNAL)], 1, Count(1, 1), [True], "adopted by ana"),
        ([used(0), used(1)], 0, Count(1, 1), [True, False], "FINAL_OK: but the chain has not used it"),
    ],
)
def test_account__each_nonce__has_one_answer(
    intents: list[Intent], adopted: int, count: Count, explained: list[bool], said: str
) -> None:
    found = account(intents, adopted, "ana", count, MINED)
    assert [line.nonce for line in found] == list(range(len(explained)))
    assert [line.explained for line in found] == explained
    assert said in (found[-1].text if found else "")


def test_fetch_count__a_pool_that_is_behind__counts_as_empty() -> None:
    node: Any = OneNode([], used=[99])
    node._answer = lambda method, params: hex(8 if params[1] == "latest" else 5)
    assert fetch_count(node, ACCOUNT) == Count(8, 8)


def test_fetch_count__node_does_not_say__is_transient() -> None:
    class Silent(OneNode):
        def _answer(self, method: str, params: list[Any]) -> Any:
            from keeper.chain.nodes.rpc import RpcError

            return RpcError(-32000, "not now")

    node: Any = Silent([])
    with pytest.raises(TransientError, match="gave no nonce of"):
        fetch_count(node, ACCOUNT)


def test_fetch_mined__receipt_gone_but_transaction_known__is_mined() -> None:
    class Pruned(OneNode):
        def _answer(self, method: str, params: list[Any]) -> Any:
            known = {"0x00": {"blockHash": "0xaa"}} if method == "eth_getTransactionByHash" else {}
            if method == "eth_getTransactionReceipt":
                known = {"0x01": {"blockHash": "0xbb"}}
            return known.get(params[0])

    node: Any = Pruned([])
    assert fetch_mined(node, [used(0), used(1), used(2)]) == frozenset({"0x00", "0x01"})
    assert node.batches == 2
