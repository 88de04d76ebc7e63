"""Dates on which a vault is rebalanced."""

from __future__ import annotations

from typing import Annotated

from pydantic import ValidationInfo, field_validator

from keeper.config.fields import Part, Seconds, Wrong, between
from keeper.config.schedules import CronLine, Zone


class CalendarConfig(Part):
    """Dates by crontab(5) or every so often. Each stays open for `within`; `jitter` hides the moment."""

    cron: CronLine | None = None
    every: Annotated[Seconds, between(3_600, 366 * 86_400, "an interval from 1h to 366d")] | None = None
    """Counted from 1970-01-01 00:00 UTC."""
    zone: Zone = "UTC"
    """Of `cron`."""
    within: Annotated[Seconds, between(600, 86_400, "a duration from 10m to 24h")] = 86_400
    jitter: Annotated[Seconds, between(0, 86_400, "a duration of at most 24h")] = 0

    @field_validator("every")
    @classmethod
    def _one_of_both(cls, every: int | None, info: ValidationInfo) -> int | None:
        if every is not None and info.data.get("cron") is not None:
            raise Wrong("either every or cron", "both")
        return every
