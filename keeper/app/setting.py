"""One vault of a configuration beside what its chain says: all that its parts are made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keeper.chain.reading.pins import Pins
from keeper.config import Config
from keeper.config.strategies import StrategyConfig
from keeper.core.pools import Pool, Router, unknown_pool
from keeper.core.units import NATIVE, Address, Token, TokenAmount

PERMIT2 = Router("permit2", Address("0x000000000022D473030F116dDEE9F6B43aC78BA3"))
"""The same on every chain, made by CREATE2. The keeper gives it nothing."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One vault of a configuration beside what its chain says: all that its parts are made from."""

    config: Config
    name: str
    pins: Pins

    @property
    def tokens(self) -> Mapping[str, Token]:
        """The vault's tokens by the symbol that the configuration gives them."""
        chain = self.config.chain_of(self.name)
        return {symbol: self.pins.tokens[chain.tokens[symbol].address] for symbol in self.config.symbols_of(self.name)}

    @property
    def strategy(self) -> StrategyConfig:
        return self.config.vaults[self.name].strategy

    @property
    def pools(self) -> tuple[Pool, ...]:
        """As configured, but for those that the chain gave a reason to leave out."""
        return tuple(self.pins.pools[at] for at, _, why in self._pools() if not why)

    @property
    def pools_left_out(self) -> tuple[tuple[Pool, str], ...]:
        known, chain_id = self.pins.pools, self.native.chain_id
        return tuple((known.get(at) or unknown_pool(chain_id, at, name), why) for at, name, why in self._pools() if why)

    def _pools(self) -> Iterator[tuple[Address, str, str]]:
        """Address, name, and why it is left out."""
        told = self.pins.left_out
        for index, (at, name) in enumerate(self.config.pools_of(self.name).items()):
            yield at, name, told.get(at) or told.get(f"vaults.{self.name}.pools[{index}]", "")

    @property
    def routers(self) -> tuple[Router, ...]:
        return tuple(dict.fromkeys(pool.router for pool in self.pools))

    @property
    def known_routers(self) -> tuple[Router, ...]:
        """Those of every factory that the chain names, too: a leftover allowance to one of them is looked for."""
        chain = self.config.chain_of(self.name)
        named = (Router(factory.router.kind, factory.router.address) for factory in chain.factories.values())
        return tuple(dict.fromkeys((*self.routers, *named)))

    @property
    def spenders(self) -> tuple[Router, ...]:
        """Whose allowances are read, and taken back where the funds are the key's own: known routers, and Permit2, to
        which other front ends give allowances without end."""
        return (*self.known_routers, PERMIT2)

    @property
    def native(self) -> Token:
        chain = self.config.chain_of(self.name)
        return Token(chain.chain_id, NATIVE, chain.native.symbol, chain.native.decimals)

    @property
    def wrapped(self) -> Token | None:
        """The wrapped native token, where the vault holds it and native coin counts as it."""
        if self.config.kept[self.name].custody.native != "count":
            return None
        return self.tokens.get(self.config.chain_of(self.name).native.wrapped or "")

    @property
    def gas_reserve(self) -> TokenAmount:
        return TokenAmount(self.native, self.config.gas_reserve_of(self.name).raw(self.native.decimals))
