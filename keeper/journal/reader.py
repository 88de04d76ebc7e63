"""The journal as every command reads it, while the daemon writes. Read-only: it cannot change a thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from keeper.core.chain import History
from keeper.core.latches import Latch
from keeper.core.records import PauseState, Proposal, Request, Sample
from keeper.core.sending import LIVE, Intent
from keeper.journal import commands, rows
from keeper.journal.flows import Flow
from keeper.journal.latches import read_latches, read_latches_at
from keeper.journal.observed import flow_of
from keeper.journal.past import Entry
from keeper.journal.proposals import read_by_cycle, read_last
from keeper.journal.recall import read_history
from keeper.journal.rows import read_entries
from keeper.journal.store import open_reader
from keeper.journal.tables import (
    adoptions,
    beats,
    configs,
    cycles,
    flows,
    going,
    halts,
    intents,
    pauses,
    requests,
    samples,
    transitions,
)


@dataclass(frozen=True, slots=True)
class CycleRow:
    """A cycle, or a streak of `turns` unchanged ones. `at` and block are those of the latest turn; reason, decision and
    inputs of the latest one that was told in full, at `told_at`: those after it found nothing new."""

    number: int
    vault: str
    chain_id: int
    kind: str
    code: str
    reason: str
    guards: tuple[str, ...]
    config_hash: str
    armed: bool
    turns: int
    max_drift_bps: int
    """The widest of the streak."""
    first_at: int
    first_block: int
    first_hash: str
    first_decision: Mapping[str, Any]
    first_inputs: bytes
    at: int
    block_number: int
    block_hash: str
    told_at: int
    """Unix seconds."""
    decision: Mapping[str, Any]
    inputs: bytes


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One step in the life of an intent; `before` is empty for the first."""

    before: str
    after: str
    note: str
    at: int
    epoch: int


@dataclass(frozen=True, slots=True)
class HaltRow:
    """A halt of a vault or a sender; `cleared_at` is None while it stands."""

    number: int
    scope: str
    reason: str
    at: int
    cleared_at: int | None
    cleared_by: str
    cleared_reason: str


@dataclass(frozen=True, slots=True)
class AdoptionRow:
    """Who accounts for the nonces below `next_nonce` that are no intents of ours, and why."""

    next_nonce: int
    by: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class BeatRow:
    """The latest sign of life of a chain's loop."""

    chain_id: int
    at: int
    block_number: int
    text: str


@dataclass(frozen=True, slots=True)
class VaultSummary:
    """One vault for `status`."""

    vault: str
    cycle: CycleRow | None
    paused: PauseState | None
    halted: str
    last_trade: int | None
    """Unix seconds of the block of its last trade, or of an upkeep's last call."""
    live: tuple[Intent, ...]


_CYCLES = select(
    cycles,
    func.coalesce(going.c.turns, 0).label("more"),
    going.c.max_drift_bps.label("drift_since"),
    going.c.at.label("looked_at"),
    going.c.block.label("looked_block"),
    going.c.hash.label("looked_hash"),
).select_from(cycles.outerjoin(going, going.c.cycle == cycles.c.id))


