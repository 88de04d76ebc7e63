"""Recorded decisions, made again offline: from the journal's inputs, with the chain as it was pinned then.

With the same configuration every byte of a record comes out again; with another one this shows what it would have
decided. Only what was simulated then can be judged now: other calls count as not simulated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from keeper.app.composition import Composition
from keeper.chain.reading.inputs import Inputs, unpack
from keeper.chain.reading.pinned import parse_pins
from keeper.chain.reading.pins import Pins
from keeper.chain.reading.views import build_view
from keeper.config import Loaded
from keeper.core.chain import Block
from keeper.core.errors import ConfigError, JournalError
from keeper.core.units import Wei
from keeper.deciding import decide
from keeper.journal.codec import dumps
from keeper.journal.reader import CycleRow, JournalReader
from keeper.report.recorded import RecordedSubmitter

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Repeated:
    """One stored input, decided again."""

    row: CycleRow
    at: int
    """Unix seconds of its block."""
    recorded: Record
    again: Record

    @property
    def is_same(self) -> bool:
        """Byte for byte with the same configuration, in every field that was recorded: a later keeper may record more.
        Another configuration is bound to say other limits: there it counts what is decided."""
        if self.recorded["config_hash"] == self.again["config_hash"]:
            return dumps(self.recorded) == dumps({key: self.again.get(key) for key in self.recorded})
        return choice(self.recorded) == choice(self.again)


def replay(loaded: Loaded, reader: JournalReader, rows: Iterable[CycleRow]) -> Iterator[Repeated]:
    """The first turn of every row and the latest that was told in full, oldest first. Vaults that the
    configuration does not have are left out.

    Raises JournalError where the journal lacks what the chain said at start, ConfigError where the configuration needs
    a pool or a token that was not read then.
    """
    composed = _Composed(loaded, reader)
    for row in rows:
        if row.vault not in loaded.config.kept:
            continue
        yield _repeat(composed, row, row.first_at, row.first_decision, row.first_inputs)
        if row.told_at > row.first_at:
            yield _repeat(composed, row, row.told_at, row.decision, row.inputs)


def _repeat(composed: _Composed, row: CycleRow, at: int, recorded: Record, packed: bytes) -> Repeated:
    try:
        inputs = unpack(packed)
    except ValueError as error:
        raise JournalError(f"cycle {row.number}: {error}") from None
    return Repeated(row, at, recorded, _decide(composed.of(row), row, recorded, inputs))


def _decide(composition: Composition, row: CycleRow, recorded: Record, inputs: Inputs) -> Record:
    try:
        spec = composition.spec(row.vault)
        vault = composition.vault(row.vault, RecordedSubmitter(dict(recorded)), armed=row.armed)
    except KeyError as error:
        where = f"vaults.{row.vault}"
        raise ConfigError(str(composition.loaded.path), where, "what the chain was asked then", f"{error}") from None
    view = build_view(spec, inputs.block, inputs.answers, inputs.history, inputs.tip, composition.venues)
    return composition.describer.describe(decide(vault, view), armed=row.armed)


@dataclass(slots=True)
class _Composed:
    """The vaults of each chain, composed once for each time that the chain was looked at."""

    loaded: Loaded
    reader: JournalReader

    def of(self, row: CycleRow) -> Composition:
        name = self.loaded.config.kept[row.vault].chain
        body = self.reader.pins(row.config_hash, row.chain_id, row.at)
        if body is None:
            raise JournalError(f"cycle {row.number}: what its chain said at start is not in this journal")
        return Composition(self.loaded, name, _parsed(body, row.chain_id))


@lru_cache(maxsize=64)
def _parsed(body: str, chain_id: int) -> Pins:
    try:
        return parse_pins(body, Block(chain_id, 0, "", "", 0, Wei(0), 0))
    except ValueError as error:
        raise JournalError(f"journal: {error}") from None


def choice(record: Record) -> tuple[object, ...]:
    """What a record decides: the plan, the calls, and whether guards refuse them; no reasons and no limits."""
    plan, refused = record["plan"], any(not guard["allows"] for guard in record["guards"])
    return (
        plan["kind"],
        plan["code"],
        plan["wanted"],
        [(c["to"], c["data"], c["value"]) for c in record["calls"]],
        refused,
    )
