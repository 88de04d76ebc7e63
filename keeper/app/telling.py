"""What a tick came to: one log line for each decision, one alert for each trouble, and its all-clear."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from time import monotonic

from keeper.app.watching import Scene
from keeper.core.chain import VaultView
from keeper.core.errors import KeeperError, TransientError, Unreachable
from keeper.core.ports import Clock
from keeper.core.records import Sample
from keeper.core.units import USD, TokenAmount
from keeper.cycle import Turn
from keeper.journal.sql import SqlJournal
from keeper.telemetry.alerts import Alerts
from keeper.telemetry.heartbeat import Heartbeat
from keeper.telemetry.lines import CycleLog
from keeper.telemetry.logs import logger
from keeper.telemetry.watch import watch

PATIENCE = 60.0
"""{s} A chain that cannot be read for less is weather: logged, and nobody is woken."""
SLOW_TICKS = 3
"""Ticks in a row that skip a look: then it is no hiccup, and people hear of it."""
LOOK = 15.0
"""{s} How often the journal is looked through for causes of alerts."""


class Telling:
    """One chain's voice. Never blocks a tick, and says a trouble once until it is over."""

    def __init__(
        self,
        chain: str,
        alerts: Alerts,
        scene: Scene | None = None,
        *,
        clock: Clock,
        heartbeat: Heartbeat | None = None,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        """`timer` is in monotonic seconds; `clock` is the chain's. Without a scene nothing is watched."""
        self._chain, self._alerts, self._scene = chain, alerts, scene
        self._clock, self._heartbeat, self._timer = clock, heartbeat, timer
        self._log = CycleLog(logger("cycle"), chain)
        self._since = timer()
        self._was_good = False
        """The tick before this one brought no trouble."""
        self._troubled_at: float | None = None
        self._slow = 0
        """Ticks in a row that took too long."""
        self._looked_at: float | None = None
        self._standing: frozenset[str] = frozenset()
        """Keys of alerts that the last look raised."""

    def began(self) -> None:
        self._since = self._timer()
        if self._was_good:
            self._good()
        self._was_good = True
        if self._looked_at is None or self._since - self._looked_at >= LOOK:
            self._look()

    def ticked(self, chain: str, turns: Sequence[Turn]) -> None:  # noqa: ARG002  one chain's voice knows its name
        self._good()
        told = [turn for turn in turns if not turn.holds_on]
        for turn in told:
            self._log.cycle(turn.number, turn.record, turn.intent)
        self._log.held_on(len(turns) - len(told))
        block = max((turn.block_number for turn in turns), default=0)
        self._log.tick(block, int((self._timer() - self._since) * 1000))
        if self._scene is not None:
            self._scene.note(told)
            self._look()

    def kept_pace(self, chain: str, took: float, skipped: int) -> None:
        if not skipped:
            if self._slow >= SLOW_TICKS:
                self._alerts.resolve(f"slow:{chain}", f"{chain}: ticks end in time again")
            self._slow = 0
            return
        self._slow += 1
        logger("tick").warning(
            "looks skipped", chain=chain, took_s=round(took, 1), skipped=skipped, in_a_row=self._slow
        )
        if self._slow >= SLOW_TICKS:
            said = f"{chain}: {self._slow} ticks in a row lasted until the next was due, the last one {took:.1f} s"
            self._alerts.alert(f"slow:{chain}", f"{said}: looks are skipped. A slow node, or too many vaults for it")

    def trouble(self, chain: str, error: KeeperError) -> None:
        self._was_good = False
        now = self._timer()
        first = self._troubled_at is None
        self._troubled_at = now if self._troubled_at is None else self._troubled_at
        if self._heartbeat is not None:
            self._heartbeat.bad(chain)
        if isinstance(error, Unreachable | TransientError) and now - self._troubled_at < PATIENCE:
            if first:
                logger("tick").warning("no decision", chain=chain, text=str(error))
        elif isinstance(error, Unreachable):
            self._alerts.alert(f"rpc:{chain}", f"{chain}: no RPC answers: {error}")
        else:
            self._alerts.alert(f"chain:{chain}", f"{chain}: no decision: {error}")

    def _good(self) -> None:
        if self._troubled_at is not None:
            self._alerts.resolve(f"rpc:{self._chain}", f"{self._chain}: RPCs answer again")
            self._alerts.resolve(f"chain:{self._chain}", f"{self._chain}: ticks again")
            logger("tick").info("ticks again", chain=self._chain, after_s=int(self._timer() - self._troubled_at))
            self._troubled_at = None
        if self._heartbeat is not None:
            self._heartbeat.good(self._chain)

    def _look(self) -> None:
        """Raises and clears what the journal tells. One that cannot be read is the tick's trouble, and told so."""
        self._looked_at = self._since
        if self._scene is None:
            return
        found = watch(self._scene.facts(self._clock.now()), self._scene.limits, self._standing)
        for key, text in found.raised:
            self._alerts.alert(key, text)
        for key, text in found.cleared:
            self._alerts.resolve(key, text)
        self._standing = frozenset(key for key, _ in found.raised)


def keep_account(journal: SqlJournal, shadows: Collection[str] = ()) -> Callable[[Turn], None]:
    """Notes what a turn saw beside its decision: an hourly sample, and every change of balance that was not ours.
    Nothing of shadows: the vaults that they stand beside have the same account."""

    def note(turn: Turn) -> None:
        view, plan = turn.decision.view, turn.decision.plan
        if turn.record.vault in shadows:
            return
        if not isinstance(view, VaultView) or (not plan.assets and (plan.peg is None or view.unusable())):
            return
        tokens = [asset.token for asset in plan.assets] or list(view.holdings)
        prices = {token: view.price(token).mid for token in tokens}
        held = sum((prices[token].value(view.holdings[token]) for token in tokens), TokenAmount.zero(USD))
        balances = {**view.balances, view.native.token: view.native}
        sample = Sample(
            vault=view.vault,
            at=view.block.timestamp,
            block_number=view.block.number,
            balances=balances,
            prices={token: str(price.ratio) for token, price in prices.items()},
            value=sum((asset.value for asset in plan.assets), TokenAmount.zero(USD)) if plan.assets else held,
            weights={asset.token: int(asset.weight) for asset in plan.assets},
        )
        journal.note(sample, prices)

    return note
