"""`keeper keys`, as far as it needs no chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from getpass import GetPassWarning
from pathlib import Path

import pytest

from keeper.chain.sending import keystores
from keeper.chain.sending.keystores import MIN_SCRYPT_N, create_keystore, read_keystore
from keeper.chain.sending.signers import KeystoreSigner
from keeper.cli import keys
from keeper.core.errors import ConfigError
from keeper.core.units import Address
from tests.unit.app.app_configs import HOLDER, config

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess at a key need not be expensive here."""
    monkeypatch.setattr(keystores, "SCRYPT_N", MIN_SCRYPT_N)


@pytest.fixture
def typing_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Answers to prompts, which echo nothing; returns what was asked."""

    def prepare(*answers: str) -> list[str]:
        asked: list[str] = []
        left: Iterator[str] = iter(answers)
        monkeypatch.setattr(keys, "getpass", lambda prompt: asked.append(prompt) or next(left))
        return asked

    return prepare


def test_new__random_password__prints_the_address_and_writes_two_private_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.new(tmp_path / "ops.json")
    said = capsys.readouterr()
    address = Address(said.out.strip())
    words = tmp_path / "ops.password"
    assert KeystoreSigner(tmp_path / "ops.json", words, address, frozenset({1})).address == address
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "ops.json": 0o600,
        "ops.password": 0o600,
    }
    assert words.read_text().strip() not in said.out + said.err


def test_new__chosen_password__is_the_one_in_the_file(tmp_path: Path, typing_in: Callable[..., list[str]]) -> None:
    asked = typing_in(PASSWORD, PASSWORD)
    keys.new(tmp_path / "ops.json", tmp_path / "words", prompt=True)
    assert len(asked) == 2
    assert (tmp_path / "words").read_text() == PASSWORD + "\n"


@pytest.mark.fault("S8")
def test_new__no_good_password_in_three_tries__writes_nothing(
    tmp_path: Path, typing_in: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = typing_in("short", PASSWORD, "another one of them", "short")
    with pytest.raises(ConfigError, match="a password within 3 tries"):
        keys.new(tmp_path / "ops.json", prompt=True)
    assert len(asked) == 4 and list(tmp_path.iterdir()) == []
    said = capsys.readouterr()
    assert PASSWORD not in said.out + said.err


@pytest.mark.parametrize("wrong", [GetPassWarning("it would echo"), EOFError()])
def test_new__no_terminal_to_ask__one_line_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    def ask(_question: str) -> str:
        raise wrong

    monkeypatch.setattr(keys, "getpass", ask)
    with pytest.raises(ConfigError, match="command: password: expected a terminal to ask for it, found none"):
        keys.new(tmp_path / "ops.json", prompt=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", ["ops.json", "ops.password"])
def test_new__one_of_the_files_is_there__neither_is_touched(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("precious")
    with pytest.raises(ConfigError, match="a path that is free"):
        keys.new(tmp_path / "ops.json")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_new__one_file_for_both__refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="another file than the keystore"):
        keys.new(tmp_path / "ops.json", tmp_path / "ops.json")


def test_address__written_in_the_file__asks_for_nothing(
    tmp_path: Path, typing_in: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = typing_in()
    made = create_keystore(tmp_path / "ops.json", PASSWORD.encode())
    keys.address(tmp_path / "ops.json")
    assert (capsys.readouterr().out.strip(), asked) == (made, [])


@pytest.mark.fault("S8")
def test_address__not_in_the_file__believes_the_password_alone_and_asks_three_times(
    tmp_path: Path, typing_in: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ops.json"
    made = create_keystore(path, PASSWORD.encode())
    mute = {name: value for name, value in read_keystore(path, "keys").items() if name != "address"}
    path.write_text(json.dumps(mute))
    asked = typing_in("wrong", "wrong again", PASSWORD)
    keys.address(path)
    assert (capsys.readouterr().out.strip(), len(asked)) == (made, 3)
    asked = typing_in(*["wrong"] * 4)
    with pytest.raises(ConfigError, match="another password"):
        keys.address(path)
    assert len(asked) == 3


def test_address__file_claims_another_one__refused(tmp_path: Path, typing_in: Callable[..., list[str]]) -> None:
    path = tmp_path / "ops.json"
    create_keystore(path, PASSWORD.encode())
    path.write_text(json.dumps(read_keystore(path, "keys") | {"address": "11" * 20}))
    typing_in(PASSWORD)
    with pytest.raises(ConfigError, match=r"expected 0x.*, whose key it holds, found 0x1111"):
        keys.address(path, prove=True)


def test_list__offline__tells_place_and_use_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "0x" + "22" * 20
    spare = f'signers:\n  spare: {{remote: "https://signer.example/TOKEN", address: "{address}"}}'
    path = config(tmp_path, ("signers:", spare)).path
    keys.list_(path, offline=True)
    said = capsys.readouterr().out
    assert "TOKEN" not in said and "remote https://signer.example/***" in said
    assert f"ops  {HOLDER}  in use" in said and "key_file ops.key: ops.key is missing" in said
    assert "not used" in said and "no vault" in said
    keys.list_(path, offline=True, json=True)
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert (found["ops"]["vaults"], found["spare"]["state"]) == (["treasury"], "not used")
