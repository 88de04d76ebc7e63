"""When a vault is looked at, and when it may act."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.config.schedules import ScheduleConfig
from keeper.config.units import Blocks
from keeper.config.upkeeps import AnyUpkeep, CallUpkeepConfig
from keeper.config.vaults import VaultConfig
from keeper.schedule import Cron, Every, EveryBlocks, Schedule, Window


def make_schedule(config: ScheduleConfig, block_time: float) -> Schedule:
    look = config.look
    if isinstance(look, str):
        return Cron(look, config.zone)
    return EveryBlocks(look.count, block_time) if isinstance(look, Blocks) else Every(look)


def make_looks(kept: VaultConfig | AnyUpkeep, block_time: float) -> Schedule:
    """When it is looked at. Times of calls are kept by their strategy, so that a call that must wait is not lost."""
    return Every(60) if isinstance(kept, CallUpkeepConfig) else make_schedule(kept.schedule, block_time)


def make_windows(config: ScheduleConfig) -> tuple[Window, ...]:
    return tuple(Window(*str(window).rsplit(" ", 1)) for window in config.act)


def why_not_now(windows: Sequence[Window], now: int) -> str:
    """Why a vault with these act windows may not act at `now` (Unix seconds); empty where it may."""
    if not windows or any(window.is_open(now) for window in windows):
        return ""
    return min(windows, key=lambda window: window.next_opening(now)).outside(now)
