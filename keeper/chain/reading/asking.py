"""What a tick asks, and where each answer stands. The reads of the due vaults themselves come first, so that their
places stay the same for as long as the same vaults are due; pools and prices, which they share, follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from keeper.chain.reading.views import VaultSpec
from keeper.core.chain import Read
from keeper.core.pools import Pool
from keeper.core.units import Address

REMEMBERED = 4
"""Sets of vaults that are due together, of which one is due again next."""

Own = Callable[[Sequence[bytes | None]], Any]
"""One vault's own answers out of all, as a tuple."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Of some vaults: their own reads (balances, allowances, what strategy and custody ask for), those of their prices,
    their pools and their senders."""

    reads: tuple[Read, ...]
    places: Mapping[Read, int]
    own: Mapping[str, Own]
    prices: tuple[Read, ...]
    pools: Mapping[Address, Pool]
    senders: tuple[Address, ...]

    @classmethod
    def of(cls, specs: Sequence[VaultSpec]) -> Asking:
        mine = {spec.name: tuple(dict.fromkeys([*spec.account_reads(), *spec.extra])) for spec in specs}
        reads = tuple(dict.fromkeys(read for some in mine.values() for read in some))
        places = {read: place for place, read in enumerate(reads)}
        return cls(
            reads=reads,
            places=places,
            own={name: _taking([places[read] for read in some]) for name, some in mine.items()},
            prices=tuple(dict.fromkeys(read for spec in specs for read in spec.price_reads())),
            pools={pool.address: pool for spec in specs for pool in spec.pools},
            senders=tuple(dict.fromkeys(spec.sender for spec in specs if spec.sender)),
        )

    def with_shared(self, shared: Iterable[Read]) -> tuple[Read, ...]:
        """All reads of a tick, each once."""
        return self.reads + tuple(dict.fromkeys(read for read in shared if read not in self.places))


def _taking(places: Sequence[int]) -> Own:
    if len(places) == 1:  # of one place an itemgetter makes no tuple
        return lambda answers: (answers[places[0]],)
    return itemgetter(*places) if places else lambda answers: ()  # noqa: ARG005


@dataclass(slots=True)
class Askings:
    """Worked out once for each set of vaults that are due together."""

    specs: Mapping[str, VaultSpec]
    _known: dict[tuple[str, ...], Asking] = field(default_factory=dict)

    def of(self, due: Sequence[str]) -> Asking:
        names = tuple(due)
        asking = self._known.pop(names, None) or Asking.of([self.specs[name] for name in names])
        self._known[names] = asking
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return asking


@dataclass(slots=True)
class Answered(Mapping[Read, bytes | None]):
    """What came back, in the order in which it was asked, and what was asked for later."""

    asking: Asking
    answers: Sequence[bytes | None]
    more: dict[Read, bytes | None]

    @classmethod
    def to(cls, asking: Asking, reads: Sequence[Read], answers: Sequence[bytes | None]) -> Answered:
        shared = len(asking.reads)
        return cls(asking, answers, dict(zip(reads[shared:], answers[shared:], strict=True)))

    def __getitem__(self, read: Read) -> bytes | None:
        place = self.asking.places.get(read)
        return self.more[read] if place is None else self.answers[place]

    def __iter__(self) -> Iterator[Read]:
        return iter((*self.asking.reads, *self.more))

    def __len__(self) -> int:
        return len(self.asking.reads) + len(self.more)
