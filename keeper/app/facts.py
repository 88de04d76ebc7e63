"""The journal's rows as the reports want them, with what the configuration knows of names and times."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from keeper.app.journals import proposals_beside
from keeper.app.proposal_files import ProposalFiles
from keeper.app.schedules import make_looks
from keeper.config import Loaded
from keeper.core.errors import ConfigError
from keeper.core.records import Proposal
from keeper.journal.past import Entry
from keeper.journal.reader import CycleRow, JournalReader
from keeper.report.facts import CycleFacts, CycleNote, Streak, Transaction, VaultFacts
from keeper.report.proposals import Written
from keeper.telemetry.health import LONGEST_SILENCE, Beat


def transactions_of(entries: Sequence[Entry]) -> tuple[Transaction, ...]:
    return tuple(Transaction(entry.intent, entry.expect, entry.outcome) for entry in entries)


def proposals_of(loaded: Loaded, found: Iterable[Proposal]) -> tuple[Written, ...]:
    """With the files in which people find them."""
    files = ProposalFiles(proposals_beside(loaded))
    return tuple(Written(each, tuple(map(str, files.places(each)))) for each in found)


def cycle_facts(loaded: Loaded, reader: JournalReader, row: CycleRow) -> CycleFacts:
    """A cycle with its streak, its transactions and what came after it."""
    after = reader.cycle_after(row.number)
    return CycleFacts(
        number=row.number,
        vault=row.vault,
        chain=_chain_name(loaded, row.chain_id),
        block_number=row.block_number,
        at=row.at,
        kind=row.kind,
        code=row.code,
        reason=row.reason,
        armed=row.armed,
        decision=row.decision,
        guards=row.guards,
        streak=Streak(row.first_at, row.at, row.turns) if row.turns > 1 else None,
        transactions=transactions_of(reader.transactions(cycle=row.number)),
        proposals=proposals_of(loaded, reader.proposals(row.vault, row.number)) if row.kind == "proposed" else (),
        after=CycleNote(after.number, after.first_at, after.kind, after.reason) if after else None,
        next_look=None if after else next_look(loaded, row.vault, row.at),
        latches=reader.latches(row.vault, row.at),
        told_at=row.told_at if row.told_at < row.at else None,
        config="" if str(loaded.path) == "keeper.yaml" else str(loaded.path),
    )


def vault_facts(loaded: Loaded, reader: JournalReader | None, vault: str) -> VaultFacts:
    """One vault for `status`; without a journal only what the configuration says."""
    body = loaded.config.kept[vault]
    if reader is None:
        return VaultFacts(vault, body.chain, body.mode)
    found, original = reader.summary(vault), loaded.config.original_of(vault)
    beside = reader.latest_cycle(original)
    return VaultFacts(
        name=vault,
        chain=body.chain,
        mode=body.mode,
        armed=bool(found.cycle and found.cycle.armed),
        cycle=cycle_facts(loaded, reader, found.cycle) if found.cycle else None,
        paused=found.paused,
        halted=found.halted,
        latches=reader.latches(vault),
        last_trade=found.last_trade,
        next_look=next_look(loaded, vault, found.cycle.at) if found.cycle else None,
        original=original if original != vault else "",
        beside=cycle_facts(loaded, reader, beside) if beside and original != vault else None,
    )


def next_look(loaded: Loaded, vault: str, last: int) -> int | None:
    """{Unix seconds} When the schedule looks again after `last`; None for a vault that is configured no more."""
    body = loaded.config.kept.get(vault)
    if body is None:
        return None
    return make_looks(body, float(loaded.config.chains[body.chain].block_time)).next_at(last)


def now_of(loaded: Loaded, reader: JournalReader) -> int:
    """The wall clock; on a chain with a time of its own, that chain's latest beat."""
    if all(chain.clock == "system" for chain in loaded.config.chains.values()):
        return int(time.time())
    return max((beat.at for beat in reader.beats()), default=int(time.time()))


def beats_of(loaded: Loaded, reader: JournalReader) -> list[Beat]:
    """One for each chain that has a vault; a chain that never beat counts as silent since 1970."""
    wanted = {kept.chain for kept in loaded.config.kept.values()}
    found = {beat.chain_id: beat for beat in reader.beats()}
    beats = []
    for name in sorted(wanted):
        beat = found.get(loaded.config.chains[name].chain_id)
        beats.append(Beat(name, beat.at, beat.block_number, beat.text, LONGEST_SILENCE) if beat else Beat(name, 0))
    return beats


def moment(text: str, option: str) -> int:
    """{Unix seconds} A day or a time in UTC. Raises ConfigError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError("command", option, "a day or a time such as 2026-11-01 or 2026-11-01T08:00", text) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def _chain_name(loaded: Loaded, chain_id: int) -> str:
    return next((name for name, chain in loaded.config.chains.items() if chain.chain_id == chain_id), str(chain_id))
