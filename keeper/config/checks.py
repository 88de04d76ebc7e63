"""What single values cannot show: whether the parts of a config fit each other, and what is better known before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain as joined

from keeper.config.chains import ChainConfig
from keeper.config.check_chains import chains
from keeper.config.check_signers import signers
from keeper.config.check_upkeeps import shared_accounts, upkeeps
from keeper.config.check_vaults import vaults
from keeper.config.custody import full_authority
from keeper.config.faults import Fault
from keeper.config.prices import ChainlinkConfig, PriceConfig, leaves
from keeper.config.tree import Config
from keeper.config.weights import WeightsConfig
from keeper.config.yaml_text import Document


def check(config: Config, document: Document) -> None:
    """Raises ConfigError for the first thing that does not fit."""
    faults = joined(_parts(config), chains(config), vaults(config), upkeeps(config), signers(config))
    for path, expected, found in faults:
        raise document.error(path, expected, found)


def _parts(config: Config) -> Iterator[Fault]:
    if not config.kept:
        yield Fault(("vaults",), "at least one vault, or an upkeep", "none")
    if config.journal.url is not None and "path" in config.journal.model_fields_set:
        yield Fault(("journal",), "either path or url", "both")


def warnings(config: Config) -> Iterator[str]:
    """One line each, for what is allowed and still unwise."""
    used = {kept.chain for kept in config.kept.values()}
    for name in sorted(used):
        if not config.chains[name].is_local:
            yield from _rpc(name, config.chains[name])
    yield from shared_accounts(config)
    for name, vault in config.vaults.items():
        if authority := full_authority(vault.custody):
            yield f"vaults.{name}.custody: {authority}"
        if not config.chain_of(name).is_local:
            prices = config.prices_of(name)
            yield from _origins(name, {symbol: prices[symbol] for symbol in vault.strategy.symbols})
        if isinstance(vault.strategy, WeightsConfig):
            yield from _wide_triggers(name, vault.strategy)
        elif len({source.pool for source in vault.strategy.price.sources}) == 1:
            yield f"vaults.{name}: every source of its peg is one pool's: whoever moves that one moves all of them"


def _wide_triggers(vault: str, strategy: WeightsConfig) -> Iterator[str]:
    for symbol, target in strategy.weights.items():
        trigger = strategy.bands_of(symbol)[0]
        if 0 < target <= trigger.at(target):
            yield f"vaults.{vault}: all of {symbol} could go without leaving its trigger ({trigger})"


def _rpc(name: str, chain: ChainConfig) -> Iterator[str]:
    if len(chain.rpc) == 1:
        yield f"chains.{name}.rpc: one URL only: nobody contradicts it, and nothing replaces it"
    elif all(url.is_set for url in chain.rpc) and len({url.host for url in chain.rpc}) == 1:
        yield f"chains.{name}.rpc: all URLs are of one host: they fail together"


def _origins(vault: str, prices: Mapping[str, PriceConfig]) -> Iterator[str]:
    """Sources that fail together are one source (correlated oracle failure)."""
    single = [symbol for symbol, price in prices.items() if len(price.sources) == 1]
    if single:
        yield f"vaults.{vault}: one price source only, which nothing contradicts: {', '.join(single)}"
    alike = [symbol for symbol, price in prices.items() if len(price.sources) > 1 and _is_of_chainlink(price)]
    if alike:
        yield f"vaults.{vault}: all price sources are of chainlink and can fail together: {', '.join(alike)}"


def _is_of_chainlink(price: PriceConfig) -> bool:
    return all(isinstance(leaf, ChainlinkConfig) for source in price.sources for leaf in leaves(source))
