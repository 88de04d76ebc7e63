"""When a vault is looked at, and when it may act."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, PlainValidator, ValidationInfo, field_validator

from keeper.config.fields import Interval, OneOrMore, Part, Written, Wrong
from keeper.config.units import DAY, Blocks

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DEFAULT_EVERY = 300
"""{s}"""
_WINDOW = re.compile(r"(?P<days>[A-Za-z,-]+) (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)(?: (?P<zone>\S+))?", re.ASCII)


def _zone(value: Any) -> str:
    expected = "a time zone such as Europe/Zurich"
    if not isinstance(value, str) or not value:
        raise Wrong(expected)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(expected) from None
    return value


def _cron(value: Any) -> str:
    expected = "a crontab line of five fields such as 0 8 * * 1-5"
    if not isinstance(value, str) or len(value.split()) != 5:
        raise Wrong(expected)
    try:
        next(CronSim(value, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration, ValueError):
        raise Wrong(expected) from None
    return value


@dataclass(frozen=True, slots=True)
class Window:
    """Days (0 is Monday) and minutes since midnight, in `zone`. `end` is excluded; 24:00 is the end of the day.

    A window whose end is not after its start reaches into the next day, and belongs to the day on which it began.
    """

    days: tuple[int, ...]
    start: int
    end: int
    zone: str

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in self.days)
        return (
            f"{days} {self.start // 60:02d}:{self.start % 60:02d}-{self.end // 60:02d}:{self.end % 60:02d} {self.zone}"
        )


def _days(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            low, high = DAYS.index(first), DAYS.index(last or first)
        except ValueError:
            raise Wrong("days such as Mon-Fri or Mon,Wed") from None
        found |= {day % 7 for day in range(low, high + 1 if high >= low else high + 8)}
    return tuple(sorted(found))


def _minutes(text: str, latest: int) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or hours * 60 + minutes > latest:
        raise Wrong("times from 00:00 to 24:00")
    return hours * 60 + minutes


def _window(value: Any) -> Window:
    found = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise Wrong("a window such as Mon-Fri 08:00-20:00 Europe/Zurich")
    start, end = _minutes(found["start"], 1_439), _minutes(found["end"], 1_440)
    if start == end:
        raise Wrong("a window that does not end where it starts")
    return Window(_days(found["days"]), start, end, _zone(found["zone"] or "UTC"))


def _sensible(every: int | Blocks) -> int | Blocks:
    if isinstance(every, int) and not 1 <= every <= 30 * DAY:
        raise Wrong("an interval from 1s to 30d")
    return every


CronLine = Annotated[str, PlainValidator(_cron)]
Zone = Annotated[str, PlainValidator(_zone)]


class ScheduleConfig(Part):
    """Look every so often or by crontab(5) in a time zone; act only inside one of the windows, if there are any."""

    every: Annotated[Interval, AfterValidator(_sensible)] | None = None
    """{s} or Blocks. 5 minutes where neither this nor `cron` is given."""
    cron: CronLine | None = None
    zone: Zone = "UTC"
    """Of `cron`."""
    act: Annotated[tuple[Annotated[Window, PlainValidator(_window), Written(str)], ...], OneOrMore] = ()

    @field_validator("cron")
    @classmethod
    def _one_of_both(cls, cron: str | None, info: ValidationInfo) -> str | None:
        if cron is not None and info.data.get("every") is not None:
            raise Wrong("either every or cron", "both")
        return cron

    @property
    def look(self) -> int | Blocks | str:
        """{s}, Blocks, or a crontab line in `zone`."""
        if self.cron is not None:
            return self.cron
        return DEFAULT_EVERY if self.every is None else self.every
