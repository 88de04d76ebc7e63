"""One custody for each `kind` of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from keeper.app.setting import Setting
from keeper.config import Config
from keeper.config.custody import ContractConfig, WalletConfig
from keeper.config.safes import InSafe, OfSafe, ProposeConfig, RolesConfig, SafeConfig, SafeModuleConfig
from keeper.core.calls import Opener
from keeper.core.chain import Read, VaultView
from keeper.core.pools import Router
from keeper.core.ports import Custody
from keeper.core.units import Address, Token
from keeper.custody import contract
from keeper.custody.atomic import Atomic
from keeper.custody.contract import Contract
from keeper.custody.envelope import Envelope
from keeper.custody.proposing import Proposing, SafeOwners
from keeper.custody.roles import RoleMember, role_key
from keeper.custody.safe import SafeOwner
from keeper.custody.safe_module import SafeModule
from keeper.custody.wallet import Wallet
from keeper.guards.authority import Objection, no_objection
from keeper.guards.swaps import decode_swap

Notes = Callable[[VaultView], tuple[str, ...]]


def make_custody(setting: Setting) -> Custody:
    vault = setting.config.vaults[setting.name]
    match vault.custody:
        case ContractConfig(template=template):
            return Contract(template, _decoders(setting.routers), vault.execution.deadline)
        case WalletConfig():
            return Wallet(setting.spenders, setting.wrapped, setting.gas_reserve)
        case InSafe():
            return _of(setting)
        case ProposeConfig() as custody:
            return _owners(setting, custody)


def make_owners(setting: Setting) -> Proposing | None:
    """The same funds as the owners of their Safe move them; None where they lie in none."""
    custody = setting.config.vaults[setting.name].custody
    return _owners(setting, custody) if isinstance(custody, OfSafe) else None


def custody_reads(setting: Setting) -> tuple[Read, ...]:
    """What the custody asks of the chain for itself, at every block."""
    match setting.config.vaults[setting.name].custody:
        case ContractConfig(address=address):
            return contract.reads(address)
        case WalletConfig():
            return ()
        case ProposeConfig(safe=safe):
            return SafeOwners(safe).reads
        case InSafe(safe=safe):
            return tuple(dict.fromkeys((*_of(setting).envelope.reads, *SafeOwners(safe).reads)))


def custody_notes(setting: Setting) -> Notes:
    """What says what else is worth knowing of the key's rights at a block, a line each."""
    custody = make_custody(setting)
    if isinstance(custody, Contract):
        return custody.notes
    return custody.envelope.notes if isinstance(custody, Atomic) else no_notes


def no_notes(_view: VaultView) -> tuple[str, ...]:
    return ()


def custody_objection(setting: Setting) -> Objection:
    """Why the key may not act at a block, where the chain says so."""
    custody = make_custody(setting)
    return custody.objection if isinstance(custody, Atomic | Contract) else no_objection


def make_openers(config: Config, vault: str, routers: Iterable[Router]) -> Mapping[tuple[Address, bytes], Opener]:
    """What unwraps a call of the custody, by target and selector; none where the key calls for itself."""
    match config.kept[vault].custody:
        case ContractConfig(address=address, template=template):
            return {(address, template.selector): partial(contract.open_contract, template, _decoders(routers))}
        case InSafe():
            safe = _atomic(config, vault, routers, {})
            return {(safe.envelope.target, safe.envelope.selector): safe.open}
        case ProposeConfig():
            return {}  # no key signs for it
        case WalletConfig():
            return {}


def make_envelope(config: Config, vault: str, tokens: Mapping[str, Token]) -> Envelope:
    """How the key makes the Safe act. `tokens` are those whose allowances are read."""
    custody, sender = config.vaults[vault].custody, config.signing_for(vault)
    match custody:
        case SafeConfig(safe=safe):
            return SafeOwner(safe, sender)
        case SafeModuleConfig(safe=safe, module=module):
            return SafeModule(safe, sender, module)
        case RolesConfig(safe=safe, modifier=modifier, role=role, batcher=batcher, allowances=named):
            allowances = tuple((tokens[symbol], role_key(key)) for symbol, key in named.items() if symbol in tokens)
            return RoleMember(safe, sender, modifier, role_key(role), batcher, allowances)
    raise AssertionError(f"{vault}: custody {custody.kind} is in no Safe")


def _owners(setting: Setting, custody: OfSafe) -> Proposing:
    most = setting.config.vaults[setting.name].guards.max_trade
    return Proposing(SafeOwners(custody.safe), setting.spenders, custody.batcher, most)


def _of(setting: Setting) -> Atomic:
    return _atomic(setting.config, setting.name, setting.spenders, setting.tokens)


def _atomic(config: Config, vault: str, routers: Iterable[Router], tokens: Mapping[str, Token]) -> Atomic:
    body = config.vaults[vault]
    assert isinstance(body.custody, InSafe)
    envelope = make_envelope(config, vault, tokens)
    return Atomic(envelope, tuple(routers), body.custody.batcher, body.guards.max_trade)


def _decoders(routers: Iterable[Router]) -> Mapping[Address, contract.Decode]:
    return {router.address: partial(decode_swap, router) for router in routers}
