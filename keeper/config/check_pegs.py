"""Whether a peg makes sense: bands, sources that follow the market, limits that do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain as joined

from keeper.config.chains import ChainConfig
from keeper.config.faults import Fault
from keeper.config.paths import Path
from keeper.config.peg import PegConfig, PegSource
from keeper.config.prices import FixedConfig, PriceConfig, leaves
from keeper.config.units import Blocks, duration_text, plain
from keeper.config.vaults import VaultConfig
from keeper.core.units import USD


def pegs(vault: VaultConfig, path: Path, chain: ChainConfig, prices: Mapping[str, PriceConfig]) -> Iterator[Fault]:
    """`prices` are those that the vault's tokens are valued by."""
    if isinstance(vault.strategy, PegConfig):
        peg, here = vault.strategy, (*path, "strategy")
        yield from joined(
            _peg(peg, here),
            _sources(vault, peg, (*here, "price"), chain, prices),
            _inventory(peg, (*here, "inventory")),
            _looks(vault, peg, path, chain),
            _limits(vault, peg, here),
        )


def _peg(peg: PegConfig, here: Path) -> Iterator[Fault]:
    units = (USD.symbol, peg.against)
    if peg.peg.rate is None and peg.peg.unit not in units:
        yield Fault((*here, "peg"), f"a peg in {' or '.join(units)}", str(peg.peg))
    if peg.price.max_move > peg.wall:
        yield Fault((*here, "price", "max_move"), f"at most the wall ({peg.wall}bps)", f"{peg.price.max_move}bps")
    if peg.regenerate is not None and peg.regenerate.after > peg.regenerate.of:
        yield Fault((*here, "regenerate", "after"), f"at most of ({peg.regenerate.of})", str(peg.regenerate.after))
    if isinstance(peg.persist, Blocks) or peg.persist <= 86_400:
        return
    yield Fault((*here, "persist"), "blocks, or a duration up to 24h", f"{peg.persist}s")


def _sources(
    vault: VaultConfig, peg: PegConfig, here: Path, chain: ChainConfig, prices: Mapping[str, PriceConfig]
) -> Iterator[Fault]:
    price, names = peg.price, [pool.name for pool in vault.pools if pool.name]
    for index, source in enumerate(price.sources):
        place = (*here, "sources", index)
        if source.pool and source.pool not in names:
            yield Fault(place, f"one of {', '.join(names) or 'the named pools, of which there are none'}", str(source))
        elif source.symbol and source.symbol != peg.coin:
            yield Fault(place, f"{peg.coin}/USD, or an average of a pool", str(source))
        elif source.symbol and source.symbol not in (*chain.prices, *vault.prices):
            yield Fault(place, f"a price of its own: chains.{vault.chain}.prices.{source.symbol}", "none")
    if price.need is not None and price.need > len(price.sources):
        yield Fault((*here, "need"), f"at most the number of sources ({len(price.sources)})", str(price.need))
    if peg.is_in_usd and price.times != peg.against:
        found = "nothing" if price.times is None else f"{price.times}/USD"
        yield Fault((*here, "times"), f"{peg.against}/USD: 1 {peg.against} is not 1 USD", found)
    elif not peg.is_in_usd and price.times is not None:
        yield Fault((*here, "times"), f"nothing: the peg is in {peg.against}", f"{price.times}/USD")
    if all(_is_fixed(source, prices) for source in price.sources):
        yield Fault((*here, "sources"), "a source that follows the market", "a fixed price")
    elif peg.is_in_usd and not chain.is_local and _has_fixed(prices.get(peg.against)):
        yield Fault((*here, "times"), f"a price of {peg.against} that follows the market", "a fixed price")


def _is_fixed(source: PegSource, prices: Mapping[str, PriceConfig]) -> bool:
    return bool(source.symbol) and _has_fixed(prices.get(source.symbol))


def _has_fixed(price: PriceConfig | None) -> bool:
    return price is not None and any(isinstance(leaf, FixedConfig) for each in price.sources for leaf in leaves(each))


def _looks(vault: VaultConfig, peg: PegConfig, path: Path, chain: ChainConfig) -> Iterator[Fault]:
    """A mean that begins anew at every look is never believed."""
    look = vault.schedule.look
    if isinstance(look, str):
        yield Fault((*path, "schedule", "cron"), "`every`: a peg is looked at all the time", "cron")
        return
    seconds = look.count * chain.block_time if isinstance(look, Blocks) else look
    if seconds >= peg.price.ema:
        expected = f"less than price.ema ({duration_text(peg.price.ema)}): its means would never be warm"
        yield Fault(
            (*path, "schedule", "every"), expected, str(look) if isinstance(look, Blocks) else duration_text(look)
        )


def _inventory(peg: PegConfig, here: Path) -> Iterator[Fault]:
    for symbol, hoard in peg.inventory.items():
        if symbol not in peg.symbols:
            yield Fault((*here, symbol), f"one of {', '.join(peg.symbols)}", "another token")
        if hoard.min is not None and hoard.max is not None and hoard.min >= hoard.max:
            yield Fault((*here, symbol, "min"), f"less than max ({plain(hoard.max)})", plain(hoard.min))


def _limits(vault: VaultConfig, peg: PegConfig, here: Path) -> Iterator[Fault]:
    most = vault.guards.max_trade
    for name, limit in (("dust", peg.dust), ("clip", peg.clip)):
        if limit is not None and (limit > most or (name == "dust" and limit == most)):
            yield Fault((*here, name), f"at most max_trade ({plain(most.whole)} USD)", f"{plain(limit.whole)} USD")
    if peg.dust >= peg.capacity.limit:
        expected = f"less than the capacity ({plain(peg.capacity.limit.whole)} USD)"
        yield Fault((*here, "dust"), expected, f"{plain(peg.dust.whole)} USD")
