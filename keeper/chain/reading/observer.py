"""One consistent block for every due vault, in one HTTP request while nothing unusual happens.

Guarantees: header, balances, pools and prices of a snapshot are of one block, proven by block number, parent hash and
chain id from the reader's own opcodes, or by asking for the block by its hash. Nonces are the node's latest and only a
check: the journal is their source. Does not judge whether the node tells the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.headers import parse_block, parse_tip, quantity
from keeper.chain.nodes.rpc import Request, Rpc, RpcError
from keeper.chain.nodes.sight import Found
from keeper.chain.reading.asking import Answered, Asking, Askings
from keeper.chain.reading.direct import fetch_replies
from keeper.chain.reading.glances import Glancing
from keeper.chain.reading.views import Decoded, VaultSpec, build_view
from keeper.core.chain import Block, History, Needs, Observed, Read, Snapshot, Unusable
from keeper.core.errors import TransientError
from keeper.core.pools import Pool, PoolState
from keeper.core.ports import Clock, Venue
from keeper.core.units import Address, Wei

COLD_FOLLOW_UPS, STEADY_FOLLOW_UPS = 2, 1
"""Requests for what only other answers reveal (v3's ticks after its bitmap after its slot). A venue that is told the
pool's last state asks for all of it at once, or for the rest in one more request."""


@dataclass(slots=True)
class _Tick:
    """What this tick asks, by whom it is needed, and what has come back."""

    asking: Asking
    pool_reads: dict[Address, tuple[Read, ...]]
    found: Answered

    def reads(self) -> tuple[Read, ...]:
        return self.asking.with_shared(
            read for part in (self.asking.prices, *self.pool_reads.values()) for read in part
        )

    def answers(self, spec: VaultSpec) -> Found:
        """Only what this vault's view is made from."""
        own = [*spec.account_reads(), *spec.price_reads(), *spec.extra]
        parts = [own, spec.direct, *(self.pool_reads[pool.address] for pool in spec.pools)]
        return {read: self.found[read] for part in parts for read in part if read in self.found}


@dataclass(frozen=True, slots=True)
class _Head:
    block: Block
    nonces: Mapping[Address, int]
    tip: Wei | None


class _Vaults(Mapping[str, Observed]):
    """Each vault's view, made when it is first asked for: most ticks ask for few."""

    def __init__(self, names: Sequence[str], make: Callable[[str], Observed]) -> None:
        self._names, self._make = frozenset(names), make
        self._made: dict[str, Observed] = {}

    def __getitem__(self, name: str) -> Observed:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class ChainObserver:
    """Observes the vaults of one chain. Keeps each pool's last state, so that the next tick knows what to read."""

    def __init__(
        self,
        rpc: Rpc,
        chain_id: int,
        specs: Sequence[VaultSpec],
        venues: Mapping[str, Venue],
        history: Callable[[str, int], History],
        runtime: bytes,
        clock: Clock,
        max_head_age: int | None = None,
        *,
        max_ahead: int = 30,
        legacy: bool = False,
        tip_percentile: int = 50,
        reader: Address | None = None,
        marks: Callable[[Sequence[str]], Mapping[str, object]] | None = None,
        senders: Collection[Address] | None = None,
    ) -> None:
        """`runtime` is the packed reader's code, `reader` where it is deployed; `max_head_age` is in seconds, None to
        accept any head; `max_ahead` is how far a head may be ahead of the clock, which shows that one of the two is
        wrong. A `legacy` chain has no fee history: there the tip is the gas price that the node suggests. `marks`
        names the state of each vault's past (Journal.marks); without it no vault is glanced at, and each goes the
        full way. `senders` are those whose nonces are asked for, None for all."""
        self._rpc, self._chain_id, self._venues, self._history = rpc, chain_id, venues, history
        self._specs = {spec.name: spec for spec in specs}
        self._clock, self._max_head_age, self._max_ahead = clock, max_head_age, max_ahead
        self._legacy, self._tip_percentile = legacy, tip_percentile
        self._reader = BatchReader(rpc, chain_id, runtime, reader)
        self._askings = Askings(self._specs)
        self._senders = None if senders is None else frozenset(senders)
        self._glancing = None if marks is None else Glancing(specs, marks)
        self._states: dict[Address, PoolState] = {}
        self._last_number = 0

    def observe(self, due: Sequence[str]) -> Snapshot:
        """Raises TransientError or Unreachable where no consistent, recent block can be had."""
        specs = [self._specs[name] for name in due]
        tick = self._tick(due)
        head = self._read(tick)
        decoded = Decoded(head.block, tick.found, self._venues)
        is_cold = not tick.asking.pools.keys() <= self._states.keys()
        for _ in range(COLD_FOLLOW_UPS if is_cold else STEADY_FOLLOW_UPS):
            if not self._follow_up(tick, decoded, head.block):
                break
            decoded = Decoded(head.block, tick.found, self._venues)
        tick.found.more |= self._fetch_direct(specs, head.block)
        self._remember(tick, decoded)
        self._last_number = head.block.number
        glances = {} if self._glancing is None else self._glancing.glance(due, tick.found, decoded)
        vaults = _Vaults(due, lambda name: self._observed(self._specs[name], tick, decoded, head))
        return Snapshot(head.block, vaults, head.nonces, glances)

    def _tick(self, due: Sequence[str]) -> _Tick:
        asking = self._askings.of(due)
        pool_reads = {address: self._pool_reads(pool) for address, pool in asking.pools.items()}
        return _Tick(asking, pool_reads, Answered(asking, (), {}))

    def _pool_reads(self, pool: Pool) -> tuple[Read, ...]:
        venue = self._venues.get(pool.kind)
        return venue.reads(pool, self._states.get(pool.address)) if venue else ()

    # --- one block ---------------------------------------------------------------------------------------------------

    def _read(self, tick: _Tick) -> _Head:
        """Fills the tick's answers. One request where the node can and everything fits into it."""
        reads = tick.reads()
        senders = [each for each in tick.asking.senders if self._senders is None or each in self._senders]
        asked = self._reader.ask(_head_requests(senders, self._tip_percentile, legacy=self._legacy), reads)
        head = self._head(asked.beside, senders)
        tick.found = Answered.to(tick.asking, reads, self._reader.settle(asked, head.block))
        return head

    def _head(self, answers: Sequence[Any], senders: Sequence[Address]) -> _Head:
        header, fees, *counts = answers
        if failed := next((answer for answer in (header, *counts) if isinstance(answer, RpcError)), None):
            raise failed
        block = parse_block(header, self._chain_id)
        self._check_head(block)
        nonces = {sender: quantity(count, "nonce") for sender, count in zip(senders, counts, strict=True)}
        return _Head(block, nonces, self._tip(block, fees))

    def _tip(self, block: Block, fees: Any) -> Wei | None:
        if self._legacy:
            return None if isinstance(fees, RpcError) else Wei(quantity(fees, "gas price"))
        return None if block.base_fee is None else parse_tip(fees)

    def _check_head(self, block: Block) -> None:
        if block.number < self._last_number:
            raise TransientError(f"head went back: expected at least {self._last_number}, was {block.number}")
        if self._max_head_age is None:
            return
        age = self._clock.now() - block.timestamp
        if age > self._max_head_age:
            raise TransientError(f"head is {age} s old, allowed {self._max_head_age} s")
        if -age > self._max_ahead:
            raise TransientError(f"head is {-age} s ahead of this clock, allowed {self._max_ahead} s")

    # --- pools -------------------------------------------------------------------------------------------------------

    def _follow_up(self, tick: _Tick, decoded: Decoded, block: Block) -> bool:
        """Reads what the pools still need, at the same block. False where they need nothing."""
        wanted: dict[Read, None] = {}
        for address, pool in tick.asking.pools.items():
            needs = decoded.pool(pool)
            if isinstance(needs, Needs):
                tick.pool_reads[address] += needs.reads
                wanted |= dict.fromkeys(read for read in needs.reads if read not in tick.found)
        if not wanted:
            return False
        tick.found.more |= self._reader.fetch(tuple(wanted), block)
        return True

    def _fetch_direct(self, specs: Sequence[VaultSpec], block: Block) -> Found:
        """What must be asked for by itself; no request where nothing must."""
        reads = tuple(dict.fromkeys(read for spec in specs for read in spec.direct))
        return fetch_replies(self._rpc, reads, block) if reads else {}

    def _remember(self, tick: _Tick, decoded: Decoded) -> None:
        for address, pool in tick.asking.pools.items():
            state = decoded.pool(pool)
            if isinstance(state, Needs | Unusable):
                self._states.pop(address, None)
            else:
                self._states[address] = state

    def _observed(self, spec: VaultSpec, tick: _Tick, decoded: Decoded, head: _Head) -> Observed:
        answers = tick.answers(spec)
        history = self._history(spec.name, head.block.timestamp)
        try:
            view = build_view(spec, head.block, answers, history, head.tip, self._venues, decoded)
        except Exception as error:  # noqa: BLE001  what is odd about one vault must not blind the keeper to the others
            view = Unusable(f"its view cannot be made: {type(error).__name__}: {error}")
        return Observed(view, answers)


def _head_requests(senders: Sequence[Address], percentile: int, *, legacy: bool) -> list[Request]:
    return [
        ("eth_getBlockByNumber", ["latest", False]),
        ("eth_gasPrice", []) if legacy else ("eth_feeHistory", ["0x5", "latest", [percentile]]),
        *(("eth_getTransactionCount", [sender, "latest"]) for sender in senders),
    ]
