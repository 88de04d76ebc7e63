"""Many reads at one block, in as few requests as the node allows.

There are four ways, tried in this order by asking each for one read, once: our own reader deployed at an address that
the configuration names; the same reader put at nobody's address for the length of the call (state override);
Multicall3; one call each, in JSON-RPC batches. All give the same answers.

A tick's calls travel with the tick's other requests, at `latest`, and each proves the block that it ran in against the
header that came with it. What came from another block, or was refused, is asked for again by the block's hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from keeper.chain.nodes.by_hash import ByHash, loads
from keeper.chain.nodes.calls import Answers, CallWay, Chunk, deployed_way, multicall_way, override_way
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.messages import Request, RpcError
from keeper.chain.nodes.plain import PlainWay, check_chain
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.nodes.sight import NOBODY, Found, Sight, native_balance, pinned
from keeper.core.chain import Block, Read
from keeper.core.errors import TransientError
from keeper.core.units import Address

__all__ = ["Asked", "BatchReader", "Found"]

REMEMBERED = 4
"""Sets of reads whose calls are kept: an observer's, and what it asks after that."""
TRIAL = (native_balance(NOBODY),)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request brought: answers to the requests beside the reads, and to the first of the calls for them."""

    beside: list[Any]
    reads: Sequence[Read]
    chunks: Sequence[Chunk]
    said: list[Any]


class BatchReader:
    """Guarantees that all answers are of the block asked for and that one failing read fails alone."""

    def __init__(self, rpc: Rpc, chain_id: int, runtime: bytes, deployed: Address | None = None) -> None:
        """`runtime` is the reader's code, `deployed` where it stands on this chain."""
        self._rpc, self._chain_id, self._runtime, self._deployed = rpc, chain_id, runtime, deployed
        self._plain = PlainWay(rpc, chain_id)
        self._by_hash = ByHash(rpc, chain_id, self._plain, self.forget)
        self._way: CallWay | None = None
        self._is_probed = False
        self._kept: list[tuple[tuple[Read, ...], int, list[Chunk]]] = []

    # --- which way ---------------------------------------------------------------------------------------------------

    @property
    def way(self) -> str:
        """Its name, for people. Probes the node the first time, as everything here does."""
        way = self._calls()
        return self._plain.name if way is None else way.name

    def forget(self) -> None:
        """Probe again before the next read: the node behaves unlike the one that was probed."""
        self._is_probed = False

    def _calls(self) -> CallWay | None:
        """The contract that is asked; None where only the plain way works. Raises TransientError, Unreachable."""
        if not self._is_probed:
            self._way = self._probe()
            self._is_probed = True
            self._kept.clear()
        return self._way

    def _probe(self) -> CallWay | None:
        header = parse_block(self._rpc.call("eth_getBlockByNumber", ["latest", False]), self._chain_id)
        for way in self._call_ways(header):
            (chunk,) = way.chunks(TRIAL)
            answer = self._rpc.batch([way.request(chunk, pinned(header))])[0]
            sight = _sight_of(way, chunk, answer)
            if sight is not None:
                check_chain(sight.chain_id, self._chain_id)
                # On Arbitrum NUMBER is L1's, so only the hash in the request says which block was read.
                way.proves = sight.matches(header)
                return way
        return None

    def _call_ways(self, header: Block) -> Iterator[CallWay]:
        if self._deployed is not None:
            code = self._rpc.call("eth_getCode", [self._deployed, pinned(header)])
            if code == "0x" + self._runtime.hex():
                yield deployed_way(self._deployed)
        yield override_way(self._runtime)
        yield multicall_way()

    # --- reading -----------------------------------------------------------------------------------------------------

    def ask(self, beside: Sequence[Request], reads: Sequence[Read]) -> Asked:
        """All of `beside` and, where they can be proved, all reads at `latest`: in one HTTP request, or as many at once
        as their bytes need. Raises TransientError, Unreachable.
        """
        way = self._calls()
        chunks = self._chunks(way, reads)
        batches: list[list[Request]] = [[*beside]]
        if way is not None and way.proves and chunks:
            batches = [[way.request(chunk, "latest") for chunk in load] for load in loads(chunks)]
            batches[0] = [*beside, *batches[0]]
        answers = [answer for batch in self._by_hash.send(batches) for answer in batch]
        return Asked(answers[: len(beside)], reads, chunks, answers[len(beside) :])

    def settle(self, asked: Asked, block: Block) -> Answers:
        """An answer for each read that was asked, in their order: those that were of `block`, and the others by its
        hash. Raises TransientError, Unreachable."""
        way, chunks = self._calls(), asked.chunks
        if way is None:
            return self._plain.fetch(asked.reads, block)
        seen = [self._seen(way, chunk, answer, block) for chunk, answer in zip(chunks, asked.said, strict=False)]
        parts = [*seen, *[None] * (len(chunks) - len(seen))]
        missing = [chunk for chunk, part in zip(chunks, parts, strict=True) if part is None]
        fetched = iter(self._by_hash.fetch(way, missing, block))
        whole = [
            next(fetched) if part is None else self._by_hash.completed(way, chunk, part, block)
            for chunk, part in zip(chunks, parts, strict=True)
        ]
        return whole[0] if len(whole) == 1 else list(chain.from_iterable(whole))

    def _seen(self, way: CallWay, chunk: Chunk, answer: Any, block: Block) -> Answers | None:
        """None where the node refused the call, or ran it in another block."""
        if isinstance(answer, RpcError):
            return None
        sight, found = way.decode(chunk, answer)
        check_chain(sight.chain_id, self._chain_id)
        return found if sight.matches(block) else None

    def fetch_list(self, reads: Sequence[Read], block: Block) -> Answers:
        """An answer for each read, in their order, at `block`, by its hash. Raises TransientError, Unreachable."""
        return self.settle(Asked([], reads, self._chunks(self._calls(), reads), []), block)

    def fetch(self, reads: Sequence[Read], block: Block) -> Found:
        """The same, by read."""
        return dict(zip(reads, self.fetch_list(reads, block), strict=True))

    # --- calls that are kept -----------------------------------------------------------------------------------------

    def _chunks(self, way: CallWay | None, reads: Sequence[Read]) -> list[Chunk]:
        """Made once for reads that stay the same from tick to tick."""
        if way is None:
            return []
        reads = tuple(reads)
        for known, most, chunks in self._kept:
            if most == way.most and (known is reads or known == reads):
                return chunks
        chunks = way.chunks(reads, [chunks for _, _, chunks in self._kept])
        self._kept = [(reads, way.most, chunks), *self._kept][:REMEMBERED]
        return chunks


def _sight_of(way: CallWay, chunk: Chunk, answer: Any) -> Sight | None:
    """None where this way does not work: a node that ignores an override finds no code and answers with nothing."""
    try:
        sight, found = way.decode(chunk, answer)
    except TransientError:
        return None
    return sight if found else None
