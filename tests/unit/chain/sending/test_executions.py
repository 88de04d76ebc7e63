"""Which proposal a Safe has executed, from what a node says of its nonce, its logs and its receipts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from keeper.chain.sending.executions import EXECUTED, RANGE, fetch_execution, fetch_standing
from keeper.chain.sending.receipts import TRANSFER
from keeper.core.errors import TransientError
from keeper.core.records import Proposal
from keeper.core.units import Token
from tests.builders import USDC, WETH, address, units
from tests.unit.app.proposals import SAFE, make_proposal

OURS, OTHER = "0x" + "ab" * 32, "0x" + "cd" * 32
TX = "0x" + "11" * 32
HEAD, MINED = 1_100, 1_050


def word(raw: int) -> str:
    return f"0x{raw:064x}"


def header(number: int) -> dict[str, Any]:
    return {
        "number": hex(number),
        "hash": word(number),
        "parentHash": word(number - 1),
        "timestamp": hex(number * 12),
        "baseFeePerGas": "0x7",
        "gasLimit": "0x1c9c380",
    }


def moved(token: Token, gives: str, takes: str, raw: int) -> dict[str, Any]:
    topics = [TRANSFER, "0x" + gives[2:].lower().rjust(64, "0"), "0x" + takes[2:].lower().rjust(64, "0")]
    return {"address": token.address, "topics": topics, "data": word(raw)}


class Chain:
    """A node that has one transaction of the Safe."""

    def __init__(
        self, named: str = OURS, *, old: bool = False, sold: int = units(WETH, 1).raw, got: int = 2_990
    ) -> None:
        self.sold, self.got = sold, units(USDC, got).raw
        self.logged = {
            "address": SAFE,
            "topics": [EXECUTED] if old else [EXECUTED, named],
            "data": named + word(0)[2:] if old else word(0),
            "transactionHash": TX,
        }
        self.spans: list[tuple[int, int]] = []
        self.mined = MINED

    def call(self, method: str, params: list[Any]) -> Any:
        if method == "eth_getLogs":
            first, last = (int(params[0][key], 16) for key in ("fromBlock", "toBlock"))
            self.spans.append((first, last))
            return [self.logged] if first <= self.mined <= last else []
        if method == "eth_getBlockByNumber":
            return header(self.mined if params[0].startswith("0x") else HEAD)
        assert method == "eth_getTransactionReceipt"
        router = address(0xD0)
        return {
            "transactionHash": TX,
            "blockNumber": hex(self.mined),
            "blockHash": word(self.mined),
            "status": "0x1",
            "gasUsed": "0x30000",
            "effectiveGasPrice": "0x9",
            "from": address(0xBEEF),
            "logs": [moved(WETH, SAFE, router, self.sold), moved(USDC, router, SAFE, self.got), self.logged],
        }

    def batch(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        return [
            self._balance(params) if method == "eth_call" else self.call(method, params) for method, params in requests
        ]

    def _balance(self, params: list[Any]) -> str:
        """10 WETH and no USDC before its block."""
        call, at = params
        is_after = int(at, 16) >= self.mined
        if call["to"] == SAFE:
            return word(8 if is_after else 7)
        if call["to"] == WETH.address:
            return word(units(WETH, 10).raw - (self.sold if is_after else 0))
        return word(self.got if is_after else 0)


def found(chain: Chain, *proposals: Proposal, final: int = HEAD) -> Proposal | None:
    answer = fetch_execution(chain, proposals or (make_proposal(),), final)  # type: ignore[arg-type]
    return answer[0] if answer else None


@pytest.mark.parametrize("old", [False, True])
def test_fetch_execution__the_hash_in_a_log_of_either_version__is_it(old: bool) -> None:
    answer = fetch_execution(Chain(old=old), [make_proposal()], HEAD)  # type: ignore[arg-type]
    assert answer is not None
    execution = answer[1]
    assert (execution.mined.hash, execution.mined.block_number, execution.mined.gas_cost) == (TX, MINED, 0)
    assert execution.found.wrong == ""
    fill = execution.found.outcome.fill
    assert fill is not None
    assert (fill.sold, fill.received) == ((units(WETH, 1),), (units(USDC, 2_990),))


def test_fetch_execution__of_a_superseded_one_and_its_heir__is_the_one_that_is_named() -> None:
    first, second = make_proposal(1), make_proposal(2, hash_=OTHER)
    assert found(Chain(OURS), first, second) == first
    assert found(Chain(OTHER), first, second) == second


@pytest.mark.parametrize(
    ("chain", "is_it"),
    [
        (Chain(OTHER), True),
        (Chain(OTHER, sold=units(WETH, 1).raw - 1), False),
        (Chain(OTHER, sold=units(WETH, 2).raw), False),
        (Chain(OTHER, got=2_979), False),
    ],
)
def test_fetch_execution__another_hash__is_it_only_where_it_did_exactly_the_same(chain: Chain, is_it: bool) -> None:
    assert (found(chain) is not None) is is_it


def test_fetch_execution__after_the_final_block__is_not_looked_for() -> None:
    assert found(Chain(), final=MINED - 1) is None


def test_fetch_execution__a_long_way_back__asks_in_pieces() -> None:
    chain = Chain()
    chain.mined = 4_000
    assert found(chain, final=4_100) is not None
    assert chain.spans == [(1_000, 1_999), (2_000, 2_999), (3_000, 3_999), (4_000, 4_100)]
    assert all(last - first < RANGE for first, last in chain.spans)


@pytest.mark.parametrize("answer", [None, "0x", [7], [{"address": SAFE}]])
def test_fetch_execution__logs_that_are_none__is_not_known(answer: Any) -> None:
    chain = Chain()
    chain.call = lambda method, params: answer  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="expected a list of logs"):
        found(chain)


@pytest.mark.parametrize(("finality", "final", "final_nonce"), [(2, 1_098, 8), (60, 1_040, 7)])
def test_fetch_standing__a_depth__is_the_nonce_now_and_then(finality: int, final: int, final_nonce: int) -> None:
    standing = fetch_standing(Chain(), [SAFE], finality)  # type: ignore[arg-type]
    assert (standing.final, standing.nonces[SAFE], standing.final_nonces[SAFE]) == (final, 8, final_nonce)
