"""Blocks mined on command, reorgs, and several nodes that each see the chain in their own way. Blocks are the clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.builders import CHAIN, NOW
from tests.faults.sim.ledger import Ledger, Tx, decode_tx
from tests.faults.sim.pool import Pool, Refused

GWEI = 10**9
GAS_LIMIT = 30_000_000
BLOCK_TIME = 12

Act = Callable[[Ledger], None]
"""What happens in a block beside transactions: the price moves, somebody trades."""


@dataclass(frozen=True, slots=True)
class SimBlock:
    number: int
    hash: str
    parent: str
    timestamp: int
    base_fee: int
    txs: tuple[Tx, ...]
    acts: tuple[Act, ...]
    before: Ledger
    """After the block's own acts, before its transactions."""
    after: Ledger
    receipts: dict[str, dict[str, Any]]


class Fate(StrEnum):
    """What becomes of the transactions of blocks that a reorg takes back."""

    AGAIN = "again"
    """Mined in the block of the same number."""
    ELSEWHERE = "elsewhere"
    """All of them in the last new block."""
    POOL = "pool"
    """Back in the pools, as geth does."""
    NEVER = "never"
    """Gone from blocks and pools."""


@dataclass(slots=True)
class View:
    """How one node sees the network: so many blocks behind, or on a branch of its own."""

    pool: Pool
    lag: int = 0
    branch: list[SimBlock] | None = None


