"""Decisions as the journal and every page tell them, beside what the configuration says of their vaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from keeper.app.custodies import Notes, custody_notes, no_notes
from keeper.app.setting import Setting
from keeper.config import Loaded
from keeper.config.paths import dotted
from keeper.config.upkeeps import AnyUpkeep
from keeper.core.chain import VaultView
from keeper.core.decision import Decision
from keeper.core.foreign import printable
from keeper.report.decision import Limits, VaultMeta, describe


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the configuration says of a vault, and what can be said of its custody at a block."""

    meta: VaultMeta
    notes: Notes
    limits: Limits


class Describer:
    """Makes of each decision about a chain's vaults its one record. Each vault's facts are worked out once."""

    def __init__(self, loaded: Loaded, chain: str, setting: Callable[[str], Setting]) -> None:
        self._loaded, self._chain, self._setting = loaded, chain, setting
        self._known: dict[str, _Facts] = {}

    def describe(self, decision: Decision, *, armed: bool = False) -> Mapping[str, object]:
        """With each limit's place and origin in the configuration."""
        vault = decision.vault
        if vault not in self._known:
            self._known[vault] = self._facts(vault)
        facts = self._known[vault]
        rights = facts.notes(decision.view) if isinstance(decision.view, VaultView) else ()
        meta = replace(facts.meta, armed=armed, rights=rights)
        asks = {"asks": printable(decision.asks)} if decision.asks else {}
        return {**describe(decision, meta, limits=facts.limits), **asks}

    def _facts(self, vault: str) -> _Facts:
        config = self._loaded.config
        kept = config.kept[vault]
        meta = VaultMeta(
            name=vault,
            chain=self._chain,
            chain_id=config.chains[self._chain].chain_id,
            custody=kept.custody.kind,
            mode=kept.mode,
            config_hash=self._loaded.hash,
            strategy=kept.kind if isinstance(kept, AnyUpkeep) else kept.strategy.kind,
        )
        notes = custody_notes(self._setting(vault)) if vault in config.vaults else no_notes
        where = dotted((*config.place_of(vault), "guards"))
        places = {guard: f"{where}.{guard}" for guard in type(kept.guards).model_fields}
        limits = {guard: (place, self._loaded.origins.get(place, "default")) for guard, place in places.items()}
        return _Facts(meta, notes, limits)
