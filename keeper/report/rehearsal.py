"""The card of a rehearsal: per bad day what the keeper did, whether that was right, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rich.text import Text

from keeper.report import format as form
from keeper.report.page import BAD, DIM, GOOD, STRONG, WARN, Page, styled


@dataclass(frozen=True, slots=True)
class DayFacts:
    """One day of one vault. `right` is None where the vault has no such day; `loss` and `gas` are USD."""

    name: str
    title: str
    right: bool | None
    did: str
    why: str
    loss: Fraction = Fraction(0)
    gas: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One vault's card. `value` and `depth` are USD; `seconds` is how long all of it took."""

    vault: str
    value: Fraction
    depth: Fraction
    days: Sequence[DayFacts]
    weaknesses: Sequence[str] = ()
    notes: Sequence[str] = ()
    seconds: int = 0

    @property
    def lost(self) -> int:
        """Days on which the keeper was wrong."""
        return sum(day.right is False for day in self.days)


def render_rehearsal(card: Rehearsal) -> Page:
    page = Page()
    worth = f"{form.usd(card.value, 0)}, {form.usd(card.depth, 0)} on each side of its pools"
    page.add(("rehearsal of ", DIM), (card.vault, STRONG), f" · {worth} · {form.count(card.seconds, 'second')}")
    page.blank()
    for day in card.days:
        page.add(_mark(day.right), " ", (f"{day.title:<33}", STRONG), *_words(day), hang=36)
    page.blank()
    _sum_up(page, card)
    for index, weakness in enumerate(card.weaknesses):
        page.label("" if index else "weak", (weakness, WARN), width=7)
    for index, note in enumerate(card.notes):
        page.label("" if index else "note", note, width=7)
    return page


def _mark(right: bool | None) -> Text:
    return styled(("–", DIM)) if right is None else styled(("✓", GOOD)) if right else styled(("✗", BAD))


def _words(day: DayFacts) -> list[str | tuple[str, str]]:
    if day.right is None:
        return [("no such day: ", DIM), (day.why, DIM)]
    cost = f" · cost {form.usd(day.loss)}, gas {form.usd(day.gas)}" if day.loss or day.gas else ""
    return [f"{day.did} · ", (day.why, "" if day.right else BAD), (cost, DIM)]


def _sum_up(page: Page, card: Rehearsal) -> None:
    had = [day for day in card.days if day.right is not None]
    good = len(had) - card.lost
    said = f"{good} of {form.count(len(had), 'day')} as it should be"
    page.label("result", (said, BAD if card.lost else GOOD), width=7)


def rehearsal_record(card: Rehearsal) -> dict[str, object]:
    """The same for machines; money in USD with two digits."""
    days = [
        {
            "day": day.name,
            "right": day.right,
            "did": day.did,
            "why": day.why,
            "loss": f"{float(day.loss):.2f}",
            "gas": f"{float(day.gas):.2f}",
        }
        for day in card.days
    ]
    return {
        "vault": card.vault,
        "value": str(int(card.value)),
        "depth": str(int(card.depth)),
        "days": days,
        "weaknesses": list(card.weaknesses),
        "notes": list(card.notes),
        "seconds": card.seconds,
    }