@dataclass(slots=True)
class Network:
    """The canonical chain, which miners extend, and everything that was ever shown to any node."""

    genesis: Ledger
    finality: int = 8
    """A block so deep is finalized, and no reorg takes it back."""
    base_fee: int = 10 * GWEI
    tip: int = GWEI
    chain: list[SimBlock] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    seen: dict[str, Tx] = field(default_factory=dict)
    """By hash: every transaction that reached a node, taken or not."""
    on_seen: Callable[[Tx], None] = lambda tx: None
    made: dict[int, list[SimBlock]] = field(default_factory=dict)
    """By timestamp: every block that ever was, on the chain or not."""
    salt: int = 0
    finalized: int = 0
    reorgs: int = 0

    def __post_init__(self) -> None:
        if not self.chain:
            self.chain.append(self._block(None, (), (), NOW))

    def add_view(self, client: str) -> View:
        view = View(Pool(client, CHAIN, GAS_LIMIT))
        self.views.append(view)
        return view

    @property
    def head(self) -> SimBlock:
        return self.chain[-1]

    @property
    def ledger(self) -> Ledger:
        return self.head.after

    def blocks(self, view: View) -> Sequence[SimBlock]:
        """What this node believes the chain to be."""
        chain = self.chain if view.branch is None else view.branch
        return chain[: max(1, len(chain) - view.lag)] if view.lag else chain

    # --- mining ------------------------------------------------------------------------------------------------------

    def mine(
        self, txs: Iterable[Tx] | None = None, acts: Sequence[Act] = (), *, seconds: int = BLOCK_TIME, limit: int = 100
    ) -> SimBlock:
        """One block. Without `txs` it holds what the pools offer, the best paying of each nonce first."""
        parent = self.head
        chosen = self.offers() if txs is None else list(txs)
        block = self._block(parent, chosen[:limit], acts, parent.timestamp + seconds)
        self.chain.append(block)
        self._settle()
        return block

    def offers(self, lowest: bool = False) -> list[Tx]:
        """What any node has, executable in this order: for each nonce the one that pays most, or least."""
        best: dict[tuple[str, int], Tx] = {}
        for view in self.views:
            for tx in view.pool.executable(self.ledger, self.base_fee):
                known = best.get((tx.sender, tx.nonce))
                if known is None or (tx.tip < known.tip if lowest else tx.tip > known.tip):
                    best[tx.sender, tx.nonce] = tx
        return [best[key] for key in sorted(best)]

    def rivals(self) -> list[Tx]:
        """Whatever was ever shown to a node and could be mined now: one miner may have kept any of them."""
        nonces, base_fee = self.ledger.nonces, self.base_fee
        return [tx for tx in self.seen.values() if tx.nonce == nonces.get(tx.sender, 0) and tx.cap >= base_fee]

    def _block(self, parent: SimBlock | None, txs: Iterable[Tx], acts: Sequence[Act], timestamp: int) -> SimBlock:
        before = (self.genesis if parent is None else parent.after).copy()
        number, base_fee = (0, self.base_fee) if parent is None else (parent.number + 1, self.base_fee)
        for act in acts:
            act(before)
        ledger = before.copy() if txs else before
        included, receipts = [], []
        for tx in txs:
            cost = tx.gas * tx.cap + tx.value
            if tx.nonce != ledger.nonces.get(tx.sender, 0) or tx.cap < base_fee or ledger.native[tx.sender] < cost:
                continue
            included.append(tx)
            receipts.append(ledger.execute(tx, base_fee, timestamp))
        self.salt += 1
        name = f"{parent.hash if parent else ''} {number} {self.salt} {[tx.hash for tx in included]}"
        block_hash = "0x" + hashlib.sha256(name.encode()).hexdigest()
        place = {"blockNumber": hex(number), "blockHash": block_hash}
        found = {receipt["transactionHash"]: receipt | place for receipt in receipts}
        parent_hash = parent.hash if parent else "0x" + "00" * 32
        block = SimBlock(
            number, block_hash, parent_hash, timestamp, base_fee, tuple(included), tuple(acts), before, ledger, found
        )
        self.made.setdefault(timestamp, []).append(block)
        return block

    def _settle(self) -> None:
        self.finalized = max(self.finalized, self.head.number - self.finality)
        for view in self.views:
            view.pool.settle(self.blocks(view)[-1].after)

    # --- reorgs ------------------------------------------------------------------------------------------------------

    def reorg(self, depth: int, fate: Fate, *, extra: int = 1) -> int:
        """Replaces up to `depth` blocks that are not final by so many and `extra` more. Returns how many it took."""
        depth = min(depth, self.head.number - self.finalized)
        if depth <= 0:
            return 0
        self.reorgs += 1
        old = self.chain[-depth:]
        del self.chain[-depth:]
        lost = [tx for block in old for tx in block.txs]
        for view in self.views:
            for tx in lost:
                if fate is Fate.NEVER:
                    view.pool.drop(tx.hash)
                elif fate is Fate.POOL:
                    view.pool.put_back(tx)
        for at in range(depth + extra):
            txs: Sequence[Tx] = ()
            if fate is Fate.AGAIN and at < depth:
                txs = old[at].txs
            elif fate is Fate.ELSEWHERE and at == depth + extra - 1:
                txs = lost
            acts = old[at].acts if at < depth else ()
            timestamp = old[at].timestamp if at < depth else self.head.timestamp + BLOCK_TIME
            self.chain.append(self._block(self.head, txs, acts, timestamp))
        self._settle()
        return depth

    # --- what nodes are shown ----------------------------------------------------------------------------------------

    def show(self, raw: bytes) -> None:
        """A node was handed these bytes, whatever it makes of them."""
        try:
            tx = decode_tx(raw)
        except (ValueError, KeyError):
            return
        if tx.hash not in self.seen:
            self.on_seen(tx)
            self.seen[tx.hash] = tx

    def gossip(self) -> None:
        """Pools tell each other what they have; each takes it by its own rules."""
        for tx in [tx for view in self.views for tx in view.pool.hashes.values()]:
            for view in self.views:
                try:
                    view.pool.add(tx.raw, self.blocks(view)[-1].after)
                except Refused:
                    continue

    def canonical(self) -> list[tuple[SimBlock, Tx]]:
        return [(block, tx) for block in self.chain for tx in block.txs]
