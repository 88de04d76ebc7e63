from __future__ import annotations

from pathlib import Path

import pytest
from eth_account import Account

from keeper.app.loading import open_config, open_relay
from keeper.config import Loaded
from keeper.core.errors import ConfigError
from keeper.telemetry.mask import mask
from tests.unit.app.app_configs import HOLDER, config

KEY = "3c4d" * 16
RELAY = "    relay: {{url: {url}, kind: {kind}, max_blocks: 5{more}}}\n"


def with_relay(
    folder: Path, url: str = "https://relay.example", kind: str = "raw", more: str = "", holder: str = HOLDER
) -> Loaded:
    text = RELAY.format(url=url, kind=kind, more=more)
    return config(folder, ("    block_time: 1s\n", f"    block_time: 1s\n{text}"), (HOLDER, holder))


def test_relay__none_configured__none(tmp_path: Path) -> None:
    assert open_relay(config(tmp_path), "local") is None


def test_relay__with_a_key_of_its_own__opened(tmp_path: Path) -> None:
    (tmp_path / "relay.key").touch(mode=0o600)
    (tmp_path / "relay.key").write_text(KEY)
    relay = open_relay(with_relay(tmp_path, kind="private", more=", auth_key_file: relay.key"), "local")
    assert relay is not None and relay.label == "https://relay.example"
    assert KEY not in repr(vars(relay))


@pytest.mark.fault("S14")
def test_relay__signed_for_with_a_trading_key__refused(tmp_path: Path) -> None:
    (tmp_path / "ops.key").touch(mode=0o600)
    (tmp_path / "ops.key").write_text(KEY)
    mine = Account.from_key(KEY).address
    loaded = with_relay(tmp_path, more=", auth_key_file: ops.key", holder=mine)
    with pytest.raises(ConfigError, match=f"chains.local.relay.auth_key_file: expected a key of its own, .* {mine}"):
        open_relay(loaded, "local")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"url": "http://relay.example"}, "https"),
        ({"kind": "secret"}, "kind: expected raw or private"),
        ({"more": ", days: 3"}, "days"),
    ],
)
def test_relay__written_wrongly__refused_with_one_line(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        with_relay(tmp_path, **changes)


@pytest.mark.fault("C11")
def test_relay__token_in_its_url__masked_from_then_on(tmp_path: Path) -> None:
    with_relay(tmp_path, url="https://relay.example/v1/5ec2e7t0ken5ec2e7")
    open_config(tmp_path / "keeper.yaml")
    assert "5ec2e7" not in mask("POST /v1/5ec2e7t0ken5ec2e7 failed")
