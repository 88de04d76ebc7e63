"""What one chain's watch looks at: halts, refusals, transactions on their way and gas, from journal and turns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from keeper.app.journals import journal_url
from keeper.config import Loaded
from keeper.core.chain import VaultView
from keeper.core.latches import trial_of
from keeper.core.pegs import BEYOND_WALL
from keeper.core.units import Address, TokenAmount
from keeper.cycle import Turn
from keeper.journal.reader import CycleRow, JournalReader
from keeper.journal.sql import SqlJournal
from keeper.strategies.upkeep import UNCLEAR
from keeper.telemetry.watch import DAY, Facts, GasUse, Limits, Refusal

_REFUSED = frozenset({"denied", "unusable"})
_WAITS = frozenset({"wait", "proposed"})
"""Kinds of cycles that neither begin nor end a refusal: something else is on its way."""

_PERIOD = 7 * DAY
"""{s} Whose gas use is taken for the rate of the days to come."""
_GAS_EVERY = 3_600
"""{s} A week's transactions are read so often."""
_MOST_ROWS = 100


@dataclass(slots=True)
class Scene:
    """The vaults of one chain, as far as alerts are concerned. Not thread-safe: one per chain."""

    loaded: Loaded
    chain: str
    vaults: Collection[str]
    journal: SqlJournal
    _refused: dict[str, Refusal] = field(default_factory=dict)
    _walls: dict[str, str] = field(default_factory=dict)
    _balances: dict[Address, TokenAmount] = field(default_factory=dict)
    _spent: dict[Address, tuple[int, int]] = field(default_factory=dict)
    """{wei} of each sender's transactions in the period, and when the first of them was mined."""
    _gas_at: int | None = None
    _senders: Sequence[Address] | None = None

    @property
    def limits(self) -> Limits:
        alerts = self.loaded.config.alerts
        return Limits(alerts.refused_after, alerts.stuck_after, alerts.gas_days)

    def remember(self) -> None:
        """Takes up refusals that an earlier run has left. Raises JournalError."""
        with JournalReader(journal_url(self.loaded)) as reader:
            for vault in self.vaults:
                if found := _refusal(reader.cycles(vault, limit=_MOST_ROWS)):
                    self._refused[vault] = found

    def note(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            record, view = turn.record, turn.decision.view
            if _is_refusal(record.kind, record.code):
                since = self._refused[record.vault].since if record.vault in self._refused else record.at
                self._refused[record.vault] = Refusal(since, record.code, record.reason)
            elif record.kind not in _WAITS:
                self._refused.pop(record.vault, None)
                self._walls.pop(record.vault, None)
            if record.code == BEYOND_WALL:
                self._walls[record.vault] = record.reason
            if isinstance(view, VaultView) and view.sender is not None and record.armed:
                self._balances[view.sender] = view.gas_balance

    def facts(self, now: int) -> Facts:
        """Raises JournalError."""
        config, chain_id = self.loaded.config, self.loaded.config.chains[self.chain].chain_id
        if self._senders is None:
            mine = (config.sender_of(vault) for vault in self.vaults)
            self._senders = sorted({sender for sender in mine if sender is not None})
        # Asked in every tick, of a thousand vaults: what stands is mostly nothing.
        standing = self.journal.standing
        halted, latches = standing.halted, standing.latches
        halts = {scope: halted[scope] for scope in (*self.vaults, *self._senders) if scope in halted}
        tried = {vault: trial_of(latches[vault]) for vault in self.vaults if vault in latches}
        trials = {vault: most for vault, most in tried.items() if most is not None}
        if self._gas_at is None or not 0 <= now - self._gas_at < _GAS_EVERY:
            self._spent, self._gas_at = self._read_spent(chain_id, now), now
        live = self.journal.live(chain_id)
        return Facts(self.chain, now, halts, trials, self._refused, self._walls, live, self._gas(now))

    def _gas(self, now: int) -> Mapping[Address, GasUse]:
        return {
            sender: GasUse(balance, self._spent[sender][0], max(DAY, min(_PERIOD, now - self._spent[sender][1])))
            for sender, balance in self._balances.items()
            if sender in self._spent
        }

    def _read_spent(self, chain_id: int, now: int) -> dict[Address, tuple[int, int]]:
        spent: dict[Address, tuple[int, int]] = {}
        with JournalReader(journal_url(self.loaded)) as reader:
            for entry in reader.transactions(since=now - _PERIOD):
                mined, sender = entry.intent.mined, entry.intent.sender
                if mined is not None and entry.intent.chain_id == chain_id:
                    cost, first = spent.get(sender, (0, mined.timestamp))
                    spent[sender] = (cost + int(mined.gas_cost), min(first, mined.timestamp))
        return spent


def _is_refusal(kind: str, code: str) -> bool:
    """Guards refuse, or nothing can be decided: an upkeep that cannot be asked holds, and says why."""
    return kind in _REFUSED or (kind == "hold" and code in UNCLEAR)


def _refusal(rows: Sequence[CycleRow]) -> Refusal | None:
    """Of cycles, newest first: since when nothing but refusals and waiting happened; None where the last did not
    refuse."""
    found: Refusal | None = None
    for row in rows:
        if _is_refusal(row.kind, row.code):
            found = Refusal(row.first_at, found.code if found else row.code, found.reason if found else row.reason)
        elif row.kind not in _WAITS:
            break
    return found
