"""Whether a chain fits itself: tokens, pools, fees, factories, prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain as joined
from itertools import pairwise

from keeper.config.chains import ChainConfig
from keeper.config.faults import Fault, twice
from keeper.config.paths import Path
from keeper.config.pools import PoolRef
from keeper.config.prices import ChainlinkConfig, Pair, PriceConfig, ProductConfig, SourceConfig, TwapConfig, leaves
from keeper.config.tree import Config
from keeper.config.units import fee_text
from keeper.core.units import USD


def chains(config: Config) -> Iterator[Fault]:
    ids = ((("chains", name, "chain_id"), chain.chain_id, name) for name, chain in config.chains.items())
    yield from twice(ids, "each chain once")
    for name, chain in config.chains.items():
        path = ("chains", name)
        yield from joined(_rpc(chain, path), _tokens(chain, path), _fees(chain, path), _factories(chain, path))
        yield from prices(chain.prices, (*path, "prices"), chain, lambda ref, on=chain: _names(on, ref))  # type: ignore[misc]


def _names(chain: ChainConfig, ref: PoolRef) -> bool:
    return ref.address is not None or ref.name in chain.pools


def _rpc(chain: ChainConfig, path: Path) -> Iterator[Fault]:
    urls = (((*path, "rpc", index), url, f"rpc[{index}]") for index, url in enumerate(chain.rpc) if url.is_set)
    yield from twice(urls, "each URL once")
    if chain.quorum is not None and chain.quorum > len(chain.rpc):
        yield Fault((*path, "quorum"), f"at most the number of URLs ({len(chain.rpc)})", str(chain.quorum))


def _tokens(chain: ChainConfig, path: Path) -> Iterator[Fault]:
    tokens = (((*path, "tokens", symbol), token.address, symbol) for symbol, token in chain.tokens.items())
    yield from twice(tokens, "each token once")
    pools = (((*path, "pools", name), address, name) for name, address in chain.pools.items())
    yield from twice(pools, "each pool once")
    wrapped = chain.native.wrapped
    if wrapped is not None and wrapped not in chain.tokens:
        yield Fault((*path, "native", "wrapped"), f"one of {_listed(chain.tokens)}", wrapped)


def _fees(chain: ChainConfig, path: Path) -> Iterator[Fault]:
    fees = chain.fees
    if fees.max_base_fee > fees.max_fee:
        expected = f"at most max_fee ({fee_text(fees.max_fee)})"
        yield Fault((*path, "fees", "max_base_fee"), expected, fee_text(fees.max_base_fee))
    if fees.max_tip > fees.max_fee:
        yield Fault((*path, "fees", "max_tip"), f"at most max_fee ({fee_text(fees.max_fee)})", fee_text(fees.max_tip))
    if fees.min_tip > fees.max_tip:
        yield Fault((*path, "fees", "min_tip"), f"at most max_tip ({fee_text(fees.max_tip)})", fee_text(fees.min_tip))


_ROUTERS = {
    "uniswap_v2": ("v2_router", "swap_router02", "pancake_router"),
    "uniswap_v3": ("swap_router02", "swap_router"),
    "pancake_v3": ("pancake_router",),
    "slipstream": ("slipstream_router",),
}


def _factories(chain: ChainConfig, path: Path) -> Iterator[Fault]:
    for address, factory in chain.factories.items():
        here = (*path, "factories", address)
        fitting = _ROUTERS[factory.kind]
        if factory.router.kind not in fitting:
            yield Fault((*here, "router", "kind"), " or ".join(fitting), factory.router.kind)
        if factory.kind != "uniswap_v2" and factory.fee is not None:
            yield Fault((*here, "fee"), "none: each v3 pool says its own", "one")


# --- prices ----------------------------------------------------------------------------------------------------------


def prices(
    found: Mapping[str, PriceConfig], path: Path, chain: ChainConfig, is_known: Callable[[PoolRef], bool]
) -> Iterator[Fault]:
    """Of a chain, or of a vault in place of its chain's. `is_known` says whether a pool's name is one."""
    for symbol, price in found.items():
        here = (*path, symbol)
        if symbol not in chain.tokens:
            yield Fault(here, f"one of {_listed(chain.tokens)}", "an unknown token")
        if price.need > len(price.sources):
            yield Fault((*here, "need"), f"at most the number of sources ({len(price.sources)})", str(price.need))
        if price.min is not None and price.max is not None and price.min >= price.max:
            yield Fault((*here, "min"), "less than max", "as much or more")
        sources = (((*here, "sources", i), source, f"sources[{i}]") for i, source in enumerate(price.sources))
        yield from twice(sources, "sources that differ")
        for index, source in enumerate(price.sources):
            yield from _source(source, (*here, "sources", index), symbol, is_known)


def _source(source: SourceConfig, path: Path, symbol: str, is_known: Callable[[PoolRef], bool]) -> Iterator[Fault]:
    factors = leaves(source)
    for index, leaf in enumerate(factors):
        here = (*path, "of", index) if isinstance(source, ProductConfig) else path
        if isinstance(leaf, TwapConfig) and not is_known(leaf.pool):
            yield Fault((*here, "pool"), "the address or the name of a pool", f"{leaf.pool.name}, which no pool has")
    pairs = [_effective(leaf) for leaf in factors]
    first, last = pairs[0], pairs[-1]
    if first is not None and not _is_same(first.base, symbol):
        yield _wrong_pair(source, path, 0, f"a feed of {' or '.join(_also(symbol))}", first)
    if last is not None and last.quote != USD.symbol:
        yield _wrong_pair(source, path, len(pairs) - 1, "a feed in USD, or further factors up to it", last)
    for index, (one, next_one) in enumerate(pairwise(pairs), 1):
        if one is not None and next_one is not None and not _is_same(one.quote, next_one.base):
            yield _wrong_pair(source, path, index, f"a feed of {one.quote}", next_one)


def _effective(leaf: SourceConfig) -> Pair | None:
    """What a factor says once it is turned round where that is asked; None where only the chain knows."""
    if not isinstance(leaf, ChainlinkConfig) or leaf.pair is None:
        return None
    return Pair(leaf.pair.quote, leaf.pair.base) if leaf.invert else leaf.pair


def _also(symbol: str) -> tuple[str, ...]:
    """A wrapped coin is priced as the coin itself: WETH by ETH / USD, WBTC and cbBTC by BTC / USD."""
    for prefix in ("W", "cb"):
        if symbol.startswith(prefix) and len(symbol) > len(prefix) + 1:
            return symbol, symbol.removeprefix(prefix)
    return (symbol,)


def _is_same(one: str, other: str) -> bool:
    """Feeds spell symbols as they like: wstETH, WSTETH."""
    return not {name.lower() for name in _also(one)}.isdisjoint(name.lower() for name in _also(other))


def _wrong_pair(source: SourceConfig, path: Path, index: int, expected: str, found: Pair) -> Fault:
    here = (*path, "of", index) if isinstance(source, ProductConfig) else path
    return Fault((*here, "pair"), expected, str(found))


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "the tokens, of which there are none"