class JournalReader:
    """Guarantees: never writes, never waits for the writer, sees whole transactions only.

    Each answer is of its own moment: two calls may see two states of the journal.
    """

    def __init__(self, url: str) -> None:
        """Raises JournalError where there is no journal, or one that this keeper cannot read."""
        self._place, self._engine = open_reader(url)

    @property
    def name(self) -> str:
        """Where the journal is, in words: a path, or a server and its database."""
        return self._place.name

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _all(self, query: Select[Any]) -> Sequence[Any]:
        with self._place.errors(), self._engine.connect() as connection:
            return connection.execute(query).all()

    # --- cycles ------------------------------------------------------------------------------------------------------

    def cycles(
        self,
        vault: str | None = None,
        *,
        limit: int | None = 50,
        since: int | None = None,
        until: int | None = None,
        kinds: Sequence[str] = (),
    ) -> list[CycleRow]:
        """Newest first; those that were going on at some time from `since` (included) to `until` (excluded)."""
        query = _CYCLES.order_by(cycles.c.id.desc()).limit(limit)
        if vault is not None:
            query = query.where(cycles.c.vault == vault)
        if since is not None:
            query = query.where(or_(cycles.c.last_at >= since, going.c.at >= since))
        if until is not None:
            query = query.where(cycles.c.first_at < until)
        if kinds:
            query = query.where(cycles.c.kind.in_(kinds))
        return [cycle_of(row) for row in self._all(query)]

    def cycle(self, number: int) -> CycleRow | None:
        return next((cycle_of(row) for row in self._all(_CYCLES.where(cycles.c.id == number))), None)

    def latest_cycle(self, vault: str | None = None) -> CycleRow | None:
        return next(iter(self.cycles(vault, limit=1)), None)

    def first_cycle(self, vault: str) -> CycleRow | None:
        query = _CYCLES.where(cycles.c.vault == vault).order_by(cycles.c.id).limit(1)
        return next((cycle_of(row) for row in self._all(query)), None)

    def cycle_after(self, number: int) -> CycleRow | None:
        """The next one of the same vault: what came of it."""
        same = select(cycles.c.vault).where(cycles.c.id == number).scalar_subquery()
        later = _CYCLES.where(cycles.c.vault == same, cycles.c.id > number).order_by(cycles.c.id).limit(1)
        return next((cycle_of(row) for row in self._all(later)), None)

    def config(self, config_hash: str) -> str | None:
        """The canonical text of the config that a cycle names."""
        found = self._all(select(configs.c.body).where(configs.c.hash == config_hash))
        return found[0].body if found else None

    def pins(self, config_hash: str, chain_id: int, at: int) -> str | None:
        """What the chain had said of this config by then (Unix seconds)."""
        with self._place.errors(), self._engine.connect() as connection:
            return commands.read_pins(connection, config_hash, chain_id, at)

    # --- transactions ------------------------------------------------------------------------------------------------

    def proposals(self, vault: str, cycle: int | None = None) -> tuple[Proposal, ...]:
        """The vault's latest ones, whatever became of them, the newest last; or what one cycle proposed."""
        with self._place.errors(), self._engine.connect() as connection:
            return read_last(connection, vault) if cycle is None else read_by_cycle(connection, cycle)

    def transactions(
        self, vault: str | None = None, *, since: int | None = None, until: int | None = None, cycle: int | None = None
    ) -> list[Entry]:
        """Oldest first: intent, expectation and outcome. Dated by their block, by their decision until they have one;
        from `since` (included) to `until` (excluded), Unix seconds."""
        dated = func.coalesce(intents.c.mined_at, intents.c.created_at)
        query = select(intents).order_by(dated, intents.c.id)
        if vault is not None:
            query = query.where(intents.c.vault == vault)
        if since is not None:
            query = query.where(dated >= since)
        if until is not None:
            query = query.where(dated < until)
        if cycle is not None:
            query = query.where(intents.c.cycle == cycle)
        with self._place.errors(), self._engine.connect() as connection:
            return read_entries(connection, connection.execute(query).all())

    def trades(self, vault: str | None = None, *, since: int | None = None, until: int | None = None) -> list[Entry]:
        """The transactions that traded: mined, neither reverted nor cancelled."""
        return [e for e in self.transactions(vault, since=since, until=until) if e.traded is not None]

    def transitions(self, intent: int) -> list[TransitionRow]:
        found = self._all(select(transitions).where(transitions.c.intent == intent).order_by(transitions.c.id))
        return [TransitionRow(row.before, row.after, row.note, row.at, row.epoch) for row in found]

    def live(self, vault: str | None = None) -> tuple[Intent, ...]:
        """What is on its way, oldest first."""
        with self._place.errors(), self._engine.connect() as connection:
            return _live(connection, vault)

    def intents_of(self, chain_id: int, sender: str) -> tuple[Intent, ...]:
        """Every nonce that we used or are using, oldest first; one that was given up unsigned is not among them."""
        mine = (intents.c.chain_id == chain_id, intents.c.sender == sender, intents.c.abandoned == 0)
        with self._place.errors(), self._engine.connect() as connection:
            return rows.read_intents(connection, *mine)

    def adopted(self, chain_id: int, sender: str) -> AdoptionRow | None:
        """The furthest adoption; None where nobody adopted anything."""
        mine = and_(adoptions.c.chain_id == chain_id, adoptions.c.sender == sender)
        query = select(adoptions).where(mine).order_by(adoptions.c.next_nonce.desc()).limit(1)
        return next((AdoptionRow(r.next_nonce, r.by, r.reason, r.at) for r in self._all(query)), None)

    # --- now ---------------------------------------------------------------------------------------------------------

    def vaults(self) -> list[str]:
        """Every vault that ever had a cycle, by name."""
        return [row.vault for row in self._all(select(cycles.c.vault).distinct().order_by(cycles.c.vault))]

    def summary(self, vault: str) -> VaultSummary:
        """Of one moment."""
        latest = _CYCLES.where(cycles.c.vault == vault).order_by(cycles.c.id.desc()).limit(1)
        mined = and_(intents.c.vault == vault, intents.c.mined_at.is_not(None))
        acts = select(intents).where(mined, intents.c.purpose.in_(["swap", "upkeep"]))
        acts = acts.order_by(intents.c.mined_at.desc()).limit(20)
        with self._place.errors(), self._engine.connect() as connection:
            cycle = connection.execute(latest).first()
            entries = read_entries(connection, connection.execute(acts).all())
            return VaultSummary(
                vault=vault,
                cycle=None if cycle is None else cycle_of(cycle),
                paused=commands.read_pause(connection, vault),
                halted=commands.read_halt(connection, vault),
                last_trade=next((e.intent.mined.timestamp for e in entries if e.intent.mined and e.acted), None),
                live=_live(connection, vault),
            )

    def beats(self) -> list[BeatRow]:
        found = self._all(select(beats).order_by(beats.c.chain_id))
        return [BeatRow(row.chain_id, row.at, row.block_number, row.text) for row in found]

    def halts(self, *, cleared: bool = False) -> list[HaltRow]:
        """Those that stand, oldest first; with `cleared` the others too."""
        query = select(halts).order_by(halts.c.id)
        found = self._all(query if cleared else query.where(halts.c.cleared_at.is_(None)))
        return [
            HaltRow(r.id, r.scope, r.reason, r.at, r.cleared_at, r.cleared_by or "", r.cleared_reason or "")
            for r in found
        ]

    def latches(self, vault: str, at: int | None = None) -> tuple[Latch, ...]:
        """What its breakers have latched: now, or as it was at a time (Unix seconds)."""
        with self._place.errors(), self._engine.connect() as connection:
            return read_latches(connection, vault) if at is None else read_latches_at(connection, vault, at)

    def pauses(self) -> list[PauseState]:
        """In force, oldest first; `*` stands for every vault."""
        return [PauseState(r.vault, r.reason, r.by, r.at) for r in self._all(select(pauses).order_by(pauses.c.at))]

    def requests(self, limit: int = 50) -> list[tuple[Request, str | None]]:
        """Newest first, each with its answer."""
        found = self._all(select(requests).order_by(requests.c.id.desc()).limit(limit))
        return [(Request(r.id, r.action, r.vault, r.reason, r.by, r.at), r.answer) for r in found]

    def history(self, vault: str, now: int, lookback: int = 0) -> History:
        """What the next decision may know of the past, as the daemon would see it."""
        with self._place.errors(), self._engine.connect() as connection:
            return read_history(connection, vault, now, lookback)

    # --- through time ------------------------------------------------------------------------------------------------

    def samples(self, vault: str, *, since: int | None = None, until: int | None = None) -> list[Sample]:
        """Oldest first."""
        query = _between(select(samples).where(samples.c.vault == vault), samples.c.at, since, until)
        return [rows.sample_of(row) for row in self._all(query.order_by(samples.c.at))]

    def flows(self, vault: str, *, since: int | None = None, until: int | None = None) -> list[Flow]:
        """What came in and went out and was not ours, oldest first."""
        query = _between(select(flows).where(flows.c.vault == vault), flows.c.at, since, until)
        return [flow_of(row) for row in self._all(query.order_by(flows.c.id))]


