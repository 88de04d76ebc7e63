"""One chain of a configuration beside what it said at start: every part of a decision, and no node.

So a decision can be made from what the journal kept as well as from the chain itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from keeper.app.breakers import lookback, make_breakers
from keeper.app.custodies import custody_reads, make_custody, make_owners
from keeper.app.describing import Describer
from keeper.app.parts import TOGETHER, make_guards, make_means, make_routing, make_venues
from keeper.app.prices import PriceMaker
from keeper.app.schedules import make_looks, make_windows, why_not_now
from keeper.app.setting import Setting
from keeper.app.strategies import make_strategy, strategy_reads
from keeper.app.upkeeps import make_upkeep, upkeep_reads
from keeper.chain.reading.chainlink import Sequencer
from keeper.chain.reading.pins import Pins
from keeper.chain.reading.views import VaultSpec
from keeper.config import Config, Loaded
from keeper.config.chains import ChainConfig
from keeper.config.safes import ProposeConfig
from keeper.core.chain import History
from keeper.core.ports import Journal, Proposer, Submitter, Venue
from keeper.daemon import Schedule
from keeper.deciding import Vault
from keeper.routing.market import SplitMarket


def vaults_on(config: Config, chain: str) -> tuple[str, ...]:
    """Upkeeps too: they are observed, decided and sent as vaults are."""
    return config.kept_on(chain)


class Pasts:
    """The past of each vault of a tick, whose marks are seen first: nothing is asked again where they stay the same.

    A pause that somebody asks for between the two is met where it matters: when a transaction is to be reserved.
    """

    def __init__(self, loaded: Loaded, journal: Journal) -> None:
        self._loaded, self._journal = loaded, journal
        self._marks_of = marks_of(loaded, journal.marks)
        self._seen: dict[str, object] = {}

    def marks(self, names: Sequence[str]) -> Mapping[str, object]:
        found = self._marks_of(names)
        self._seen.update(found)
        return found

    def history(self, name: str, now: int) -> History:
        """What was seen is good for one tick, so for one history."""
        config, seen = self._loaded.config, self._seen.pop(name, None)
        return self._journal.history(config.original_of(name), now, lookback(config.kept[name].breakers), seen)


def past_of(loaded: Loaded, history: Callable[[str, int, int], History]) -> Callable[[str, int], History]:
    """The past that each decision may know: as far back as its breakers look; a shadow's is that of its original."""
    config = loaded.config
    return lambda name, now: history(config.original_of(name), now, lookback(config.kept[name].breakers))


def marks_of(
    loaded: Loaded, marks: Callable[[Iterable[str]], Mapping[str, object]]
) -> Callable[[Sequence[str]], Mapping[str, object]]:
    """The state of the past that `past_of` gives each vault."""
    original = {name: loaded.config.original_of(name) for name in loaded.config.kept}

    def found(names: Sequence[str]) -> Mapping[str, object]:
        mine = marks({original[name] for name in names})
        return {name: mine[original[name]] for name in names}

    return found


@dataclass(frozen=True, slots=True)
class Composition:
    """What the vaults of one chain are made of."""

    loaded: Loaded
    name: str
    pins: Pins

    @property
    def vaults(self) -> tuple[str, ...]:
        return vaults_on(self.loaded.config, self.name)

    @property
    def config(self) -> ChainConfig:
        return self.loaded.config.chains[self.name]

    @property
    def venues(self) -> Mapping[str, Venue]:
        return make_venues(self.loaded.config.account_of(vault) for vault in self.vaults)

    def setting(self, vault: str) -> Setting:
        return Setting(self.loaded.config, vault, self.pins)

    def spec(self, vault: str) -> VaultSpec:
        setting, config = self.setting(vault), self.loaded.config
        trades = vault in config.vaults
        uptime = self.config.sequencer
        sequencer = None if uptime is None else Sequencer(uptime.feed, uptime.grace)
        named = {name: address for address, name in config.pools_of(vault).items() if name}
        maker = PriceMaker(self.config, self.pins, config.prices_of(vault), sequencer, named)
        wrapped = self.config.native.wrapped
        native = None
        if wrapped is not None and wrapped in maker.rules:
            native = maker.rule(wrapped, self.pins.tokens[self.config.tokens[wrapped].address])
        return VaultSpec(
            name=vault,
            account=config.account_of(vault),
            sender=config.signing_for(vault),
            tokens=tuple(setting.tokens.values()),
            pools=setting.pools,
            left_out=setting.pools_left_out,
            prices={token: maker.rule(symbol, token) for symbol, token in setting.tokens.items() if trades},
            native=setting.native,
            wrapped=setting.wrapped,
            native_price=native,
            gas_reserve=setting.gas_reserve.raw,
            counts_native=setting.wrapped is not None,
            spenders=tuple(dict.fromkeys(router.address for router in setting.spenders)) if trades else (),
            extra=(*custody_reads(setting), *strategy_reads(setting)) if trades else (),
            direct=() if trades else upkeep_reads(config.upkeeps[vault]),
        )

    def vault(self, name: str, submitter: Submitter, *, armed: bool, proposer: Proposer | None = None) -> Vault:
        setting = self.setting(name)
        if name in self.loaded.config.upkeeps:
            return make_upkeep(setting, submitter, self.loaded.hash, armed=armed)
        owners, means = make_owners(setting), make_means(setting)
        alone = Vault(
            name=name,
            strategy=make_strategy(setting),
            custody=make_custody(setting),
            routing=make_routing(setting),
            market=None if means is None else partial(SplitMarket, means=means),
            together=TOGETHER if means is not None and means.joins else {},
            venues=self.venues,
            guards=make_guards(setting),
            breakers=make_breakers(setting),
            submitter=submitter,
            config_hash=self.loaded.hash,
            armed=armed,
            proposer=proposer,
        )
        if owners is None:
            return alone
        routing, guards = make_routing(setting, owners), make_guards(setting, owners)
        people = replace(alone, custody=owners, routing=routing, guards=guards)
        if isinstance(self.loaded.config.vaults[name].custody, ProposeConfig):
            return replace(people, asks="only the owners of its Safe may act")
        # Who is armed asks people only where somebody writes down what for.
        return alone if armed and proposer is None else replace(alone, people=people)

    def why_not_now(self, vault: str, now: int) -> str:
        return why_not_now(make_windows(self.loaded.config.kept[vault].schedule), now)

    def schedules(self) -> dict[str, Schedule]:
        block_time = float(self.config.block_time)
        return {v: make_looks(self.loaded.config.kept[v], block_time) for v in self.vaults}

    @property
    def describer(self) -> Describer:
        return Describer(self.loaded, self.name, self.setting)
