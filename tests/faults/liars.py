"""Nodes that lie: at random, or with a plan. All of them know the truth, which was recorded from a real node once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from random import Random
from typing import Any

from keeper.chain.nodes.calls import READER
from keeper.chain.nodes.packed import HEAD_WORDS, ITEM_HEAD
from keeper.chain.nodes.transport import TransportFault
from keeper.chain.reading.chainlink import LATEST_ROUND
from keeper.core.abi import selector
from keeper.core.units import Address
from keeper.guards.swaps import decode_swap
from tests.builders import SWAP_ROUTER02
from tests.chain.node import Node, NodeError
from tests.chain.uniswap import nearest_tick

Lie = Callable[[list[Any], list[Any]], Any]
"""The calls of one HTTP request and their honest answers -> the whole reply, right or wrong."""

WORD = 32
SLOT0 = selector("slot0()")


class Recorded:
    """What one node says of a chain that stands still. Each question goes to the node once."""

    def __init__(self, node: Node) -> None:
        self._node, self._known = node, dict[str, dict[str, Any]]()

    def answer(self, call: Mapping[str, Any]) -> dict[str, Any]:
        key = json.dumps([call["method"], call["params"]])
        if key not in self._known:
            (found,) = self._node.batch([(call["method"], call["params"])])
            said = (
                {"error": {"code": -32000, "message": str(found)}}
                if isinstance(found, NodeError)
                else {"result": found}
            )
            self._known[key] = said
        return {"jsonrpc": "2.0", "id": call["id"], **copy.deepcopy(self._known[key])}


class TellingWire:
    """A provider's URL in memory. `lie` may replace each reply."""

    def __init__(self, label: str, node: Recorded, lie: Lie | None = None) -> None:
        self.label, self._node, self._lie = label, node, lie

    def exchange(self, body: Any) -> Any:
        calls = body if isinstance(body, list) else [body]
        answers = [self._node.answer(call) for call in calls]
        said = answers if self._lie is None else self._lie(calls, answers)
        return said if isinstance(body, list) or not isinstance(said, list) or len(said) != 1 else said[0]

    def hide(self, text: str) -> str:
        return text

    def close(self) -> None:
        """Nothing is open."""


# --- lies at random --------------------------------------------------------------------------------------------------


