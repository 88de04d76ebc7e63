"""From answers to glances: what a screen needs of each vault, and no view. Most of a tick of a thousand vaults is this,
so what is the same for many of them is worked out once a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from keeper.chain.reading.asking import Answered
from keeper.chain.reading.prices import PriceRule
from keeper.chain.reading.views import Decoded, VaultSpec
from keeper.core.chain import Glance, Quotes
from keeper.core.screens import make_quotes
from keeper.core.units import Token

Rules = Mapping[Token, PriceRule]


class Glancing:
    """Glances at the vaults of one chain; `marks` names the state of each one's past.

    A vault that reads what no batch can carry, or that has no prices, is not glanced at.
    """

    def __init__(self, specs: Sequence[VaultSpec], marks: Callable[[Sequence[str]], Mapping[str, object]]) -> None:
        self._marks = marks
        self._priced: list[Rules] = []
        self._priced_by: dict[str, int] = {}
        """Index of the rules that a vault shares with others."""
        self._last: dict[int, Quotes | None] = {}
        known: dict[tuple[tuple[Token, PriceRule], ...], int] = {}
        for spec in specs:
            if spec.direct or not spec.prices:
                continue
            rules = tuple(spec.prices.items())
            if rules not in known:
                known[rules] = len(self._priced)
                self._priced.append(spec.prices)
            self._priced_by[spec.name] = known[rules]

    def glance(self, due: Sequence[str], found: Answered, decoded: Decoded) -> Mapping[str, Glance]:
        seen = [name for name in due if name in self._priced_by]
        marks, priced_by = self._marks(seen), self._priced_by
        own, answers = found.asking.own, found.answers
        quotes = _Lazily(self._priced, decoded, self._last)
        glances = {name: Glance(own[name](answers), marks[name], quotes[priced_by[name]]) for name in seen}
        self._last |= quotes
        return glances


class _Lazily(dict[int, Quotes | None]):
    """Quotes of those rules only that a due vault has; the last ones themselves where they are the same again."""

    def __init__(self, priced: Sequence[Rules], decoded: Decoded, last: Mapping[int, Quotes | None]) -> None:
        super().__init__()
        self._priced, self._decoded, self._last = priced, decoded, last

    def __missing__(self, index: int) -> Quotes | None:
        rules = self._priced[index]
        found = make_quotes({token: self._decoded.price(token, rule) for token, rule in rules.items()})
        last = self._last.get(index)
        self[index] = last if last == found else found
        return self[index]
