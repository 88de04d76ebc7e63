from __future__ import annotations

from pathlib import Path

import pytest
from eth_account import Account

from keeper.app.loading import open_config, open_signers
from keeper.config import Loaded
from keeper.core.errors import ConfigError
from keeper.core.units import Address
from keeper.telemetry.mask import mask
from tests.builders import CHAIN
from tests.unit.app.app_configs import HOLDER, TEXT, config

KEY = "7e5f" * 16
OWN = Address(Account.from_key(KEY).address)
OPS = f'{{key_file: ops.key, address: "{HOLDER}"}}'


def with_key(folder: Path, key: str, mode: int = 0o600, address: Address = OWN) -> Loaded:
    file = folder / "ops.key"
    file.touch(mode=0o600)
    file.write_text(key, "utf-8")
    loaded = config(folder, (HOLDER, address))
    file.chmod(mode)
    return loaded


def test_signers__of_an_armed_vault__are_opened_by_address(tmp_path: Path) -> None:
    (opened,) = open_signers(with_key(tmp_path, f"0x{KEY}\n"), ["treasury"]).items()
    address, signer = opened
    assert address == signer.address == OWN
    assert KEY not in repr(signer)


@pytest.mark.fault("S3")
def test_open_config__socket_that_tells_heads__is_a_secret(tmp_path: Path) -> None:
    url = "wss://heads.example/v2/0123456789abcdef"
    config(tmp_path, ("    rpc:", f"    ws: {url}\n    rpc:"))
    loaded = open_config(tmp_path / "keeper.yaml", need_env=False)
    (socket,) = next(iter(loaded.config.chains.values())).ws
    assert socket.reveal() == url and str(socket) == "wss://heads.example/***"
    assert "0123456789abcdef" not in mask(f"GET /v2/0123456789abcdef {url}")


@pytest.mark.fault("C17")
def test_signers__of_nobody__open_no_key(tmp_path: Path) -> None:
    assert open_signers(config(tmp_path), []) == {}


@pytest.mark.fault("S6")
def test_signers__with_another_ones_key__are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"signers.ops: expected the key of {HOLDER}, found the key of {OWN}"):
        open_signers(with_key(tmp_path, KEY, address=HOLDER), ["treasury"])


@pytest.mark.fault("C13")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644])
def test_signers__with_a_key_that_others_can_read__are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(
        ConfigError, match=rf"signers.ops: expected mode 0600 \(chmod 600\), found {mode:04o}"
    ) as caught:
        open_signers(with_key(tmp_path, KEY, mode), ["treasury"])
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "found"), [("", "0 bytes of something else"), (KEY[:-1], "63 bytes of"), ("x" * 64, "64 bytes of")]
)
def test_signers__with_something_that_is_no_key__are_refused_without_showing_it(
    tmp_path: Path, key: str, found: str
) -> None:
    with pytest.raises(ConfigError, match=f"expected 64 hex digits, found {found}") as caught:
        open_signers(with_key(tmp_path, key), ["treasury"])
    assert not key or key not in str(caught.value)


def test_signers__without_a_file__say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a readable regular file, found no such file or directory"):
        open_signers(config(tmp_path), ["treasury"])


def test_signers__of_a_vault_without_one__are_missed(tmp_path: Path) -> None:
    edits = ("    mode: live\n", ""), ("signer: ops", f'address: "{HOLDER}"')
    with pytest.raises(ConfigError, match=r"vaults.treasury.custody.signer: expected a signer, as its mode is live"):
        open_signers(config(tmp_path, *edits), ["treasury"])


def test_signers__of_a_variable__open_and_hide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_KEY", KEY)
    config(tmp_path, (OPS, f'{{key: "${{OPS_KEY}}", allow_env_key: true, address: "{OWN}"}}'))
    loaded = open_config(tmp_path / "keeper.yaml")
    assert list(open_signers(loaded, ["treasury"])) == [OWN]
    assert KEY not in mask(f"leaked {KEY}")


def test_signers__sign_for_the_chains_of_their_vaults_only(tmp_path: Path) -> None:
    (signer,) = open_signers(with_key(tmp_path, KEY), ["treasury"]).values()
    transaction = {
        "chainId": CHAIN, "nonce": 0, "gas": 21_000, "to": HOLDER, "value": 0, "data": b"",
        "maxFeePerGas": 2, "maxPriorityFeePerGas": 1,
    }  # fmt: skip
    assert signer.sign(transaction)[0] == 2
    with pytest.raises(Exception, match="chain 1 is not one of its own"):
        signer.sign({**transaction, "chainId": 1})


@pytest.mark.fault("C11")
def test_config__with_a_token_in_a_url__hides_it_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RPC", "https://node.example/v3/c0ffeec0ffeec0ffee")
    (tmp_path / "keeper.yaml").write_text(TEXT.replace("http://127.0.0.1:8545", '"${LOCAL_RPC}"'), "utf-8")
    open_config(tmp_path / "keeper.yaml")
    assert "c0ffee" not in mask("timeout at /v3/c0ffeec0ffeec0ffee")


def test_config__with_a_variable_that_is_not_set__is_refused_or_left_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCAL_RPC", raising=False)
    path = tmp_path / "keeper.yaml"
    path.write_text(TEXT.replace("http://127.0.0.1:8545", '"${LOCAL_RPC}"'), "utf-8")
    with pytest.raises(ConfigError, match="expected the variable LOCAL_RPC, found it is not set"):
        open_config(path)
    (url,) = open_config(path, need_env=False).config.chains["local"].rpc
    assert not url.is_set
