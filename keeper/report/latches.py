"""What breakers have latched, in words: what stands and until when, and what is on trial."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.core import text
from keeper.core.latches import BREAKER, Latch
from keeper.report import format as form


def breaker_of(halt: str) -> str:
    """The breaker's name in the reason of a halt; empty where a person or a check halted."""
    return halt.removeprefix(BREAKER).strip().partition(":")[0] if halt.startswith(BREAKER) else ""


def rest_of(latches: Sequence[Latch]) -> str:
    """`rest of reverts ends at 2026-11-20 04:00:00 UTC`, for each that lets go by itself; empty where none does."""
    ends = [(latch.breaker, latch.rests_until) for latch in latches if latch.trying_at is None]
    return "; ".join(f"rest of {name} ends at {form.moment(end)}" for name, end in ends if end is not None)


def trial_of(latches: Sequence[Latch]) -> str:
    """`trial: at most $500.00 (breaker reverts, since …)`; empty where nothing is tried."""
    return "; ".join(
        f"trial: at most {text.usd(latch.rearm.trial)} (breaker {latch.breaker}, since {form.moment(latch.trying_at)})"
        for latch in latches
        if latch.trying_at is not None and latch.rearm.trial is not None
    )


def ending_of(latch: Latch) -> str:
    """How it lets go, as a sentence."""
    if latch.rests_until is None:
        return f"What {latch.breaker} has stopped stands until a person clears it; only what happens then counts anew."
    over = f"The rest of {latch.breaker} ends at {form.moment(latch.rests_until)}"
    if latch.rearm.trial is None:
        return f"{over}; it begins again where its evidence stands by then."
    return f"{over}; then one trade of at most {text.usd(latch.rearm.trial)} decides."