class Fuzz:
    """Lies in every reply after the first few honest ones; counts its lies."""

    def __init__(self, rng: Random, honest: int = 0) -> None:
        self._rng, self._honest = rng, honest
        self.lies = 0

    def __call__(self, calls: list[Any], answers: list[Any]) -> Any:
        if self._honest > 0:
            self._honest -= 1
            return answers
        self.lies += 1
        if self._rng.random() < 0.1:
            return self._broken(answers)
        for index in self._rng.sample(range(len(answers)), self._rng.randint(1, len(answers))):
            answers[index] = self._spoiled(answers[index])
        return answers

    def _broken(self, answers: list[Any]) -> Any:
        """A reply that is none."""
        kind = self._rng.randrange(6)
        if kind == 0:
            raise TransportFault("liar: no complete answer")
        if kind == 1:
            return list(reversed(answers))[1:]
        if kind == 2:
            return [answer | {"id": answer["id"] + 1} for answer in answers]
        if kind == 3:
            return [answer | {"result": None} for answer in answers]
        if kind == 4:
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32005, "message": "batch too large"}}
        return [
            {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": 3, "message": "reverted"}} for answer in answers
        ]

    def _spoiled(self, answer: dict[str, Any]) -> dict[str, Any]:
        if "result" not in answer:
            return {"jsonrpc": "2.0", "id": answer["id"], "result": "0x" + "00" * 31 + "01"}
        if self._rng.random() < 0.05:
            text = self._rng.choice(["header not found", "execution reverted", "method not found", "limit exceeded"])
            return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": text}}
        return answer | {"result": self._other(answer["result"])}

    def _other(self, value: Any) -> Any:
        """Something else of the same shape: one leaf differs."""
        if isinstance(value, dict) and value:
            key = self._rng.choice(sorted(value))
            return value | {key: self._other(value[key])}
        if isinstance(value, list) and value:
            index = self._rng.randrange(len(value))
            return [*value[:index], self._other(value[index]), *value[index + 1 :]]
        if isinstance(value, str) and value.startswith("0x"):
            return self._other_hex(value)
        return self._rng.choice([None, "0x0", "0x1", [], {}, True, "words", 10**30])

    def _other_hex(self, text: str) -> str:
        digits = text[2:]
        if len(digits) <= 2 * WORD:
            figure = int(digits or "0", 16)
            factor = self._rng.choice([0, Fraction(1, 2), Fraction(99, 100), Fraction(101, 100), 2, 10**6])
            found = int(figure * factor) + self._rng.choice([0, 1])
            return "0x" + f"{found % (1 << 256):x}".zfill(len(digits) if len(digits) in (40, 64) else 1)
        data = bytearray.fromhex(digits)
        at = self._rng.randrange(len(data) // WORD) * WORD + self._rng.choice([0, 0, 4, 12, 20])
        word = int.from_bytes(data[at : at + WORD], "big")
        kind = self._rng.randrange(4)
        if kind == 0:
            data[at : at + WORD] = (word * self._rng.randint(1, 400) // 200 % (1 << 256)).to_bytes(WORD, "big")
        elif kind == 1:
            data[self._rng.randrange(len(data))] ^= 1 << self._rng.randrange(8)
        elif kind == 2:
            del data[at:]
        else:
            data[at : at + WORD] = self._rng.choice([bytes(WORD), b"\xff" * WORD, self._rng.randbytes(WORD)])
        return "0x" + data.hex()


# --- lies with a plan ------------------------------------------------------------------------------------------------


class Plot:
    """All nodes tell of the same other market, in which feeds and pool agree and the trade seems to go well."""

    def __init__(self, prices: Mapping[Address, Fraction], pool: Address, sqrt: int, flatter_bps: int) -> None:
        """`prices` by feed, {USD}; `sqrt` is the pool's price as its slot0 holds it; a simulated swap brings
        `flatter_bps` more than its floor."""
        self._prices, self._pool = {feed.lower(): price for feed, price in prices.items()}, pool.lower()
        self._sqrt, self._flatter_bps = sqrt, flatter_bps

    def __call__(self, calls: list[Any], answers: list[Any]) -> Any:
        for call, answer in zip(calls, answers, strict=True):
            if call["method"] == "eth_call" and call["params"][0]["to"] == READER and "result" in answer:
                answer["result"] = self._packed(call["params"][0]["data"], answer["result"])
            if call["method"] == "eth_simulateV1":
                answer.pop("error", None)
                answer["result"] = self._simulated(call["params"][0]["blockStateCalls"][0]["calls"])
        return answers

    def _packed(self, asked: str, said: str) -> str:
        out = bytearray.fromhex(said[2:])
        at = HEAD_WORDS * WORD
        for target, data in _items(bytes.fromhex(asked[2:])):
            start = at + ITEM_HEAD
            end = start + int.from_bytes(out[at + 1 : start], "big")
            if data == LATEST_ROUND and target in self._prices:
                price = int(self._prices[target] * 10**8)
                out[start + WORD : start + 2 * WORD] = price.to_bytes(WORD, "big")
            if data == SLOT0 and target == self._pool:
                out[start : start + WORD] = self._sqrt.to_bytes(WORD, "big")
                out[start + WORD : start + 2 * WORD] = nearest_tick(self._sqrt).to_bytes(WORD, "big", signed=True)
            at = end
        return "0x" + out.hex()

    def _simulated(self, calls: list[Any]) -> Any:
        """Balances before, the transactions, balances after: each token as it would be if the swap went well."""
        ours = [index for index, call in enumerate(calls) if "gas" in call]
        count = ours[0]
        deltas: dict[str, int] = {}
        for index in ours:
            swap = decode_swap(SWAP_ROUTER02, bytes.fromhex(calls[index]["data"][2:]))
            if not isinstance(swap, str):
                deltas[swap.tokens[0].lower()] = -swap.sell
                deltas[swap.tokens[-1].lower()] = swap.min_out * (10_000 + self._flatter_bps) // 10_000
        ends = []
        for index, call in enumerate(calls):
            after = deltas.get(call["to"].lower(), 0) if index >= count + len(ours) else 0
            data = "0x" if index in ours else "0x" + (10**30 + after).to_bytes(WORD, "big").hex()
            ends.append({"status": "0x1", "gasUsed": hex(120_000), "maxUsedGas": hex(130_000), "returnData": data})
        return [{"calls": ends}]


def _items(data: bytes) -> Iterator[tuple[str, bytes]]:
    while data:
        length = int.from_bytes(data[20:23], "big")
        yield "0x" + data[:20].hex(), data[23 : 23 + length]
        data = data[23 + length :]
