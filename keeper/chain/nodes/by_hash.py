"""Calls of many reads at a block by its hash, and what becomes of those that a node refuses or cannot finish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keeper.chain.nodes.calls import Answers, CallWay, Chunk
from keeper.chain.nodes.messages import Request, RpcError
from keeper.chain.nodes.plain import PlainWay, check_chain
from keeper.chain.nodes.refusals import is_revert, is_too_much
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.nodes.sight import pinned
from keeper.core.chain import Block
from keeper.core.errors import TransientError

MAX_LOAD = 1_000_000
"""{bytes} Of calls in one HTTP request: what nginx, which many nodes stand behind, takes by default."""
AT_ONCE = 4
"""HTTP requests, each over a connection that stays open."""


class ByHash:
    """Guarantees that every answer is of the block asked for: it says so itself, or, on a chain whose opcodes speak of
    another one, it comes from a call by that block's hash."""

    def __init__(self, rpc: Rpc, chain_id: int, plain: PlainWay, forget: Callable[[], None]) -> None:
        """`forget` is called where the node behaves unlike the one that was probed."""
        self._rpc, self._chain_id, self._plain, self._forget = rpc, chain_id, plain, forget
        self._threads: ThreadPoolExecutor | None = None

    def send(self, batches: Sequence[Sequence[Request]]) -> list[list[Any]]:
        """The answers of each, from one HTTP request each, all at once."""
        if len(batches) == 1:
            return [self._rpc.batch(batches[0])]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reads")
        return list(self._threads.map(self._rpc.batch, batches))

    def fetch(self, way: CallWay, chunks: Sequence[Chunk], block: Block) -> list[Answers]:
        """An answer for each read of each chunk. Raises TransientError, Unreachable."""
        if not chunks:
            return []
        sent = self.send([[way.request(chunk, pinned(block)) for chunk in load] for load in loads(chunks)])
        answers = (answer for batch in sent for answer in batch)
        return [self._whole(way, chunk, answer, block) for chunk, answer in zip(chunks, answers, strict=True)]

    def _whole(self, way: CallWay, chunk: Chunk, answer: Any, block: Block) -> Answers:
        part = self._taken(way, chunk, answer, block)
        return self._split(way, chunk, block) if part is None else self.completed(way, chunk, part, block)

    def _taken(self, way: CallWay, chunk: Chunk, answer: Any, block: Block) -> Answers | None:
        """None where the call was too much for the node. Raises RpcError where the node failed otherwise."""
        if isinstance(answer, RpcError):
            if is_revert(answer) or (len(chunk.reads) > 1 and is_too_much(answer)):
                return None
            self._forget()
            raise answer
        sight, found = way.decode(chunk, answer)
        check_chain(sight.chain_id, self._chain_id)
        if way.proves and not sight.matches(block):
            raise TransientError(f"block by hash: expected {block.number}, was {sight.number}")
        return found

    def _split(self, way: CallWay, chunk: Chunk, block: Block) -> Answers:
        """By halves, of a call that was too much. One read that is too much for any node failed by itself."""
        if len(chunk.reads) == 1:
            return [None]
        half = (len(chunk.reads) + 1) // 2
        pieces = [way.chunk(chunk.reads[:half]), way.chunk(chunk.reads[half:])]
        answers = self._rpc.batch([way.request(piece, pinned(block)) for piece in pieces])
        if not any(isinstance(answer, RpcError) for answer in answers):
            # Both passed, so it was their number; had it been one greedy read, its half would have failed again.
            way.most = min(way.most, half)
        parts = [self._whole(way, piece, answer, block) for piece, answer in zip(pieces, answers, strict=True)]
        return [answer for part in parts for answer in part]

    def completed(self, way: CallWay, chunk: Chunk, part: Answers, block: Block) -> Answers:
        """With what the reader had no gas left for, and without failures that only lacked gas."""
        if way.doubts and None in part:
            return self._looked_at(way, chunk, part, block)
        if len(part) == len(chunk.reads):
            return part
        if not part:
            self._forget()
            raise TransientError(f"{way.name}: expected gas for one read, found less")
        way.ran_short(len(part))
        rest = self.fetch(way, way.chunks(chunk.reads[len(part) :]), block)
        return [*part, *(answer for more in rest for answer in more)]

    def _looked_at(self, way: CallWay, chunk: Chunk, part: Answers, block: Block) -> Answers:
        """Each failure once more by itself, with gas of its own."""
        failed = [at for at, answer in enumerate(part) if answer is None]
        again = self._plain.fetch([chunk.reads[at] for at in failed], block)
        if len(chunk.reads) > 1 and any(answer is not None for answer in again):
            way.most = min(way.most, (len(chunk.reads) + 1) // 2)
        for at, answer in zip(failed, again, strict=True):
            part[at] = answer
        return part


def loads(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """Chunks in their order, in as few HTTP requests as bytes allow."""
    found: list[list[Chunk]] = []
    held = MAX_LOAD
    for chunk in chunks:
        if held + len(chunk.text) > MAX_LOAD:
            found.append([])
            held = 0
        found[-1].append(chunk)
        held += len(chunk.text)
    return found
