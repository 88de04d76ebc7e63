"""`keeper demo --rpc`: the demo's market on a testnet, with a keystore of one's own, and what to do next."""

from __future__ import annotations

from pathlib import Path

from keeper.app.dumps import forbid_dumps
from keeper.app.loading import open_config
from keeper.app.testnet import Key, Testnet, deploy, open_testnet
from keeper.cli.screen import console
from keeper.core.errors import ConfigError


def demo_on_testnet(
    rpc: str,
    out: Path,
    *,
    signer: str | None,
    config: Path,
    keystore: Path | None,
    password_file: Path | None,
    private: int | None,
) -> None:
    """The key is opened only after the chain was found to be one without value."""
    files = _files(signer, config, keystore, password_file)
    net = open_testnet(rpc, private)
    forbid_dumps()
    screen = console()
    for line in deploy(net, _open(net, *files), out):
        screen.print(line, soft_wrap=True)
    path = out / "keeper.yaml"
    # The deployment used nonces of this key, and no journal knows them: the first start accounts for them.
    screen.print(f"next: keeper check {path} · keeper plan {path} · keeper run {path} --live --adopt", soft_wrap=True)


def _files(signer: str | None, config: Path, keystore: Path | None, password_file: Path | None) -> tuple[Path, Path]:
    """Keystore and password file, as given or as the signer of a configuration names them."""
    if signer is not None and keystore is None:
        signers = open_config(config, need_env=False).config.signers
        if signer not in signers:
            raise ConfigError("command", "--signer", f"one of {', '.join(signers) or 'none'} in {config}", signer)
        keystore, password_file = signers[signer].keystore, signers[signer].password_file
    if keystore is None:
        raise ConfigError(
            "command", "--keystore", "a keystore (keeper keys new FILE), or a --signer that has one", "none"
        )
    return keystore, password_file or keystore.with_suffix(".password")


def _open(net: Testnet, keystore: Path, password_file: Path) -> Key:
    from keeper.chain.sending.keystores import read_keystore, written_address
    from keeper.chain.sending.signers import KeystoreSigner

    holder = written_address(read_keystore(keystore, "--keystore"))
    if holder is None:
        raise ConfigError(str(keystore), "--keystore", "a keystore that says its address", "none")
    signer = KeystoreSigner(keystore, password_file, holder, frozenset({net.chain_id}), where="--keystore")
    return Key(signer, keystore, password_file)
