"""When a provider that fails is left alone, and for how long. Pure; times are seconds of a monotonic clock.

A refused key or a wrong path (401, 403, 404, 410) and a used-up quota (402) do not mend by asking again, so people are
told and the provider rests long. A rate limit (429) rests as long as it asks. Anything else rests only when it repeats.
"""

from __future__ import annotations

from dataclasses import dataclass

from keeper.chain.nodes.limits import retry_after
from keeper.chain.nodes.transport import TransportFault

STRIKES = 3
"""Faults in a row before a provider rests: one is weather, two are bad luck."""
FIRST_REST, LONGEST_REST = 1.0, 10.0
"""{s} Doubling. The longest is about a tick, so that a node that comes back is found by the next one."""
LIMITED_REST, LONGEST_LIMITED = 1.0, 60.0
"""{s} After a 429 without a Retry-After, doubling."""
LONG_REST = 600.0
"""{s} Of a dead or unpaid provider: six questions an hour tell when it was mended, and cost nobody anything."""

DEAD = frozenset({401, 403, 404, 410})
UNPAID, LIMITED = 402, 429


@dataclass(slots=True)
class Breaker:
    """One provider's faults in a row and the rest that they have earned."""

    rests_until: float = 0.0
    reason: str = ""
    """Of the last fault; empty after an answer."""
    _strikes: int = 0
    _limits: int = 0

    def is_open(self, now: float) -> bool:
        return now < self.rests_until

    def answered(self) -> None:
        self.reason, self._strikes, self._limits = "", 0, 0

    def failed(self, fault: TransportFault, now: float, wall: float, share: float) -> str:
        """Counts a fault. Returns what a person must hear, or an empty string.

        `share`, from 1/2 to 1, is the part of a doubling rest that is taken, so that many keepers do not come back at
        once; `wall` is Unix seconds, for dates in Retry-After.
        """
        self.reason = fault.text
        wish = retry_after(fault.retry_after, wall)
        if fault.status in DEAD or fault.status == UNPAID:
            self.rests_until = now + max(LONG_REST, wish or 0.0)
            what = "the quota is used up" if fault.status == UNPAID else "it refuses us"
            return f"{fault.text}: {what}; it is asked again in {round(self.rests_until - now)} s"
        if fault.status == LIMITED:
            self._limits += 1
            rest = min(LIMITED_REST * 2 ** min(self._limits - 1, 20), LONGEST_LIMITED) if wish is None else wish
            self.rests_until = now + rest
            return ""
        self._strikes += 1
        if wish is not None:
            self.rests_until = now + wish
        elif self._strikes >= STRIKES:
            self.rests_until = now + share * min(FIRST_REST * 2 ** min(self._strikes - STRIKES, 20), LONGEST_REST)
        return ""
