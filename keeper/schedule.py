"""When a vault is looked at, and when it may act.

Pure: the time and the last look are arguments. A look that was missed is made up for once, never in a burst, because
only the last look counts and not how many moments have passed since. "Only look on the calendar, only act outside the
band" is a `Cron` with bands; "look always, act in office hours" is an `Every` with a `Window`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many seconds since the last look; at once where there was none. Raises ValueError below one second."""

    seconds: int

    def __post_init__(self) -> None:
        if self.seconds < 1:
            raise ValueError(f"interval: expected at least 1 second, was {self.seconds}")

    def is_due(self, last_at: int | None, last_block: int | None, now: int, block: int) -> bool:  # noqa: ARG002
        # A clock that was set back must not keep a vault waiting until it has caught up.
        return last_at is None or not last_at <= now < last_at + self.seconds

    def next_at(self, now: int) -> int:
        """When the next look is due if the last one is now."""
        return now + self.seconds


@dataclass(frozen=True, slots=True)
class EveryBlocks:
    """Every n blocks since the last look; at once where there was none. `block_time` only serves to foretell."""

    blocks: int
    block_time: float = 12.0

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise ValueError(f"interval: expected at least 1 block, was {self.blocks}")

    def is_due(self, last_at: int | None, last_block: int | None, now: int, block: int) -> bool:  # noqa: ARG002
        return last_block is None or not last_block <= block < last_block + self.blocks

    def next_at(self, now: int) -> int:
        """About when the next look is due if the last one is now."""
        return now + max(1, round(self.blocks * self.block_time))


@dataclass(frozen=True, slots=True)
class Cron:
    """The moments of a crontab(5) line in a time zone.

    As cron has it: Sunday is 0 and 7; where day of month and day of week are both given, either is enough; a moment
    that the spring change skips comes at once after it, one that the autumn change repeats comes once. A start between
    two moments does not look: it waits for the next one.
    Raises ValueError where the line is no cron line, never comes due, or the zone is unknown.
    """

    expression: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        fields = self.expression.split()
        if len(fields) != 5:
            raise ValueError(f"cron {self.expression!r}: expected 5 fields, found {len(fields)}")
        _zone(self.zone)
        try:
            _next_moment(self.expression, self.zone, 0)
        except CronSimError as error:
            raise ValueError(f"cron {self.expression!r}: {str(error).lower()}") from None
        except StopIteration:
            raise ValueError(f"cron {self.expression!r}: never comes due") from None

    def is_due(self, last_at: int | None, last_block: int | None, now: int, block: int) -> bool:  # noqa: ARG002
        after = now - _MINUTE if last_at is None else min(last_at, now)
        return _next_moment(self.expression, self.zone, after) <= now

    def next_at(self, now: int) -> int:
        """The first moment after `now`."""
        return _next_moment(self.expression, self.zone, now)


@lru_cache(maxsize=256)
def _next_moment(expression: str, zone: str, after: int) -> int:
    """Unix seconds. Cached, because a waiting vault asks the same thing every second."""
    start = datetime.fromtimestamp(after, ZoneInfo(zone))
    moments = CronSim(_sunday_last(expression), start)
    # Cron's resolution is a minute, so the moment within which `after` lies has been.
    return int(next(moments).timestamp())


def _sunday_last(expression: str) -> str:
    """`Fri-Sun` is the range 5-7: a range cannot end at Sunday's other number, 0."""
    return re.sub(r"-SUN\b", "-7", expression.upper())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"time zone: expected a name like Europe/Zurich, was {name!r}") from None


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the week in which a vault may act; outside of them it looks but does not act.

    `text` is `Mon-Fri 08:00-20:00`, `Sat,Sun 10:00-12:00`, or `22:00-06:00` for every day; a window over midnight
    belongs to the day on which it opens. Hours are those of the wall clock in `zone`, also on the days when it changes.
    Raises ValueError where the text is no such window or the zone is unknown.
    """

    text: str
    zone: str = "UTC"
    _days: frozenset[int] = field(init=False, compare=False)
    _opens: int = field(init=False, compare=False)
    _closes: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        words = self.text.split()
        if len(words) not in (1, 2):
            raise ValueError(f"act window: expected days and hours like Mon-Fri 08:00-20:00, was {self.text!r}")
        days = words[0] if len(words) == 2 else "Mon-Sun"
        opens, _, closes = words[-1].partition("-")
        _zone(self.zone)
        object.__setattr__(self, "_days", _days_of(days))
        object.__setattr__(self, "_opens", _minute_of(opens))
        object.__setattr__(self, "_closes", _minute_of(closes))
        if self._opens == self._closes or self._opens == 24 * 60:
            raise ValueError(f"act window: expected it to open before it closes, was {self.text!r}")

    def is_open(self, now: int) -> bool:
        local = datetime.fromtimestamp(now, ZoneInfo(self.zone))
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self._opens < self._closes:
            return today in self._days and self._opens <= minute < self._closes
        return (today in self._days and minute >= self._opens) or (
            (today - 1) % 7 in self._days and minute < self._closes
        )

    def next_opening(self, now: int) -> int:
        """{Unix seconds} The first opening after `now`."""
        local = datetime.fromtimestamp(now, ZoneInfo(self.zone))
        for ahead in range(9):
            day = local.date() + timedelta(days=ahead)
            moment = datetime.combine(day, time(*divmod(self._opens, 60)), ZoneInfo(self.zone))
            if day.weekday() in self._days and moment.timestamp() > now:
                return int(moment.timestamp())
        raise AssertionError("a window opens at least once a week")

    def outside(self, now: int) -> str:
        """Why the vault may not act now; empty while it may."""
        if self.is_open(now):
            return ""
        opening = datetime.fromtimestamp(self.next_opening(now), ZoneInfo(self.zone))
        return f"outside its act window ({self.text} {self.zone}), next {opening:%H:%M %A}"


def _days_of(text: str) -> frozenset[int]:
    """Days as numbers from Monday = 0; a range may go over the end of the week."""
    days: set[int] = set()
    for part in text.split(","):
        ends = [_day(name) for name in part.split("-")]
        if len(ends) > 2:
            raise ValueError(f"act window: expected days like Mon-Fri, was {part!r}")
        first, last = ends[0], ends[-1]
        days.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return frozenset(days)


def _day(name: str) -> int:
    if name.title() not in _DAYS:
        raise ValueError(f"act window: expected a day like Mon, was {name!r}")
    return _DAYS.index(name.title())


def _minute_of(text: str) -> int:
    found = re.fullmatch(r"(\d\d):(\d\d)", text)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    if not found or int(found[2]) > 59 or not 0 <= minute <= 24 * 60:
        raise ValueError(f"act window: expected an hour like 08:00, was {text!r}")
    return minute


Schedule = Every | EveryBlocks | Cron


def next_look(schedules: Sequence[Schedule], now: int) -> int | None:
    """The first look of any of these, if all have just looked; None where there is none."""
    return min((schedule.next_at(now) for schedule in schedules), default=None)
