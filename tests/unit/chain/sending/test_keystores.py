"""Keystores: made so that nobody else can read them, and asked whose they are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from eth_account import Account

from keeper.chain.sending import keystores
from keeper.chain.sending.keystores import (
    MIN_SCRYPT_N,
    create_keystore,
    make_password,
    proven_address,
    read_keystore,
    written_address,
)
from keeper.chain.sending.private_files import read_private, write_private
from keeper.chain.sending.signers import KeystoreSigner
from keeper.core.errors import ConfigError
from tests.unit.chain.sending.test_signers import FEE_MARKET, LOCAL

PASSWORD = b"correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess at a key need not be expensive here."""
    assert keystores.SCRYPT_N == 1 << 18, "as expensive as geth's"
    monkeypatch.setattr(keystores, "SCRYPT_N", MIN_SCRYPT_N)


def test_create__fresh_path__a_keystore_that_signs_for_its_address(tmp_path: Path) -> None:
    path, words = tmp_path / "ops.json", tmp_path / "ops.password"
    write_private(words, PASSWORD + b"\n", "keys")
    address = create_keystore(path, PASSWORD)
    assert path.stat().st_mode & 0o777 == words.stat().st_mode & 0o777 == 0o600
    signer = KeystoreSigner(path, words, address, LOCAL)
    assert Account.recover_transaction(signer.sign(FEE_MARKET)) == address
    found = read_keystore(path, "keys")
    assert written_address(found) == proven_address(found, PASSWORD, path) == address
    assert found["version"] == 3 and found["crypto"]["kdf"] == "scrypt"
    assert found["crypto"]["kdfparams"]["n"] == MIN_SCRYPT_N


def test_create__twice__two_keys() -> None:
    assert make_password() != make_password() and len(make_password()) >= 43


@pytest.mark.fault("S7")
@pytest.mark.parametrize("mask", [0o000, 0o077, 0o377])
def test_write_private__whatever_the_umask__owner_only(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_private(tmp_path / "secret", b"s", "keys")
    finally:
        os.umask(before)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert read_private(tmp_path / "secret", "keys") == b"s"


@pytest.mark.fault("S7")
def test_write_private__something_is_there__never_overwritten(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"old", "keys")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("secret", "link", "absent/secret"):
        with pytest.raises(ConfigError, match="expected a path that is free"):
            write_private(tmp_path / name, b"new", "keys")
    assert read_private(tmp_path / "secret", "keys") == b"old"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.fault("S8")
def test_proven_address__wrong_password__refused_without_repeating_it(tmp_path: Path) -> None:
    path = tmp_path / "ops.json"
    create_keystore(path, PASSWORD)
    with pytest.raises(ConfigError, match="another password") as caught:
        proven_address(read_keystore(path, "keys"), b"battery staple", path)
    assert "staple" not in str(caught.value)


@pytest.mark.parametrize("text", [None, "", "0x12", "z" * 40, 7])
def test_written_address__none_or_nonsense__none(text: object) -> None:
    assert written_address({} if text is None else {"address": text}) is None


@pytest.mark.fault("S7")
def test_read_keystore__open_to_others__refused(tmp_path: Path) -> None:
    path = tmp_path / "ops.json"
    create_keystore(path, PASSWORD)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="0644"):
        read_keystore(path, "keys")
    path.chmod(0o600)
    path.write_text(json.dumps({"address": "0x" + "11" * 20}))
    with pytest.raises(ConfigError, match="something else"):
        read_keystore(path, "keys")
