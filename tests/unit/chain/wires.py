"""Nodes of one made-up chain at the seam below Rpc, a clock that is moved by hand, and a way to spoil what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keeper.chain.nodes.health import Timer
from keeper.chain.nodes.rpc import Freshness, Rpc
from keeper.chain.nodes.transport import TransportFault
from tests.unit.chain.fake_node import hash32

GENESIS = 1_700_000_000
BLOCK_TIME = 12
HEAD = 1_000
HEADER = ("eth_getBlockByNumber", ["latest", False])
CHAIN_ID = 1

Spoil = Callable[[str, list[Any], Any], Any]
"""Method, parameters and honest result -> what is said instead."""


class Hands:
    """A clock that stands still until it is moved, or somebody sleeps by it. The chain is at HEAD when it starts."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def timer(self) -> Timer:
        return Timer(lambda: self.seconds, lambda: time_of(HEAD) + self.seconds, self._sleep, lambda: 1.0)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def time_of(number: int) -> int:
    return GENESIS + BLOCK_TIME * number


def header(number: int, fork: int = 0) -> dict[str, Any]:
    return {
        "number": hex(number),
        "hash": hash32(number + fork),
        "parentHash": hash32(number - 1),
        "timestamp": hex(time_of(number)),
        "baseFeePerGas": "0x7",
        "gasLimit": "0x1c9c380",
        "size": "0x1",
    }


def honest(method: str, params: list[Any], head: int = HEAD) -> Any:
    """State at block n is n; a block above the head is not known yet."""
    where = params[-1] if params else "latest"
    if method == "eth_getBlockByNumber":
        number = {"latest": head, "finalized": head - 64}.get(params[0]) or int(params[0], 16)
        return header(number) if number <= head else None
    if method == "eth_chainId":
        return hex(CHAIN_ID)
    if method == "eth_feeHistory":
        return {"reward": [["0x2"]]}
    if method in ("eth_getTransactionReceipt", "eth_getTransactionByHash"):
        return {"hash": params[0], "transactionHash": params[0], "status": "0x1", "logs": []}
    if method == "eth_sendRawTransaction":
        return hash32(1)
    number = head if where == "latest" else int(where, 16)
    return "0x" + number.to_bytes(32, "big").hex() if number <= head else {"error": "header not found"}


class FakeWire:
    """One node. `spoil` turns honest results into others; `fault` is raised in place of an answer."""

    def __init__(self, label: str, head: int = HEAD, spoil: Spoil | None = None) -> None:
        self.label, self.head, self.spoil = label, head, spoil
        self.fault: Callable[[], TransportFault] | None = None
        self.asked: list[list[tuple[str, list[Any]]]] = []
        self.closed = False

    def exchange(self, body: Any) -> Any:
        calls = body if isinstance(body, list) else [body]
        self.asked.append([(call["method"], call["params"]) for call in calls])
        if self.fault is not None:
            raise self.fault()
        answers = [self._answer(call) for call in calls]
        return answers if isinstance(body, list) else answers[0]

    def _answer(self, call: Any) -> Any:
        method, params = call["method"], call["params"]
        found = honest(method, params, self.head)
        if self.spoil is not None:
            found = self.spoil(method, params, found)
        if isinstance(found, dict) and set(found) == {"error"}:
            return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": found["error"]}}
        return {"jsonrpc": "2.0", "id": call["id"], "result": found}

    def hide(self, text: str) -> str:
        return text

    def close(self) -> None:
        self.closed = True


def fails(text: str = "down", status: int | None = None, retry_after: str = "") -> Callable[[], TransportFault]:
    return lambda: TransportFault(text, status=status, retry_after=retry_after)


def rpc_of(hands: Hands, *wires: FakeWire, quorum: int = 2, **more: Any) -> Rpc:
    by_label = {wire.label: wire for wire in wires}
    fresh = Freshness(max_age=120, max_ahead=30, max_lag=36)
    settings = {"quorum": quorum, "freshness": fresh, "timer": hands.timer(), "connect": by_label.__getitem__} | more
    return Rpc("main", list(by_label), **settings)
