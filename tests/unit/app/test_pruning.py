from __future__ import annotations

from dataclasses import dataclass, field

from keeper.app.pruning import EVERY, Pruning
from keeper.core.errors import JournalError

DAY = 86_400
NOW = 100 * DAY


@dataclass
class Book:
    """So many old cycles, forgotten two at a time."""

    old: int
    asked: list[tuple[int, int]] = field(default_factory=list)
    broken: bool = False

    def prune(self, before: int, after: int = 0) -> tuple[int, int]:
        if self.broken:
            raise JournalError("journal: disk full")
        self.asked.append((before, after))
        count = min(2, self.old)
        self.old -= count
        return (count, after + count) if count else (0, 0)


def test_step__as_often_as_it_is_called__a_portion_each_and_then_a_rest() -> None:
    book, clock = Book(3), [float(NOW)]
    pruning = Pruning(book, 90 * DAY, lambda: clock[0])
    for _ in range(6):
        pruning.step()
    assert book.asked == [(10 * DAY, 0), (10 * DAY, 2), (10 * DAY, 3)]
    clock[0] += EVERY
    pruning.step()
    assert book.asked[3:] == [(10 * DAY + EVERY, 0)]


def test_step__for_ever__forgets_nothing() -> None:
    book = Book(3)
    Pruning(book, None).step()
    assert book.asked == []


def test_step__the_journal_cannot_be_written__is_no_trouble_of_its_own() -> None:
    book = Book(3, broken=True)
    pruning = Pruning(book, DAY, lambda: NOW)
    pruning.step()
    book.broken = False
    pruning.step()
    assert book.asked == [(99 * DAY, 0)]
