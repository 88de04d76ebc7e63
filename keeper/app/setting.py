"""One vault of a configuration beside what its chain says: all that its parts are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keeper.chain.reading.pins import Pins
from keeper.config import Config
from keeper.config.strategies import StrategyConfig
from keeper.core.chain import Pool, Router
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
        return tuple(self.pins.pools[address] for address in self.config.pools_of(self.name))

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
