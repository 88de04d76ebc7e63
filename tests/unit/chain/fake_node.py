"""A node at the seam of Rpc: blocks, answers, and the reader's packed form, all in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import decode, encode

from keeper.chain.nodes.calls import READER
from keeper.chain.nodes.multicall import MULTICALL3
from keeper.chain.nodes.rpc import RpcError
from keeper.chain.nodes.sight import NOBODY
from keeper.core.chain import Read
from keeper.core.units import Address
from tests.builders import CHAIN, NOW

RUNTIME = b"\xfe"


def hash32(number: int) -> str:
    return "0x" + number.to_bytes(32, "big").hex()


def words(*figures: int) -> bytes:
    return b"".join((figure % (1 << 256)).to_bytes(32, "big") for figure in figures)


@dataclass
class FakeNode:
    """Counts what it is asked. `sees` is the block that an unpinned call runs in, where it is not the head."""

    answers: Mapping[Read, bytes | None]
    number: int = 1_000
    chain_id: int = CHAIN
    timestamp: int = NOW
    overrides: bool = True
    deployed: str = ""
    """Where our reader stands."""
    multicall: bool = False
    opcodes_lie: bool = False
    sees: int | None = None
    gas_for: int = 10_000
    ends_after: int = 10_000
    """Reads that our reader makes in one call before its gas runs short."""
    starves_after: int = 10_000
    """Calls of a Multicall3 before the others have no gas left to succeed with."""
    fees: Any = field(default_factory=lambda: {"reward": [["0x3"], ["0x1"], ["0x2"]]})
    header: dict[str, Any] = field(default_factory=dict)
    nonces: dict[str, Any] = field(default_factory=dict)
    requests_made: int = 0
    _lock: Any = field(default_factory=threading.Lock)
    calls: list[tuple[str, list[Any]]] = field(default_factory=list)
    refuse: Callable[[str, list[Any]], RpcError | None] = lambda method, params: None

    def call(self, method: str, params: list[Any], *, nullable: bool = False) -> Any:
        answer = self._one((method, params))
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, requests: Sequence[tuple[str, list[Any]]], *, nullable: bool = False) -> list[Any]:
        with self._lock:
            self.requests_made -= len(requests) - 1
            return [self._one(request) for request in requests]

    def _one(self, request: tuple[str, list[Any]]) -> Any:
        self.requests_made += 1
        self.calls.append(request)
        method, params = request
        return self.refuse(method, params) or getattr(self, f"_{method}")(*params)

    def _eth_chainId(self) -> str:
        return hex(self.chain_id)

    def _eth_getBlockByNumber(self, at: str, full: bool) -> Any:
        return {
            "number": hex(self.number),
            "hash": hash32(self.number),
            "parentHash": hash32(self.number - 1),
            "timestamp": hex(self.timestamp),
            "baseFeePerGas": "0x7",
            "gasLimit": "0x1c9c380",
        } | self.header

    def _eth_getTransactionCount(self, address: str, at: str) -> Any:
        return self.nonces.get(address, "0x0")

    def _eth_feeHistory(self, *params: Any) -> Any:
        return self.fees

    def _eth_getCode(self, address: str, at: str) -> str:
        if address == self.deployed:
            return "0x" + RUNTIME.hex()
        return "0x60" if any(read.to == address for read in self.answers) else "0x"

    def _eth_getBalance(self, address: str, at: Any) -> str:
        return hex(int.from_bytes(self.answers[Read(NOBODY, bytes.fromhex(address[2:]))] or b"", "big"))

    def _eth_call(self, call: dict[str, str], at: Any, override: dict[str, Any] | None = None) -> Any:
        if call["to"] == self.deployed:
            return self._packed(bytes.fromhex(call["data"][2:]), at)
        if call["to"] == MULTICALL3 and self.multicall:
            return self._aggregated(bytes.fromhex(call["data"][2:]), at)
        if override is None:
            found = self._answer(Address(call["to"]), bytes.fromhex(call["data"][2:]))
            return RpcError(3, "execution reverted") if found is None else "0x" + found.hex()
        if not self.overrides:
            return "0x"
        assert call["to"] == READER
        assert override == {READER: {"code": "0x" + RUNTIME.hex()}}
        return self._packed(bytes.fromhex(call["data"][2:]), at)

    def _packed(self, data: bytes, at: Any) -> Any:
        asked, end = [], 0
        while end < len(data):
            start = end + 23
            end = start + int.from_bytes(data[start - 3 : start], "big")
            asked.append((data[start - 23 : start - 3], data[start:end]))
        if len(asked) > self.gas_for:
            return RpcError(-32000, "out of gas")
        asked = asked[: self.ends_after]
        out = self._sight(at) + words(len(asked))
        for found in self._answers(asked):
            out += (b"\2" if found is None else b"\1") + len(found or b"").to_bytes(3, "big") + (found or b"")
        return "0x" + out.hex()

    def _aggregated(self, data: bytes, at: Any) -> Any:
        (calls,) = decode(["(address,bool,bytes)[]"], data[4:])
        if len(calls) > self.gas_for:
            return RpcError(-32000, "out of gas")
        asked = [
            (bytes(20), data[16:]) if target == MULTICALL3.lower() else (bytes.fromhex(target[2:]), data)
            for target, _, data in calls[4:]
        ]
        answers = [answer if index < self.starves_after else None for index, answer in enumerate(self._answers(asked))]
        told = [self._sight(at)[32 * word : 32 * word + 32] for word in range(4)]
        results = [(answer is not None, answer or b"") for answer in (*told, *answers)]
        return "0x" + encode(["(bool,bytes)[]"], [results]).hex()

    def _sight(self, at: Any) -> bytes:
        number = self.number if isinstance(at, dict) or self.sees is None else self.sees
        return words(number + self.opcodes_lie, number - 1, self.chain_id, self.timestamp)

    def _answer(self, to: Address, data: bytes) -> bytes | None:
        return self._answers([(bytes.fromhex(to[2:]), data)])[0]

    def _answers(self, asked: Sequence[tuple[bytes, bytes]]) -> list[bytes | None]:
        known = {(bytes.fromhex(read.to[2:]), read.data): answer for read, answer in self.answers.items()}
        return [known.get(one, b"") for one in asked]