def _between(query: Select[Any], column: Any, since: int | None, until: int | None) -> Select[Any]:
    if since is not None:
        query = query.where(column >= since)
    return query if until is None else query.where(column < until)


def _live(connection: Connection, vault: str | None) -> tuple[Intent, ...]:
    mine = [intents.c.state.in_(sorted(LIVE))]
    return rows.read_intents(connection, *mine, *([] if vault is None else [intents.c.vault == vault]))


def cycle_of(row: Any) -> CycleRow:
    went_on = row.looked_at is not None
    return CycleRow(
        number=row.id,
        vault=row.vault,
        chain_id=row.chain_id,
        kind=row.kind,
        code=row.code,
        reason=row.reason,
        guards=tuple(row.guards),
        config_hash=row.config_hash,
        armed=bool(row.armed),
        turns=row.turns + row.more,
        max_drift_bps=max(row.max_drift_bps, row.drift_since or 0),
        first_at=row.first_at,
        first_block=row.first_block,
        first_hash=row.first_hash,
        first_decision=row.first_decision,
        first_inputs=bytes(row.first_inputs),
        at=row.looked_at if went_on else row.last_at,
        block_number=row.looked_block if went_on else row.last_block,
        block_hash=row.looked_hash if went_on else row.last_hash,
        told_at=row.first_at if row.last_decision is None else row.last_at,
        decision=row.first_decision if row.last_decision is None else row.last_decision,
        inputs=bytes(row.first_inputs if row.last_inputs is None else row.last_inputs),
    )
