"""Nodes in front of one chain, which fail as nodes do: down, behind, lying, or losing what they were sent."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from eth_utils.crypto import keccak

from keeper.local.embedded import EmbeddedChain
from keeper.local.parsing import SERVER_ERROR, NodeError, parse_bytes
from keeper.local.rendering import as_hex
from keeper.local.rpc_server import RpcServer
from keeper.local.taking import decode_transaction

SEND = "eth_sendRawTransaction"
NEWEST = ("latest", "pending", "safe", "finalized")
BY_HASH = ("eth_getTransactionByHash", "eth_getTransactionReceipt")
WORD = 64
"""Hex digits."""


@dataclass(slots=True)
class Mempool:
    """What happens to swaps between a node and a block. Anything else is mined at once.

    `mine` at once; `hold` until `release`; `forget`: taken, and never heard of again.
    """

    chain: EmbeddedChain
    routers: Collection[bytes]
    ways: Literal["mine", "hold", "forget"] = "mine"
    held: dict[str, bytes] = field(default_factory=dict)
    swaps: dict[str, bytes] = field(default_factory=dict)
    """Every swap that was ever broadcast, by hash."""

    def take(self, raw: bytes) -> str:
        known = as_hex(keccak(raw))
        if decode_transaction(raw, self.chain.chain_id).ask.to in self.routers:
            self.swaps[known] = raw
            if self.ways == "hold":
                self.held[known] = raw
            if self.ways != "mine":
                return known
        return str(self.chain.ask(SEND, as_hex(raw)))

    def release(self) -> None:
        """What was held is mined, as far as it still can be."""
        self.ways = "mine"
        for raw in self.held.values():
            try:
                self.chain.ask(SEND, as_hex(raw))
            except NodeError:
                continue  # another one has its nonce
        self.held.clear()

    def clear(self) -> None:
        self.ways = "mine"
        self.held.clear()
        self.swaps.clear()


class Node:
    """One URL. `behind` is how many blocks ago it still lives; `lie` makes another answer of a call's."""

    def __init__(self, chain: EmbeddedChain, pool: Mempool) -> None:
        self._chain, self._pool = chain, pool
        self.behind = 0
        self.lie: Callable[[str], str] | None = None
        self._server: RpcServer | None = RpcServer(self.answer)
        self._port = self._server.port
        self.url = self._server.url

    def stop(self) -> None:
        """Nobody listens any more."""
        if self._server is not None:
            self._server.close()
        self._server = None

    def start(self) -> None:
        if self._server is None:
            self._server = RpcServer(self.answer, self._port)

    def heal(self) -> None:
        self.behind, self.lie = 0, None
        self.start()

    def answer(self, method: str, params: list[Any]) -> Any:
        if method == SEND:
            return self._pool.take(parse_bytes(params[0]))
        if self.behind:
            return self._late(method, params)
        found = self._chain.ask(method, *params)
        return self.lie(found) if self.lie is not None and method == "eth_call" else found

    def _late(self, method: str, params: list[Any]) -> Any:
        """As the chain was: what came later is not known here."""
        head = max(0, self._chain.number - self.behind)
        if method == "eth_blockNumber":
            return hex(head)
        asked = [hex(head) if isinstance(each, str) and each in NEWEST else each for each in params]
        if method == "eth_getBlockByNumber" and int(asked[0], 16) > head:
            return None
        found = self._chain.ask(method, *asked)
        if method == "eth_getBlockByHash" and found and int(found["number"], 16) > head:
            return None
        if method in BY_HASH and found and int(found["blockNumber"], 16) > head:
            return None
        if method == "eth_call" and _number(self._chain, asked[1]) > head:
            raise NodeError(SERVER_ERROR, "header not found")
        return found


def _number(chain: EmbeddedChain, tag: Any) -> int:
    if isinstance(tag, dict):
        tag = tag.get("blockHash") or tag.get("blockNumber")
    if len(tag) == 66:
        return int(chain.ask("eth_getBlockByHash", tag, False)["number"], 16)
    return int(tag, 16)


def swapped_words(lies: dict[int, int]) -> Callable[[str], str]:
    """A lie: wherever an answer holds one of these figures as a word, it holds the other."""
    words = {f"{true:0{WORD}x}": f"{told:0{WORD}x}" for true, told in lies.items()}

    def lie(answer: str) -> str:
        for true, told in words.items():
            answer = answer.replace(true, told)
        return answer

    return lie
