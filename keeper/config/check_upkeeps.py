"""Whether an upkeep fits its chain and its key, and asks for nothing that an upkeep must never call."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain as joined

from keeper.config.chains import ChainConfig
from keeper.config.faults import Fault
from keeper.config.paths import Path
from keeper.config.tree import Config
from keeper.config.units import Amount
from keeper.config.upkeeps import AnyUpkeep, CallUpkeepConfig, ViewUpkeepConfig
from keeper.core.abi import selector
from keeper.core.development import ACCOUNTS
from keeper.core.units import USD

GIVES_AWAY = {
    selector(signature): signature
    for signature in (
        "approve(address,uint256)",
        "transfer(address,uint256)",
        "transferFrom(address,address,uint256)",
        "increaseAllowance(address,uint256)",
        "setApprovalForAll(address,bool)",
        "safeTransferFrom(address,address,uint256)",
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
    )
}
"""Functions that hand tokens on. A contract that names the arguments could name itself."""


def upkeeps(config: Config) -> Iterator[Fault]:
    for name, upkeep in config.upkeeps.items():
        path = ("upkeeps", name)
        chain = config.chains.get(upkeep.chain)
        if name in config.vaults:
            yield Fault(path, "a name of its own", "the name of a vault")
        elif chain is None:
            yield Fault((*path, "chain"), f"one of {', '.join(config.chains)}", upkeep.chain)
        else:
            yield from joined(
                _caller(config, upkeep, path, chain),
                _call(upkeep, path, chain),
                _limits(config, name, chain),
                _breakers(upkeep, path),
            )


def _caller(config: Config, upkeep: AnyUpkeep, path: Path, chain: ChainConfig) -> Iterator[Fault]:
    if upkeep.signer is not None and upkeep.signer not in config.signers:
        known = ", ".join(config.signers) or "the signers, of which there are none"
        yield Fault((*path, "signer"), f"one of {known}", upkeep.signer)
    elif upkeep.signer is not None:
        own = config.signers[upkeep.signer].address
        if upkeep.address not in (None, own):
            yield Fault((*path, "address"), f"the signer's address {own}", str(upkeep.address))
    elif upkeep.is_live:
        yield Fault((*path, "signer"), "a signer: the upkeep is live", "nothing")
    elif upkeep.address is None:
        yield Fault(path, "a signer, or the address that would call", "neither")
    elif upkeep.address in ACCOUNTS and not chain.is_local:
        yield Fault((*path, "address"), "an account of your own: everybody has the key of this one", upkeep.address)


def _call(upkeep: AnyUpkeep, path: Path, chain: ChainConfig) -> Iterator[Fault]:
    if isinstance(upkeep, ViewUpkeepConfig) and (upkeep.function is None) == (upkeep.call is None):
        found = "both" if upkeep.function else "neither"
        yield Fault(path, "function, whose calldata the check returns, or a fixed call", found)
        return
    if isinstance(upkeep, CallUpkeepConfig) and upkeep.schedule.cron is None:
        yield Fault((*path, "schedule"), "a cron: nothing else says when it is due", "none")
    target, function = upkeep.allowed
    if function in GIVES_AWAY:
        key = "call" if getattr(upkeep, "call", None) else "function"
        expected = f"a function that hands no tokens on ({GIVES_AWAY[function]} does)"
        yield Fault((*path, key), expected, f"0x{function.hex()}")
    if symbol := chain.symbols().get(target):
        yield Fault((*path, "target"), "a contract that is no token", f"the token {symbol}")


def _limits(config: Config, name: str, chain: ChainConfig) -> Iterator[Fault]:
    guards, here = config.upkeeps[name].guards, ("upkeeps", name, "guards")
    coin = chain.native.symbol
    is_priced = chain.native.wrapped is not None and chain.native.wrapped in config.prices_of(name)
    per_day = guards.max_gas_per_day.limit if guards.max_gas_per_day else None
    for key, limit in (("max_gas", guards.max_gas), ("max_gas_per_day", per_day)):
        if limit is None:
            continue
        if limit.symbol == USD.symbol and not is_priced:
            yield Fault((*here, key), f"an amount of {coin}: the chain has no price of it", str(limit))
        elif limit.symbol not in (USD.symbol, coin):
            yield Fault((*here, key), f"an amount of {coin} or USD", str(limit))
        else:
            yield from _places((*here, key), limit, USD.decimals if limit.symbol == USD.symbol else _decimals(chain))
    if guards.gas_reserve is not None and guards.gas_reserve.symbol != coin:
        yield Fault((*here, "gas_reserve"), f"an amount of {coin}", str(guards.gas_reserve))
    elif guards.gas_reserve is not None:
        yield from _places((*here, "gas_reserve"), guards.gas_reserve, _decimals(chain))
    if not guards.max_calls.limit:
        yield Fault((*here, "max_calls"), "1 or more", "0")
    for symbol, least in guards.min_profit.items():
        if symbol not in (coin, *chain.tokens):
            yield Fault((*here, "min_profit", symbol), f"one of {', '.join((coin, *chain.tokens))}", "an unknown token")
        elif least.symbol != symbol:
            yield Fault((*here, "min_profit", symbol), f"an amount of {symbol}", str(least))


def _decimals(chain: ChainConfig) -> int:
    return chain.native.decimals


def _places(path: Path, amount: Amount, decimals: int) -> Iterator[Fault]:
    if (amount.whole * 10**decimals).denominator != 1:
        yield Fault(path, f"at most {decimals} decimals", str(amount))


def _breakers(upkeep: AnyUpkeep, path: Path) -> Iterator[Fault]:
    for key in ("reverts", "refusals"):
        if getattr(upkeep.breakers, key).trial is not None:
            yield Fault((*path, "breakers", key, "trial"), "no trial: an upkeep trades nothing", "one")


def shared_accounts(config: Config) -> Iterator[str]:
    """Upkeeps that call from an account whose funds a vault keeps in line: allowed, and still unwise."""
    accounts = {(vault.chain, config.account_of(name)): name for name, vault in config.vaults.items()}
    for name, upkeep in config.upkeeps.items():
        if vault := accounts.get((upkeep.chain, config.account_of(name))):
            text = f"calls from the account of vault {vault}: each waits for the other, and its gas is a withdrawal"
            yield f"upkeeps.{name}: {text}"
