"""From answers to glances: what a screen needs of each vault, and no view. Most of a tick of a thousand vaults is this,
so what is the same from tick to tick is worked out once, and what is the same for many vaults once a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from keeper.chain.nodes.batch import Found
from keeper.chain.reading.prices import PriceRule
from keeper.chain.reading.views import Decoded, VaultSpec
from keeper.core.chain import Glance
from keeper.core.screens import Quotes, make_quotes
from keeper.core.units import Token

Rules = Mapping[Token, PriceRule]


class Glancing:
    """Glances at the vaults of one chain; `marks` names the state of each one's past.

    A vault that reads what no batch can carry, or that has no prices, is not glanced at.
    """

    def __init__(self, specs: Sequence[VaultSpec], marks: Callable[[Sequence[str]], Mapping[str, object]]) -> None:
        self._marks = marks
        self._own: dict[str, Callable[[Found], Any]] = {}
        self._priced: list[Rules] = []
        self._priced_by: dict[str, int] = {}
        """Index of the rules that a vault shares with others."""
        known: dict[tuple[tuple[Token, PriceRule], ...], int] = {}
        for spec in specs:
            own = tuple(dict.fromkeys([*spec.account_reads(), *spec.extra]))
            if spec.direct or not spec.prices or len(own) < 2:  # of one an itemgetter makes no tuple
                continue
            rules = tuple(spec.prices.items())
            if rules not in known:
                known[rules] = len(self._priced)
                self._priced.append(spec.prices)
            self._own[spec.name], self._priced_by[spec.name] = itemgetter(*own), known[rules]

    def glance(self, due: Sequence[str], found: Found, decoded: Decoded) -> Mapping[str, Glance]:
        seen = [name for name in due if name in self._own]
        marks, own, priced_by = self._marks(seen), self._own, self._priced_by
        quotes: list[Quotes | None] = [_quotes(rules, decoded) for rules in self._priced]
        return {name: Glance(own[name](found), marks[name], quotes[priced_by[name]]) for name in seen}


def _quotes(rules: Rules, decoded: Decoded) -> Quotes | None:
    return make_quotes({token: decoded.price(token, rule) for token, rule in rules.items()})
