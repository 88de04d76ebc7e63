"""One line per vault and cycle in which something was decided or changed, and one per tick for all the rest."""

from __future__ import annotations

from typing import Any

from structlog.typing import FilteringBoundLogger

from keeper.core.records import CycleRecord
from keeper.core.sending import Intent

_WARNS = frozenset({"denied", "unusable"})


def cycle_line(log: FilteringBoundLogger, number: int, record: CycleRecord, intent: Intent | None = None) -> None:
    """The canonical line of a cycle: enough to find it, and to know without looking what happened."""
    say = log.warning if record.kind in _WARNS else log.info
    say(
        record.kind,
        vault=record.vault,
        cycle=number,
        chain_id=record.chain_id,
        block=record.block_number,
        drift_bps=record.max_drift_bps,
        code=record.code,
        reason=record.reason,
        guards=list(record.guards),
        armed=record.armed,
        sells=_sells(record),
        **(_transaction(intent) if intent else {}),
    )


def _sells(record: CycleRecord) -> list[str]:
    trades: list[Any] = record.decision.get("trades", [])
    return [f"{trade['sell']['whole']} {trade['sell']['symbol']} for {trade['buy']}" for trade in trades]


def _transaction(intent: Intent) -> dict[str, Any]:
    latest = intent.attempts[-1].hash if intent.attempts else None
    return {"purpose": str(intent.call.purpose), "nonce": intent.nonce, "state": str(intent.state), "tx": latest}


def tick_line(log: FilteringBoundLogger, chain: str, block: int, *, looked: int, unchanged: int, took_ms: int) -> None:
    """A tick of one chain: vaults looked at, those that went on as before, and {ms} how long it took."""
    log.info("tick", chain=chain, block=block, looked=looked, unchanged=unchanged, took_ms=took_ms)


class CycleLog:
    """Writes a cycle's line only where it says something new. Not thread-safe: one per chain.

    New is: something was sent or would be, or kind, code or guards differ from the vault's cycle before.
    """

    def __init__(self, log: FilteringBoundLogger, chain: str) -> None:
        self._log, self._chain = log, chain
        self._last: dict[str, tuple[object, ...]] = {}
        self._looked = self._unchanged = 0

    def cycle(self, number: int, record: CycleRecord, intent: Intent | None = None) -> bool:
        """Says whether a line was written."""
        key = (record.kind, record.code, record.guards, record.config_hash)
        is_new = intent is not None or record.kind in ("intended", "proposed") or self._last.get(record.vault) != key
        self._last[record.vault] = key
        self._looked += 1
        if is_new:
            cycle_line(self._log, number, record, intent)
        else:
            self._unchanged += 1
        return is_new

    def held_on(self, count: int) -> None:
        """So many more vaults were looked at whose cycles said nothing new."""
        self._looked += count
        self._unchanged += count

    def tick(self, block: int, took_ms: int) -> None:
        """The tick's own line, which counts what had no line; then counts anew."""
        tick_line(self._log, self._chain, block, looked=self._looked, unchanged=self._unchanged, took_ms=took_ms)
        self._looked = self._unchanged = 0
