"""Many reads at one block: packed into one `eth_call` where the node lets us, else one call each.

The packed form runs our own reader (contracts/Reader.sol) through a state override at an address where nothing
lives. In: `[20 bytes target][3 bytes length][calldata]` per item, where target zero asks for a native balance. Out:
block number, hash of the parent and chain id as words, then `[1 byte ok][3 bytes length][data]` per item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from keeper.chain.nodes.headers import parse_block, quantity, unhex
from keeper.chain.nodes.rpc import Request, Rpc, RpcError
from keeper.core.chain import Block, Read
from keeper.core.errors import TransientError
from keeper.core.units import Address

NOBODY = Address("0x0000000000000000000000000000000000000000")
READER = "0x6b65657065720000000000000000000000726561"
"""Where the reader's code is put for the length of a call: "keeper…rea", nobody's address."""

MAX_ITEMS = 500
"""Reads of one packed call: at 50,000 gas each they fit the 30M of a block, the least that nodes grant an eth_call. The
reader gives each read an eighth of what is left, so a call that runs short would fail its last reads, not itself."""
MAX_BYTES = 200_000
"""Calldata of one packed call: as hex 400 kB, well below the 5 MB that geth takes."""
MAX_PLAIN = 100
"""Calls of one JSON-RPC batch, which several providers allow at most."""

HEAD_WORDS = 3
ITEM_HEAD = 4

Found = dict[Read, bytes | None]


@dataclass(frozen=True, slots=True)
class Sight:
    """The block that the reader ran in, as its opcodes tell."""

    number: int
    parent_hash: str
    chain_id: int

    def matches(self, block: Block) -> bool:
        return (self.number, self.parent_hash, self.chain_id) == (block.number, block.parent_hash, block.chain_id)


def native_balance(address: Address) -> Read:
    """The native balance of `address`; the answer is one word."""
    return Read(NOBODY, bytes.fromhex(address[2:]))


@lru_cache(maxsize=65_536)
def _template(read: Read) -> bytes:
    return bytes.fromhex(read.to[2:]) + len(read.data).to_bytes(3, "big") + read.data


def encode_reads(reads: Sequence[Read]) -> bytes:
    return b"".join(map(_template, reads))


def decode_found(output: bytes, reads: Sequence[Read]) -> tuple[Sight, Found]:
    """Raises TransientError where the output is not exactly one answer for each read."""
    at = 32 * HEAD_WORDS
    sight = Sight(int.from_bytes(output[:32], "big"), "0x" + output[32:64].hex(), int.from_bytes(output[64:at], "big"))
    found: Found = {}
    for read in reads:
        start = at + ITEM_HEAD
        end = start + int.from_bytes(output[at + 1 : start], "big")
        found[read] = output[start:end] if output[at : at + 1] == b"\x01" else None
        at = end
    if at != len(output):
        raise TransientError(f"packed answer: expected {at} bytes, found {len(output)}")
    return sight, found


def pinned(block: Block) -> dict[str, str]:
    """A block by its hash (EIP-1898)."""
    return {"blockHash": block.hash}


class BatchReader:
    """Reads a block through whichever way the node offers, found out by probing once.

    Guarantees that all answers are of the block asked for and that one failing read fails alone.
    """

    def __init__(self, rpc: Rpc, chain_id: int, runtime: bytes) -> None:
        """`runtime` is the reader's code."""
        self._rpc, self._chain_id = rpc, chain_id
        self._code = "0x" + runtime.hex()
        self._packs: bool | None = None
        self._opcodes_are_own = True
        self._max_items = MAX_ITEMS

    # --- which way ---------------------------------------------------------------------------------------------------

    @property
    def can_read_at_latest(self) -> bool:
        """A packed call at `latest` can be checked against a header. Probes the node the first time."""
        if self._packs is None:
            self._probe()
        return bool(self._packs) and self._opcodes_are_own

    def forget(self) -> None:
        """Probe again before the next read: the node behaves unlike the one that was probed."""
        self._packs = None

    def _probe(self) -> None:
        header = parse_block(self._rpc.call("eth_getBlockByNumber", ["latest", False]), self._chain_id)
        answer = self._rpc.batch([self.packed((), pinned(header))])[0]
        # A node that ignores the override finds no code and answers with nothing.
        self._packs = not isinstance(answer, RpcError) and len(unhex(answer, "packed answer")) == 32 * HEAD_WORDS
        if self._packs:
            sight, _ = decode_found(unhex(answer, "packed answer"), ())
            self._check_chain(sight.chain_id)
            # On Arbitrum NUMBER is L1's, so only the hash in the request says which block was read.
            self._opcodes_are_own = sight.matches(header)

    def _check_chain(self, found: int) -> None:
        if found != self._chain_id:
            raise TransientError(f"chain id: expected {self._chain_id}, was {found}")

    # --- requests ----------------------------------------------------------------------------------------------------

    def packed(self, reads: Sequence[Read], at: str | dict[str, str]) -> Request:
        call = {"to": READER, "data": "0x" + encode_reads(reads).hex()}
        return "eth_call", [call, at, {READER: {"code": self._code}}]

    def chunks(self, reads: Sequence[Read]) -> list[tuple[Read, ...]]:
        """Reads in their order, in as few packed calls as bytes and gas allow."""
        chunks: list[tuple[Read, ...]] = []
        chunk: list[Read] = []
        held = 0
        for read in reads:
            cost = len(_template(read))
            if chunk and (len(chunk) >= self._max_items or held + cost > MAX_BYTES):
                chunks.append(tuple(chunk))
                chunk, held = [], 0
            chunk.append(read)
            held += cost
        return [*chunks, tuple(chunk)] if chunk else chunks

    def accept(self, answer: Any, reads: Sequence[Read], block: Block) -> Found | None:
        """Answers of a packed call at `latest`; None where it saw another block. Raises TransientError, RpcError."""
        if isinstance(answer, RpcError):
            raise answer
        sight, found = decode_found(unhex(answer, "packed answer"), reads)
        self._check_chain(sight.chain_id)
        return found if sight.matches(block) else None

    # --- reading by hash ---------------------------------------------------------------------------------------------

    def fetch(self, reads: Sequence[Read], block: Block) -> Found:
        """Every read at `block`, by its hash. Raises TransientError, Unreachable."""
        if self._packs is None:
            self._probe()
        found: Found = {}
        for chunk in self.chunks(reads):
            found |= self._fetch_packed(chunk, block) if self._packs else self._fetch_plain(chunk, block)
        return found

    def _fetch_packed(self, reads: tuple[Read, ...], block: Block) -> Found:
        found = self._try_packed(reads, block)
        return self._split(reads, block) if found is None else found

    def _split(self, reads: tuple[Read, ...], block: Block) -> Found:
        """Halves of a call that was too much. One read that is too much for any node failed by itself."""
        if len(reads) == 1:
            return {reads[0]: None}
        half = (len(reads) + 1) // 2
        parts = reads[:half], reads[half:]
        answers = [self._try_packed(part, block) for part in parts]
        if None not in answers:
            # Both passed, so it was their number; had it been one greedy read, its half would have failed again.
            self._max_items = min(self._max_items, half)
        found: Found = {}
        for part, answer in zip(parts, answers, strict=True):
            found |= self._split(part, block) if answer is None else answer
        return found

    def _try_packed(self, reads: tuple[Read, ...], block: Block) -> Found | None:
        """None where the call was too much for the node. Raises RpcError where the node failed otherwise."""
        answer = self._rpc.batch([self.packed(reads, pinned(block))])[0]
        if isinstance(answer, RpcError):
            if is_revert(answer) or (len(reads) > 1 and is_too_much(answer)):
                return None
            self.forget()
            raise answer
        sight, found = decode_found(unhex(answer, "packed answer"), reads)
        self._check_chain(sight.chain_id)
        if self._opcodes_are_own and not sight.matches(block):
            raise TransientError(f"block by hash: expected {block.number}, was {sight.number}")
        return found

    def _fetch_plain(self, reads: tuple[Read, ...], block: Block) -> Found:
        found: Found = {}
        for start in range(0, len(reads), MAX_PLAIN):
            some = reads[start : start + MAX_PLAIN]
            requests = [("eth_chainId", []), *(_plain(read, block) for read in some)]
            chain, *answers = self._rpc.batch(requests)
            if isinstance(chain, RpcError):
                raise chain
            self._check_chain(quantity(chain, "chain id"))
            found |= {read: _plain_answer(read, answer) for read, answer in zip(some, answers, strict=True)}
        return found


