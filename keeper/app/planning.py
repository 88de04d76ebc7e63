"""What would be done now: observed, decided and simulated, journaled nowhere, signed never."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from keeper.app.chains import Chain
from keeper.app.composition import past_of
from keeper.app.journals import has_journal, journal_url
from keeper.config import Loaded
from keeper.core.chain import History
from keeper.deciding import decide
from keeper.journal.reader import JournalReader


def plans(loaded: Loaded, only: str | None = None) -> Iterator[tuple[Mapping[str, object], int]]:
    """Each vault's decision record and the time at which it was made, Unix seconds.

    Raises ConfigError where a chain disagrees with the configuration, Unreachable where one does not answer.
    """
    wanted = [name for name in loaded.config.kept if only in (None, name)]
    for chain_name in dict.fromkeys(loaded.config.kept[name].chain for name in wanted):
        chain = Chain.open(loaded, chain_name)
        names = [name for name in wanted if name in chain.vaults]
        snapshot = chain.observer(_history(loaded)).observe(names)
        submitter, describer = chain.dry_submitter(), chain.describer
        for name in names:
            decision = decide(chain.vault(name, submitter, armed=False), snapshot.vaults[name].view)
            yield describer.describe(decision), chain.clock.now()


def _history(loaded: Loaded) -> Callable[[str, int], History]:
    """The journal's, where there is one: it is read, whether or not a daemon writes it."""
    if not has_journal(loaded):
        return lambda _vault, _now: History()

    def read(vault: str, now: int) -> History:
        with JournalReader(journal_url(loaded)) as reader:
            return past_of(loaded, reader.history)(vault, now)

    return read
