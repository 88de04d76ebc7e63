"""Reads the configuration, the environment and the keys, and tells the masker about every secret on the way."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from keeper.chain.sending.signers import EnvSigner, KeySigner, KeystoreSigner
from keeper.config import Loaded, load
from keeper.config.safes import ProposeConfig
from keeper.core.errors import ConfigError
from keeper.core.ports import Signer
from keeper.core.units import Address
from keeper.telemetry.mask import register_secret

if TYPE_CHECKING:
    from keeper.app.proposing import Queue
    from keeper.chain.sending.relay import Relay


def open_config(path: Path, *, need_env: bool = True) -> Loaded:
    """The effective configuration. Raises ConfigError: one line with file, path, expected and found."""
    loaded = load(path, os.environ, need_env=need_env)
    urls = [url for chain in loaded.config.chains.values() for url in (*chain.rpc, *chain.ws)]
    urls += [chain.relay.url for chain in loaded.config.chains.values() if chain.relay is not None]
    urls += [signer.remote for signer in loaded.config.signers.values() if signer.remote is not None]
    custodies = [vault.custody for vault in loaded.config.vaults.values()]
    services = [custody.safe_service for custody in custodies if isinstance(custody, ProposeConfig)]
    urls += [
        *filter(None, services),
        *loaded.config.alerts.to,
        *filter(None, [loaded.config.alerts.heartbeat, loaded.config.journal.url]),
    ]
    for url in urls:
        if url.is_set:
            register_secret(url.reveal())
    return loaded


def open_signers(loaded: Loaded, vaults: Iterable[str]) -> Mapping[Address, Signer]:
    """The keys of these vaults, by address: opened only here, and only for vaults that are armed.

    Raises ConfigError where a file is readable by others, a key is another one's, or a vault names no signer.
    """
    chain_ids: dict[str, set[int]] = {}
    for vault in vaults:
        name = loaded.config.kept[vault].custody.signer
        if name is None and isinstance(loaded.config.kept[vault].custody, ProposeConfig):
            continue  # its owners sign
        if name is None:
            place = loaded.config.signer_place(vault)
            raise ConfigError(str(loaded.path), place, "a signer, as its mode is live", "none")
        chain_ids.setdefault(name, set()).add(loaded.config.chain_of(vault).chain_id)
    opened = [open_signer(loaded, name, frozenset(ids)) for name, ids in chain_ids.items()]
    return {signer.address: signer for signer in opened}


def open_queues(loaded: Loaded, vaults: Iterable[str]) -> Mapping[Address, Queue]:
    """Safe -> its service, where the configuration names one. Raises ConfigError where its URL is unusable."""
    from keeper.chain.sending.safe_service import SafeService  # not for commands that only read

    found: dict[Address, Queue] = {}
    for vault in vaults:
        custody = loaded.config.kept[vault].custody
        if isinstance(custody, ProposeConfig) and custody.safe_service is not None:
            found[custody.safe] = SafeService(custody.safe_service.reveal()).queued
    return found


def open_relay(loaded: Loaded, chain: str) -> Relay | None:
    """The chain's private relay, where it has one.

    Raises ConfigError where its URL is unusable, or its key is readable by others, or is one that signs transactions.
    """
    config = loaded.config.chains[chain].relay
    if config is None:
        return None
    from keeper.chain.sending.relay import Relay, open_authority  # not for commands that only read

    authorize, where = None, f"chains.{chain}.relay.auth_key_file"
    if config.auth_key_file is not None:
        address, authorize = open_authority(config.auth_key_file, where)
        if address in {signer.address for signer in loaded.config.signers.values()}:
            raise ConfigError(str(loaded.path), where, "a key of its own", f"the key of signer {address}")
    return Relay(config.url.reveal(), config.kind, config.max_blocks, authorize)


def open_signer(loaded: Loaded, name: str, chain_ids: frozenset[int]) -> Signer:
    """One key, for these chains. Raises ConfigError."""
    config, where = loaded.config.signers[name], f"signers.{name}"
    if config.keystore is not None and config.password_file is not None:
        return KeystoreSigner(config.keystore, config.password_file, config.address, chain_ids, where=where)
    if config.remote is not None:
        from keeper.chain.sending.remote_signer import RemoteSigner  # not for commands that only read

        timeout = float(config.timeout)
        return RemoteSigner(config.remote.reveal(), config.address, chain_ids, timeout=timeout, where=where)
    if config.key_file is not None:
        return KeySigner(config.key_file, config.address, chain_ids, where=where)
    if config.key is not None:
        register_secret(config.key.reveal())
        return EnvSigner(config.key.reveal(), config.address, chain_ids, where=where)
    raise ConfigError("config", where, "a keystore, a remote signer, a key_file or an allowed key", "none")
