"""Forgets old cycles with their decisions and inputs, a portion at a time; nothing else is ever forgotten.

Every nonce stays explained: intents, attempts, outcomes, transitions, proposals, halts and requests stay, and so does
the cycle of every intent and proposal, with all that it was decided from. So does each vault's latest cycle.
"""

from __future__ import annotations

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, func, select

from keeper.journal.tables import cycles, going, intents, proposals

PORTION = 200
"""Cycles at once: a few milliseconds in which nothing else is written."""

_later = cycles.alias("later")
_OLD = (
    select(cycles.c.id)
    .select_from(cycles.outerjoin(going, going.c.cycle == cycles.c.id))
    .where(
        cycles.c.id > bindparam("after"),
        func.coalesce(going.c.at, cycles.c.last_at) < bindparam("before"),
        cycles.c.last_at < bindparam("before"),  # says no more than the line above, and has an index
        ~exists().where(intents.c.cycle == cycles.c.id),
        ~exists().where(proposals.c.cycle == cycles.c.id),
        exists().where(_later.c.vault == cycles.c.vault, _later.c.id > cycles.c.id),
    )
    .order_by(cycles.c.id)
    .limit(bindparam("most"))
)
_NUMBERS: BindParameter[int] = bindparam("numbers", expanding=True)
_FORGET = delete(cycles).where(cycles.c.id.in_(_NUMBERS))
_FORGET_GOING = delete(going).where(going.c.cycle.in_(_NUMBERS))


def prune(connection: Connection, before: int, after: int = 0, most: int = PORTION) -> tuple[int, int]:
    """Cycles that were over before that time (Unix seconds), the oldest first, from number `after` on.

    Returns how many it forgot and the number of the last one: whoever goes on from there does not look again at those
    that stay. 0 and 0 where there are no more.
    """
    numbers = connection.execute(_OLD, {"before": before, "after": after, "most": most}).scalars().all()
    if not numbers:
        return 0, 0
    for statement in (_FORGET_GOING, _FORGET):
        connection.execute(statement, {"numbers": list(numbers)})
    return len(numbers), int(numbers[-1])
