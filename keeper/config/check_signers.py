"""Whether each key is held where a key may be held."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.config.chains import ChainConfig
from keeper.config.development import KEY_DIGESTS
from keeper.config.faults import Fault, twice
from keeper.config.fields import Wrong
from keeper.config.files import check_private
from keeper.config.paths import Path
from keeper.config.signers import WAYS, SignerConfig
from keeper.config.tree import Config
from keeper.core.development import ACCOUNTS


def signers(config: Config) -> Iterator[Fault]:
    addresses = ((("signers", name, "address"), signer.address, name) for name, signer in config.signers.items())
    yield from twice(addresses, "each account once")
    for name, signer in config.signers.items():
        path = ("signers", name)
        yield from _way(signer, path)
        yield from _files(signer, path)
        if not all(chain.is_local for chain in _chains(config, name)):
            yield from _public(signer, path)


def _chains(config: Config, signer: str) -> list[ChainConfig]:
    """Those it signs for; all of them where no vault uses it yet."""
    used = [config.chain_of(name) for name, kept in config.kept.items() if kept.custody.signer == signer]
    return list(used or config.chains.values())


def _way(signer: SignerConfig, path: Path) -> Iterator[Fault]:
    ways = [way for way in WAYS if getattr(signer, way) is not None]
    if len(ways) != 1:
        yield Fault(path, f"one of {', '.join(WAYS)}", " and ".join(ways) or "none")
    elif signer.keystore is not None and signer.password_file is None:
        yield Fault((*path, "password_file"), "the file that holds the keystore's password", "nothing")
    elif signer.keystore is None and signer.password_file is not None:
        yield Fault((*path, "password_file"), "a keystore that it opens", "none")
    elif signer.key is not None and not signer.allow_env_key:
        yield Fault((*path, "key"), "a keystore or a key_file, or allow_env_key: true", "a key in a variable")
    elif signer.remote is None and "timeout" in signer.model_fields_set:
        yield Fault((*path, "timeout"), "a remote signer that it is for", "none")


def _files(signer: SignerConfig, path: Path) -> Iterator[Fault]:
    for key in ("keystore", "password_file", "key_file"):
        file = getattr(signer, key)
        if file is not None:
            try:
                check_private(file)
            except Wrong as wrong:
                yield Fault((*path, key), str(wrong), wrong.found or "another")


def _public(signer: SignerConfig, path: Path) -> Iterator[Fault]:
    expected = "an account of your own: everybody has the key of this one"
    if signer.address in ACCOUNTS:
        yield Fault((*path, "address"), expected, f"the development account {signer.address}")
    if signer.key is not None and signer.key.digest in KEY_DIGESTS:
        yield Fault((*path, "key"), expected, "a development key")
