"""Keys: where they are read from, what they refuse, and that nothing gives them away."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils.crypto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st

from keeper.chain.sending.signed import CURVE_ORDER, Signature
from keeper.chain.sending.signers import EnvSigner, KeySigner, KeystoreSigner, LocalSigner
from keeper.core.development import ACCOUNTS
from keeper.core.errors import ConfigError, SubmitError
from keeper.core.units import Address

KEY = bytes(range(1, 33))
ADDRESS = Address(Account.from_key(KEY).address)
LOCAL = frozenset({31337})
DEVELOPMENT_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
FEE_MARKET: dict[str, Any] = {
    "chainId": 31337,
    "nonce": 0,
    "to": ADDRESS,
    "value": 0,
    "data": b"\x00\x01",
    "gas": 21_000,
    "type": 2,
    "maxFeePerGas": 10**9,
    "maxPriorityFeePerGas": 0,
}
LEGACY: dict[str, Any] = {
    "chainId": 31337,
    "nonce": 300,
    "to": ADDRESS,
    "value": 5,
    "data": b"",
    "gas": 21_000,
    "gasPrice": 10**9,
}


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


@pytest.fixture
def signer(tmp_path: Path) -> KeySigner:
    return KeySigner(write(tmp_path / "ops.key", KEY.hex() + "\n"), ADDRESS, LOCAL)


@pytest.fixture(scope="module")
def keystore() -> dict[str, Any]:
    found: dict[str, Any] = Account.encrypt(KEY, "correct horse", kdf="scrypt", iterations=1 << 13)
    return found


@pytest.mark.parametrize("transaction", [FEE_MARKET, LEGACY], ids=["fee_market", "legacy"])
def test_sign__either_kind__recovers_to_its_address(signer: KeySigner, transaction: dict[str, Any]) -> None:
    raw = signer.sign(transaction)
    assert Account.recover_transaction(raw) == ADDRESS
    assert raw == signer.sign(transaction), "signing is deterministic, so a lost answer can be asked for again"


def test_sign__foreign_chain__refused(signer: KeySigner) -> None:
    with pytest.raises(SubmitError, match="chain 1 is not"):
        signer.sign(FEE_MARKET | {"chainId": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [("gas", "many"), ("gas", None), ("nonce", -1), ("to", None), ("to", "0x12"), ("value", b"\x01"), ("data", "0x00")],
)
def test_sign__nonsense__refused_by_name(signer: KeySigner, name: str, value: object) -> None:
    with pytest.raises(SubmitError, match=f"cannot sign: {name}: found"):
        signer.sign(FEE_MARKET | {name: value})


@given(
    numbers=st.lists(st.integers(0, 2**80), min_size=5, max_size=5),
    data=st.binary(max_size=300),
    key=st.binary(min_size=32, max_size=32),
)
def test_sign__any_transaction__to_the_byte_as_eth_account_would(numbers: list[int], data: bytes, key: bytes) -> None:
    assume(0 < int.from_bytes(key, "big") < CURVE_ORDER)
    nonce, value, gas, cap, price = numbers
    plain = {"chainId": 31337, "nonce": nonce, "to": ADDRESS, "value": value, "data": data, "gas": gas}
    for fees in ({"type": 2, "maxFeePerGas": cap, "maxPriorityFeePerGas": price}, {"gasPrice": price}):
        transaction: dict[str, Any] = plain | fees
        account = Account.from_key(key)
        mine = EnvSigner(key.hex(), Address(account.address), LOCAL).sign(transaction)
        assert mine == bytes(account.sign_transaction(transaction).raw_transaction)


def test_sign__a_new_contract__has_no_target_as_eth_account_would(signer: KeySigner) -> None:
    creation = {name: value for name, value in FEE_MARKET.items() if name != "to"} | {"data": b"\x60\x00"}
    assert signer.sign(creation) == bytes(Account.from_key(KEY).sign_transaction(creation).raw_transaction)


@pytest.mark.fault("S11")
def test_sign__device_signs_something_else__refused() -> None:
    """The check is part of signing, not left to whoever asks for a signature."""

    def device(message: bytes) -> Signature:
        found = Account.unsafe_sign_hash(keccak(message), KEY)
        return found.v - 27, found.r, found.s

    with pytest.raises(SubmitError, match="signed by 0x"):
        LocalSigner(ADDRESS, device).sign(FEE_MARKET | {"nonce": 7})


@pytest.mark.fault("S1")
@pytest.mark.fault("S4")
def test_signer__repr_attributes_copies__no_key(signer: KeySigner) -> None:
    assert repr(signer) == f"KeySigner({ADDRESS})"
    shown = [repr(signer), str(signer), *(repr(getattr(signer, name)) for name in ("_address", "_sign"))]
    assert not any(KEY.hex() in text.lower() or repr(KEY) in text for text in shown)
    with pytest.raises(TypeError):
        vars(signer)
    for steal in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be copied"):
            steal(signer)


@pytest.mark.fault("S6")
def test_key_file__another_address__refused(tmp_path: Path) -> None:
    other = Address("0x" + "11" * 20)
    with pytest.raises(ConfigError, match=f"expected the key of {other}, found the key of {ADDRESS}"):
        KeySigner(write(tmp_path / "ops.key", "0x" + KEY.hex()), other, LOCAL)


@pytest.mark.fault("S2")
@pytest.mark.parametrize("text", ["", "0x12", KEY.hex() + "00", "z" * 64, "0" * 64, "f" * 64])
def test_key_file__no_key__refused_in_one_line_without_its_content(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        KeySigner(write(tmp_path / "ops.key", text), ADDRESS, LOCAL, where="signers.ops.key_file")
    assert "signers.ops.key_file: expected" in str(caught.value) and "\n" not in str(caught.value)
    assert len(text) < 5 or text not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.fault("S7")
@pytest.mark.fault("C13")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_key_file__readable_by_others__refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match=f"expected mode 0600 .*, found {mode:04o}"):
        KeySigner(write(tmp_path / "ops.key", KEY.hex(), mode), ADDRESS, LOCAL)


@pytest.mark.fault("S7")
def test_key_file__symbolic_link__refused(tmp_path: Path) -> None:
    write(tmp_path / "real.key", KEY.hex())
    link = tmp_path / "ops.key"
    link.symlink_to(tmp_path / "real.key")
    with pytest.raises(ConfigError, match="found a symbolic link"):
        KeySigner(link, ADDRESS, LOCAL)


def test_key_file__missing_or_a_directory__refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        KeySigner(tmp_path / "none", ADDRESS, LOCAL)
    with pytest.raises(ConfigError, match="regular file"):
        KeySigner(tmp_path, ADDRESS, LOCAL)


@pytest.mark.fault("C18")
def test_key_file__public_development_key__only_for_local_chains(tmp_path: Path) -> None:
    path = write(tmp_path / "dev.key", DEVELOPMENT_KEY)
    address = Address(Account.from_key(DEVELOPMENT_KEY).address)
    assert len(ACCOUNTS) == 20 and address in ACCOUNTS
    assert KeySigner(path, address, frozenset({31337, 1337})).address == address
    with pytest.raises(ConfigError, match=r"public development key, for chain 1$"):
        KeySigner(path, address, frozenset({1, 31337}))


def test_keystore__right_password__signs(tmp_path: Path, keystore: dict[str, Any]) -> None:
    path = write(tmp_path / "ops.json", json.dumps(keystore))
    signer = KeystoreSigner(path, write(tmp_path / "ops.pw", "correct horse\n"), ADDRESS, LOCAL)
    assert Account.recover_transaction(signer.sign(FEE_MARKET)) == ADDRESS


@pytest.mark.fault("S8")
def test_keystore__wrong_password__one_line_that_repeats_nothing(tmp_path: Path, keystore: dict[str, Any]) -> None:
    path = write(tmp_path / "ops.json", json.dumps(keystore))
    with pytest.raises(ConfigError, match="another password") as caught:
        KeystoreSigner(path, write(tmp_path / "ops.pw", "battery staple"), ADDRESS, LOCAL)
    assert "battery" not in str(caught.value)


@pytest.mark.fault("S7")
def test_keystore__weak_or_damaged__refused(tmp_path: Path, keystore: dict[str, Any]) -> None:
    password = write(tmp_path / "ops.pw", "correct horse")
    weak = copy.deepcopy(keystore)
    weak["crypto"]["kdfparams"]["n"] = 1024
    for text, found in ((json.dumps(weak), "a weak scrypt"), ("{}", "something else"), ("[1]", "something else")):
        with pytest.raises(ConfigError, match=found):
            KeystoreSigner(write(tmp_path / "ops.json", text), password, ADDRESS, LOCAL)