def _plain(read: Read, block: Block) -> Request:
    if read.to == NOBODY:
        return "eth_getBalance", ["0x" + read.data.hex(), pinned(block)]
    return "eth_call", [{"to": read.to, "data": "0x" + read.data.hex()}, pinned(block)]


def _plain_answer(read: Read, answer: Any) -> bytes | None:
    """Raises RpcError where the node failed rather than the contract."""
    if isinstance(answer, RpcError):
        if not is_revert(answer):
            raise answer
        return None
    if read.to == NOBODY:
        return quantity(answer, "balance").to_bytes(32, "big")
    return unhex(answer, "eth_call")


def is_revert(error: RpcError) -> bool:
    """The contract failed, not the node: geth's code 3, or words that clients use for it."""
    text = error.message.lower()
    words = ("revert", "invalid opcode", "invalidopcode", "opcodenotfound", "invalid jump", "out of gas", "outofgas")
    return error.code == 3 or any(word in text for word in words)


def is_too_much(error: RpcError) -> bool:
    """The call was too large for this node: gas, size or time. Smaller pieces may pass."""
    text = error.message.lower()
    words = ("gas", "too large", "too big", "size", "limit", "timeout", "timed out", "exceed")
    lags = ("rate", "header", "missing trie", "not found", "unknown block")
    return is_revert(error) or (any(word in text for word in words) and not any(word in text for word in lags))
