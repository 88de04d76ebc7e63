"""Where a trade in slices stands: as a record, and in words."""

from __future__ import annotations

from fractions import Fraction

from keeper.core.slices import Schedule
from keeper.report import format as form
from keeper.report.nouns import Record, amount

_PERCENT = 100


def schedule_record(schedule: Schedule) -> Record:
    """Times are Unix seconds; `progress` is the share that was traded before this slice."""
    part = schedule.slice
    return {
        "number": part.number,
        "of": part.of,
        "size": amount(schedule.size),
        "left": amount(schedule.left),
        "done": amount(part.done),
        "progress": form.decimal(schedule.progress),
        "due": schedule.due,
        "began": part.parent.began,
        "ends": schedule.ends,
        "spacing": part.parent.spacing,
    }


def schedule_line(schedule: Record, now: int) -> str:
    """`3 of 12 in 4m · 62 % done, $76,000.00 left · about 24m apart, until 15:00 UTC`"""
    wait = schedule["due"] - now
    when = f"in {form.age(wait)}" if wait > 0 else "now"
    rest = f"{_done(schedule)}, {_left(schedule)} left"
    ends = f", until {form.clock(schedule['ends'], now)}" if schedule["ends"] is not None else ""
    return (
        f"{schedule['number']} of {schedule['of']} {when} · {rest} · about {form.age(schedule['spacing'])} apart{ends}"
    )


def schedule_sentence(schedule: Record) -> str:
    """What a slice was part of, for a page that tells of the past."""
    if schedule["number"] == 1:
        return f"That is the first of {schedule['of']} slices of {_left(schedule)} in all."
    rest = f"{_done(schedule)} before it and {_left(schedule)} left to trade"
    return f"That is slice {schedule['number']} of {schedule['of']}, with {rest}."


def _done(schedule: Record) -> str:
    return f"{form.rounded(Fraction(schedule['progress']) * _PERCENT, 0)} % done"


def _left(schedule: Record) -> str:
    return form.usd(Fraction(schedule["left"]["whole"]), 2)
