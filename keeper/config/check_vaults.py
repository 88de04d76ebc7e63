"""Whether a vault fits its chain, its key, its pools, and its own limits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain as joined

from keeper.config import check_chains
from keeper.config.chains import ChainConfig
from keeper.config.check_pegs import pegs
from keeper.config.check_shadows import shadows
from keeper.config.check_slices import slices
from keeper.config.check_weights import weights
from keeper.config.custody import WalletConfig
from keeper.config.faults import Fault, twice
from keeper.config.guards import beyond_ceiling, ceiling_text, limit_text
from keeper.config.paths import Path
from keeper.config.pools import PoolRef
from keeper.config.prices import FixedConfig, leaves
from keeper.config.safes import InSafe, ProposeConfig, RolesConfig, SafeModuleConfig
from keeper.config.tree import Config
from keeper.config.units import plain
from keeper.config.vaults import VaultConfig
from keeper.core.development import ACCOUNTS
from keeper.core.units import Address, TokenAmount


def vaults(config: Config) -> Iterator[Fault]:
    for name, vault in config.vaults.items():
        path = ("vaults", name)
        chain = config.chains.get(vault.chain)
        if chain is None:
            yield Fault((*path, "chain"), f"one of {', '.join(config.chains)}", vault.chain)
            continue
        yield from joined(
            _custody(config, vault, path, chain),
            _tokens(config, name, chain),
            _pools(config, name, chain),
            weights(vault, path),
            pegs(vault, path, chain, config.prices_of(name)),
            _limits(vault, path, chain),
            slices(vault, path),
            _breakers(vault, path),
            _fixed_prices(config, name, chain),
        )
    yield from shadows(config)


def _custody(config: Config, vault: VaultConfig, path: Path, chain: ChainConfig) -> Iterator[Fault]:
    custody, here = vault.custody, (*path, "custody")
    own = None
    if custody.signer is not None and custody.signer not in config.signers:
        known = ", ".join(config.signers) or "the signers, of which there are none"
        yield Fault((*here, "signer"), f"one of {known}", custody.signer)
    elif custody.signer is not None:
        own = config.signers[custody.signer].address
    if isinstance(custody, WalletConfig):
        yield from _wallet(custody, here, chain, own)
    elif isinstance(custody, InSafe):
        yield from _safe(custody, vault, here, own)
    elif isinstance(custody, ProposeConfig):
        if custody.multi_send == custody.safe:
            yield Fault((*here, "multi_send"), "another contract than the Safe", "the Safe itself")
    elif custody.address == own:
        yield Fault((*here, "address"), "the contract that holds the funds", "the signer's own address")
    elif symbol := next((name for name, token in chain.tokens.items() if token.address == custody.address), ""):
        yield Fault((*here, "address"), "the contract that holds the funds", f"the token {symbol}")
    if vault.execution.escalate_above is not None and not isinstance(custody, InSafe):
        expected = "a custody whose key is one of a Safe: safe, safe_module or roles"
        yield Fault((*path, "execution", "escalate_above"), expected, custody.kind)
    if vault.is_live and custody.signer is None and not isinstance(custody, ProposeConfig):
        yield Fault((*here, "signer"), "a signer: the vault is live", "nothing")


def _wallet(wallet: WalletConfig, here: Path, chain: ChainConfig, own: Address | None) -> Iterator[Fault]:
    """`own` is the address of a signer that is known."""
    if wallet.signer is not None:
        if own is not None and wallet.address not in (None, own):
            yield Fault((*here, "address"), f"the signer's address {own}", str(wallet.address))
    elif wallet.address is None:
        yield Fault(here, "a signer, or the address to look at", "neither")
    elif wallet.address in ACCOUNTS and not chain.is_local:
        yield Fault((*here, "address"), "an account of your own: everybody has the key of this one", wallet.address)


def _safe(custody: InSafe, vault: VaultConfig, here: Path, own: Address | None) -> Iterator[Fault]:
    """Every contract is another one, and none is the key's own account."""
    places = [("safe", custody.safe), ("multi_send", custody.multi_send)]
    if isinstance(custody, SafeModuleConfig):
        places.append(("module", custody.module))
    if isinstance(custody, RolesConfig):
        places.append(("modifier", custody.modifier))
        for symbol in custody.allowances:
            if symbol not in vault.symbols:
                yield Fault((*here, "allowances", symbol), f"one of {', '.join(vault.symbols)}", "another token")
    for name, address in places:
        if address is not None and address == own:
            yield Fault((*here, name), "a contract", "the signer's own address")
        elif name != "safe" and address == custody.safe:
            yield Fault((*here, name), "another contract than the Safe", "the Safe itself")


