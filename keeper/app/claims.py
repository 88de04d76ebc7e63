"""What a configuration claims about a chain: tokens, pools and feeds that its vaults need to be true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keeper.chain.reading.pins import FeedWant, PoolWant, TokenWant
from keeper.config import Config
from keeper.config.chains import TokenBody
from keeper.config.prices import ChainlinkConfig, SourceConfig, TwapConfig, leaves
from keeper.config.upkeeps import AnyUpkeep
from keeper.core.units import Address


@dataclass(frozen=True, slots=True)
class Claims:
    """What the vaults of one chain need to be true. Paths are those of the configuration."""

    config: Config
    chain: str
    vaults: tuple[str, ...]

    @property
    def path(self) -> str:
        return f"chains.{self.chain}"

    def tokens(self) -> Iterator[TokenWant]:
        """The tokens that a vault holds or that wrap the native coin; those that nobody uses are not looked at."""
        chain = self.config.chains[self.chain]
        used = {symbol for vault in self.vaults for symbol in self.config.symbols_of(vault)}
        if chain.native.wrapped:
            used.add(chain.native.wrapped)
        for symbol in sorted(used):
            token = chain.tokens[symbol]
            yield TokenWant(f"{self.path}.tokens.{symbol}", token.address, symbol, token.decimals)

    def traded_by(self, vault: str) -> frozenset[Address]:
        """Tokens that a vault holds and trades."""
        body = self.config.vaults.get(vault)
        return frozenset(self._declared[symbol].address for symbol in body.strategy.traded) if body else frozenset()

    def place_of(self, token: Address) -> str:
        """Where a token is declared; empty where it is not."""
        return next((f"{self.path}.tokens.{s}" for s, t in self._declared.items() if t.address == token), "")

    @property
    def rebasing(self) -> frozenset[Address]:
        return frozenset(token.address for token in self._declared.values() if token.rebasing)

    @property
    def _declared(self) -> Mapping[str, TokenBody]:
        return self.config.chains[self.chain].tokens

    @property
    def upkeeps(self) -> Mapping[str, AnyUpkeep]:
        return {name: self.config.upkeeps[name] for name in self.vaults if name in self.config.upkeeps}

    def targets(self) -> Iterator[tuple[Address, str]]:
        """The contracts that upkeeps ask and call."""
        for name, upkeep in self.upkeeps.items():
            yield upkeep.target, f"upkeeps.{name}.target"
            if upkeep.allowed[0] != upkeep.target:
                yield upkeep.allowed[0], f"upkeeps.{name}.to"

    def pools(self) -> Iterator[PoolWant]:
        """The pools that a vault trades through or takes an average from."""
        seen: set[Address] = set()
        for vault in self.vaults:
            for index, (address, name) in enumerate(self.config.pools_of(vault).items()):
                if address not in seen:
                    seen.add(address)
                    path = f"vaults.{vault}.pools[{index}]"
                    yield PoolWant(path, address, name=name, spare=self.spares(vault, address))
        for path, source in self._sources():
            if isinstance(source, TwapConfig):
                found = self._address(source)
                if found is not None and found not in seen:
                    seen.add(found)
                    yield PoolWant(path, found, name=source.pool.name)

    def routed(self) -> Iterator[PoolWant]:
        """Those that a vault trades through."""
        named = {address for vault in self.vaults for address in self.config.pools_of(vault)}
        return (want for want in self.pools() if want.address in named)

    def spares(self, vault: str, pool: Address) -> bool:
        """Whether a vault can do without a pool: it names none of them, and takes no price from this one."""
        averaged = {self._address(source) for _, source in self._sources() if isinstance(source, TwapConfig)}
        return self.config.vaults[vault].strategy.kind == "weights" and pool not in averaged

    def _address(self, source: TwapConfig) -> Address | None:
        return source.pool.address or self.config.chains[self.chain].pools.get(source.pool.name)

    def feeds(self) -> Iterator[FeedWant]:
        """Each once, but once for each pair that it is said to be: two places may contradict each other."""
        seen: set[tuple[Address, str | None]] = set()
        for path, source in self._sources():
            if isinstance(source, ChainlinkConfig):
                pair = str(source.pair) if source.pair else None
                if (source.feed, pair) not in seen:
                    seen.add((source.feed, pair))
                    yield FeedWant(path, source.feed, description=pair)

    def _sources(self) -> Iterator[tuple[str, SourceConfig]]:
        """Every single source of every rule that a vault of this chain needs, with its place."""
        chain = self.config.chains[self.chain]
        for vault in self.vaults:
            own = self.config.kept[vault].prices
            symbols = {*self.config.symbols_of(vault), *filter(None, [chain.native.wrapped])}
            for symbol in sorted(symbols & {*own, *chain.prices}):
                rule = own.get(symbol) or chain.prices[symbol]
                place = f"vaults.{vault}.prices" if symbol in own else f"{self.path}.prices"
                for index, source in enumerate(rule.sources):
                    for leaf in leaves(source):
                        yield f"{place}.{symbol}.sources[{index}]", leaf
