"""One custody for each `kind` of a configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from keeper.app.setting import Setting
from keeper.config import Config
from keeper.config.custody import ContractConfig, WalletConfig
from keeper.core.chain import Read, Router
from keeper.core.plan import Opener
from keeper.core.ports import Custody
from keeper.core.units import Address
from keeper.custody import contract
from keeper.custody.contract import Contract
from keeper.custody.wallet import Wallet
from keeper.guards.swaps import decode_swap


def make_custody(setting: Setting) -> Custody:
    vault = setting.config.vaults[setting.name]
    match vault.custody:
        case ContractConfig(template=template):
            return Contract(template, _decoders(setting.routers), vault.execution.deadline)
        case WalletConfig():
            return Wallet(setting.known_routers, setting.wrapped, setting.gas_reserve)


def custody_reads(config: Config, vault: str) -> tuple[Read, ...]:
    """What the custody asks of the chain for itself, at every block."""
    match config.vaults[vault].custody:
        case ContractConfig(address=address):
            return contract.reads(address)
        case WalletConfig():
            return ()


def make_openers(config: Config, vault: str, routers: Iterable[Router]) -> Mapping[tuple[Address, bytes], Opener]:
    """What unwraps a call of the custody, by target and selector; none where the key calls for itself."""
    match config.vaults[vault].custody:
        case ContractConfig(address=address, template=template):
            return {(address, template.selector): partial(contract.open_contract, template, _decoders(routers))}
        case WalletConfig():
            return {}


def _decoders(routers: Iterable[Router]) -> Mapping[Address, contract.Decode]:
    return {router.address: partial(decode_swap, router.kind) for router in routers}
