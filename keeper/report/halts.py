"""`keeper clear` alone: what stands and can be cleared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from keeper.core.foreign import printable
from keeper.report import format as form
from keeper.report.page import BAD, STRONG, WARN, Page, styled


@dataclass(frozen=True, slots=True)
class Standing:
    """A halt that nobody has cleared; `tried` where its breaker's trial is going on. `at` is in Unix seconds."""

    number: int
    scope: str
    at: int
    reason: str
    tried: bool = False


def render_halts(standing: Sequence[Standing], config: str) -> Page:
    """`config` as commands must be given it; empty where it is the default."""
    page = Page()
    if not standing:
        page.add("Nothing is halted.")
        return page
    rows = [
        [
            styled((str(halt.number), STRONG)),
            Text(halt.scope),
            styled(("on trial", WARN) if halt.tried else ("halted", BAD)),
            Text(form.moment(halt.at)),
        ]
        for halt in standing
    ]
    page.table(rows, "rlll", ("halt", "scope", "state", "since"), drop=())
    page.blank()
    width = max(len(str(halt.number)) for halt in standing) + 2
    for halt in standing:
        page.label(str(halt.number), printable(halt.reason), width=width)
    page.blank()
    page.label("let it go", 'keeper clear SCOPE --reason "…"' + (f" -c {config}" if config else ""), width=11)
    return page
