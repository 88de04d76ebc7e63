"""Many reads as one `eth_call`: to our own reader, put there for the length of the call or deployed, or to Multicall3.

Whatever does not change from tick to tick (calldata, its JSON, the shape of the answer) is made once and kept with the
reads it is for, in a Chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from keeper.chain.nodes import multicall, packed
from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.json_text import Written, text
from keeper.chain.nodes.messages import Request
from keeper.chain.nodes.shapes import Layout, Shape
from keeper.chain.nodes.sight import Sight
from keeper.core.chain import Read
from keeper.core.units import Address

READER = "0x6b65657065720000000000000000000000726561"
"""Where the reader's code is put for the length of a call: "keeper…rea", nobody's address."""

MAX_ITEMS = 2_000
"""Reads of one call at most. At 13,500 gas each they fit the 30M of a block, the least that nodes grant an eth_call.
Where they do not, our reader says how many did, and Multicall3 fails and is halved."""
LEAST_ITEMS = 100
"""Fewer are not asked for in one call only because the last one ran out of gas: a few greedy reads must not make a
thousand calls of a tick."""
MAX_BYTES = 200_000
"""Calldata of one call: as hex 400 kB."""

Answers = list[bytes | None]


@dataclass(frozen=True, slots=True)
class Form:
    """How a contract takes many reads and answers them. `sight` is how many fields come before those of the reads,
    `cost` how many bytes a read takes beside its calldata."""

    encode: Callable[[Sequence[Read]], bytes]
    lay_out: Callable[[bytes, int], Layout]
    sight: int
    cost: int


PACKED = Form(packed.encode_reads, packed.lay_out, packed.SIGHT_FIELDS, 23)
AGGREGATE = Form(multicall.encode_aggregate, multicall.lay_out_aggregate, multicall.SIGHT_FIELDS, 192)


@dataclass(slots=True)
class Chunk:
    """The reads of one call, its parameters but for the block, and how the last answer was laid out."""

    reads: tuple[Read, ...]
    call: dict[str, str]
    text: bytes
    shape: Shape | None = None


@dataclass(slots=True)
class CallWay:
    """One contract to ask. `code` is put at its address for the length of the call; empty where it is deployed.

    `doubts`: a failed read may have failed for want of gas, because the contract bounds no read's share.
    """

    name: str
    to: str
    form: Form
    code: str = ""
    doubts: bool = False
    most: int = MAX_ITEMS
    proves: bool = False
    """Its answers say which block they are of, as the header has it: a call at `latest` can be compared."""
    overrides: dict[str, dict[str, str]] = field(init=False)
    _tail: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.overrides = {self.to: {"code": self.code}} if self.code else {}
        self._tail = b"," + text(self.overrides) if self.code else b""

    def chunk(self, reads: tuple[Read, ...]) -> Chunk:
        call = {"to": self.to, "data": "0x" + self.form.encode(reads).hex()}
        return Chunk(reads, call, text(call))

    def request(self, chunk: Chunk, at: str | dict[str, str]) -> Request:
        values: list[Any] = [chunk.call, at, self.overrides] if self.code else [chunk.call, at]
        return "eth_call", Written(values, (b"[", chunk.text, b"," + text(at) + self._tail + b"]"))

    def decode(self, chunk: Chunk, answer: Any) -> tuple[Sight, Answers]:
        """At most as many answers as the chunk has reads, in their order. Raises TransientError where the answer is
        damaged in any way."""
        output = unhex(answer, self.name)
        found = None if chunk.shape is None else chunk.shape.cut(output)
        if found is None:
            chunk.shape = Shape(output, self.form.lay_out(output, len(chunk.reads)))
            found = chunk.shape.cut(output)
        assert found is not None, "a shape fits what it was taken from"
        seen = b"".join(piece for piece in found[: self.form.sight] if piece is not None)
        return Sight.of(seen), found[self.form.sight :]

    def ran_short(self, made: int) -> None:
        """The contract had no gas for more reads than it made."""
        self.most = max(LEAST_ITEMS, min(self.most, max(made, self.most // 2)))

    def chunks(self, reads: Sequence[Read], known: Sequence[Sequence[Chunk]] = ()) -> list[Chunk]:
        """Reads in their order, in as few calls as bytes and gas allow; calls of the same reads are taken from `known`
        ones of the same place, so that what comes to the end of a tick's reads leaves those before it as they were."""
        found: list[Chunk] = []
        for piece in self._pieces(tuple(reads)):
            same = (chunks[len(found)] for chunks in known if len(chunks) > len(found))
            found.append(next((chunk for chunk in same if chunk.reads == piece), None) or self.chunk(piece))
        return found

    def _pieces(self, reads: tuple[Read, ...]) -> Iterator[tuple[Read, ...]]:
        start, held = 0, 0
        for at, read in enumerate(reads):
            cost = self.form.cost + len(read.data)
            if at > start and (at - start >= self.most or held + cost > MAX_BYTES):
                yield reads[start:at]
                start, held = at, 0
            held += cost
        if reads:
            yield reads[start:]


def override_way(runtime: bytes) -> CallWay:
    return CallWay("reader put there for the call", READER, PACKED, code="0x" + runtime.hex())


def deployed_way(reader: Address) -> CallWay:
    return CallWay("deployed reader", reader, PACKED)


def multicall_way() -> CallWay:
    return CallWay("Multicall3", multicall.MULTICALL3, AGGREGATE, doubts=True)