def _tokens(config: Config, name: str, chain: ChainConfig) -> Iterator[Fault]:
    strategy, prices = config.vaults[name].strategy, config.prices_of(name)
    here: Path = ("vaults", name, "strategy")
    for place, symbol in strategy.symbol_places():
        if symbol not in chain.tokens:
            known = ", ".join(chain.tokens) or "the chain's tokens, of which there are none"
            yield Fault((*here, *place), f"one of {known}", "an unknown token")
        elif symbol not in prices:
            yield Fault((*here, *place), f"a price: chains.{config.vaults[name].chain}.prices.{symbol}", "none")
    native: Path = ("chains", config.vaults[name].chain, "native", "wrapped")
    if chain.native.wrapped is None:
        yield Fault(native, "the symbol of the wrapped native token: gas is valued with its price", "nothing")
    elif chain.native.wrapped not in prices:
        yield Fault(native, f"a token with a price, to value gas: prices.{chain.native.wrapped}", "no price")
    is_known = lambda ref: _is_known(config, name, ref)  # noqa: E731
    yield from check_chains.prices(config.vaults[name].prices, ("vaults", name, "prices"), chain, is_known)


def _is_known(config: Config, vault: str, ref: PoolRef) -> bool:
    try:
        config.pool_address(vault, ref)
    except KeyError:
        return False
    return True


def _pools(config: Config, name: str, chain: ChainConfig) -> Iterator[Fault]:
    symbols, known = chain.symbols(), []
    for index, pool in enumerate(config.vaults[name].pools):
        here: Path = ("vaults", name, "pools", pool.name if pool.name and pool.address else index)
        if not _is_known(config, name, pool):
            names = ", ".join(chain.pools) or "the chain's pools, of which there are none"
            yield Fault(here, f"an address, or one of {names}", pool.name)
            continue
        address = config.pool_address(name, pool)
        known.append((here, address, f"pools[{index}]"))
        # The share of an ERC-4626 vault is the vault itself; whether this is one, only the chain knows.
        if address in symbols and config.vaults[name].execution.preview_tolerance is None:
            expected = "a pool, or with execution.preview_tolerance an ERC-4626 vault"
            yield Fault(here, expected, f"the token {symbols[address]}")
    yield from twice(known, "each pool once")


def _limits(vault: VaultConfig, path: Path, chain: ChainConfig) -> Iterator[Fault]:
    strategy, guards = vault.strategy, vault.guards
    most = f"max_trade ({plain(guards.max_trade.whole)} USD)"
    if isinstance(strategy.dust, TokenAmount) and strategy.dust >= guards.max_trade:
        yield Fault((*path, "strategy", "dust"), f"less than {most}", f"{plain(strategy.dust.whole)} USD")
    if isinstance(strategy.clip, TokenAmount) and strategy.clip > guards.max_trade:
        yield Fault((*path, "strategy", "clip"), f"at most {most}", f"{plain(strategy.clip.whole)} USD")
    if not guards.max_trades.limit:
        yield Fault((*path, "guards", "max_trades"), "1 or more", "0")
    beyond = "" if vault.dangerously_exceed_ceilings else beyond_ceiling(guards)
    if beyond:
        expected = f"at most {ceiling_text(beyond)}, or dangerously_exceed_ceilings: true on the vault"
        yield Fault((*path, "guards", beyond), expected, limit_text(beyond, getattr(guards, beyond)))
    reserve = guards.gas_reserve
    if reserve is not None and reserve.symbol != chain.native.symbol:
        yield Fault((*path, "guards", "gas_reserve"), f"an amount of {chain.native.symbol}", str(reserve))
    elif reserve is not None and (reserve.whole * 10**chain.native.decimals).denominator != 1:
        yield Fault((*path, "guards", "gas_reserve"), f"at most {chain.native.decimals} decimals", str(reserve))


def _breakers(vault: VaultConfig, path: Path) -> Iterator[Fault]:
    depeg, here = vault.breakers.depeg, (*path, "breakers", "depeg")
    if (depeg.at is None) != (not depeg.pegs):
        expected = "both a limit and pegs" if depeg.pegs else "pegs, such as {USDC: 1 USD}, or off"
        yield Fault(here, expected, "pegs alone" if depeg.pegs else "a limit alone")
    for symbol in depeg.pegs:
        if symbol not in vault.strategy.symbols:
            yield Fault((*here, "pegs", symbol), f"one of {', '.join(vault.strategy.symbols)}", "another token")


def _fixed_prices(config: Config, name: str, chain: ChainConfig) -> Iterator[Fault]:
    """Whoever writes a price down keeps it while the market leaves; only dry vaults and local chains may."""
    vault, prices = config.vaults[name], config.prices_of(name)
    if not vault.is_live or chain.is_local:
        return
    for symbol in (*vault.strategy.symbols, chain.native.wrapped or ""):
        price = prices.get(symbol)
        if price and any(isinstance(leaf, FixedConfig) for source in price.sources for leaf in leaves(source)):
            own = ("vaults", name) if symbol in vault.prices else ("chains", vault.chain)
            expected = f"a source that follows the market: vault {name} is live"
            yield Fault((*own, "prices", symbol), expected, "a fixed price")
