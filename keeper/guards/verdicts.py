"""How a guard answers: both figures with their units, and how much of the limit is used."""

from __future__ import annotations

from fractions import Fraction

from keeper.core.rights import lacks_right
from keeper.core.verdicts import Allow, Deny, Verdict


def no_trade(guard: str, limit: str) -> Allow:
    """The draft only approves, revokes or wraps: this guard has nothing to measure."""
    return Allow(guard, "does not apply: no trade", limit)


def failed(guard: str, failure: str) -> Deny:
    """What cannot be simulated is not traded."""
    return Deny(
        guard,
        f"the simulation failed: {failure}",
        measured="simulation failed",
        limit="must succeed",
        remedy="It is simulated again, with fresh balances and prices, in the next cycle.",
        for_people=lacks_right(failure),
    )


def at_most(
    guard: str,
    figures: tuple[Fraction | int, Fraction | int],
    texts: tuple[str, str],
    what: str,
    detail: tuple[str, ...] = (),
    remedy: str = "",
) -> Verdict:
    """Allow where the first figure is no more than the second. `texts` are the same two for people; `what` is a
    clause that says what was measured: `chainlink and twap30m disagree on WETH`."""
    (measured, limit), (measured_text, limit_text) = figures, texts
    used = Fraction(measured, limit) if limit else None
    if measured <= limit:
        return Allow(guard, measured_text, limit_text, used)
    reason = f"{what}: {measured_text} measured, {limit_text} allowed"
    return Deny(guard, reason, measured_text, limit_text, used, detail, remedy)
