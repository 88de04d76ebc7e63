"""How often a provider may be asked: its own wish (Retry-After), and ours (a token bucket). Pure; times are seconds
of a monotonic clock."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WISH = 3_600.0
"""{s} What a Retry-After can ask for at most: beyond an hour it is a mistake, or meant to silence us."""


def retry_after(text: str, wall: float) -> float | None:
    """{s} What a Retry-After header asks for: a number, or a date against the wall clock (RFC 9110, 10.2.3).

    None where it says nothing that can be understood.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WISH)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    left = when - datetime.fromtimestamp(wall, UTC)
    return min(max(left.total_seconds(), 0.0), LONGEST_WISH)


class TokenBucket:
    """At most `count` calls within `seconds`, spent at will and refilled evenly.

    A batch larger than the bucket may go when the bucket is full; the next one then waits for all of it.
    """

    def __init__(self, count: int, seconds: float, now: float) -> None:
        self._count, self._per_second = count, count / seconds
        self._level, self._at = float(count), now

    def wait(self, calls: int, now: float) -> float:
        """{s} Until so many calls may go; 0 where they may go now."""
        missing = min(calls, self._count) - self._filled(now)
        return max(0.0, missing / self._per_second)

    def take(self, calls: int, now: float) -> None:
        """Counts calls that go out now, allowed or not: a send never waits, and is paid for afterwards."""
        self._level, self._at = self._filled(now) - calls, now

    def _filled(self, now: float) -> float:
        return min(self._count, self._level + max(0.0, now - self._at) * self._per_second)
