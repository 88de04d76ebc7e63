"""What a tick came to: one log line for each decision, one alert for each trouble, and its all-clear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from keeper.core.chain import VaultView
from keeper.core.errors import KeeperError
from keeper.core.records import Sample
from keeper.core.units import USD, TokenAmount
from keeper.cycle import Turn
from keeper.journal.sql import SqlJournal
from keeper.telemetry.alerts import LogAlert
from keeper.telemetry.lines import CycleLog
from keeper.telemetry.logs import logger


class Telling:
    """One chain's voice. Never blocks a tick, and says a trouble once until it is over."""

    def __init__(self, chain: str, alert: LogAlert) -> None:
        self._chain, self._alert = chain, alert
        self._log = CycleLog(logger("cycle"), chain)
        self._since = monotonic()

    def began(self) -> None:
        self._since = monotonic()

    def ticked(self, chain: str, turns: Sequence[Turn]) -> None:
        self._alert.resolve(f"chain:{chain}", f"{chain}: ticks again")
        for turn in turns:
            self._log.cycle(turn.number, turn.record, turn.intent)
        block = max((turn.record.block_number for turn in turns), default=0)
        self._log.tick(block, int((monotonic() - self._since) * 1000))

    def trouble(self, chain: str, error: KeeperError) -> None:
        self._alert.alert(f"chain:{chain}", f"{chain}: no decision: {error}")


def keep_account(journal: SqlJournal) -> Callable[[Turn], None]:
    """Notes what a turn saw beside its decision: an hourly sample, and every change of balance that was not ours."""

    def note(turn: Turn) -> None:
        view, plan = turn.decision.view, turn.decision.plan
        if not isinstance(view, VaultView) or not plan.assets:
            return
        prices = {asset.token: view.price(asset.token).mid for asset in plan.assets}
        balances = {**view.balances, view.native.token: view.native}
        journal.observe_balances(view.vault, view.block.timestamp, view.block.number, balances, prices)
        journal.sample(
            Sample(
                vault=view.vault,
                at=view.block.timestamp,
                block_number=view.block.number,
                balances=balances,
                prices={token: str(price.ratio) for token, price in prices.items()},
                value=sum((asset.value for asset in plan.assets), TokenAmount.zero(USD)),
                weights={asset.token: int(asset.weight) for asset in plan.assets},
            )
        )

    return note
