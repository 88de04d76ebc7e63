"""Key files: for their owner's eyes only."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.config.fields import Wrong
from keeper.config.files import check_private
from keeper.core.errors import ConfigError
from tests.unit.config.deployments import loaded


@pytest.mark.fault("C13", "S7")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610, 0o601])
def test_check_private__others_may_touch_it__refused_with_the_command(mode: int, tmp_path: Path) -> None:
    key = tmp_path / "ops.key"
    key.write_text("secret")
    key.chmod(mode)
    with pytest.raises(Wrong, match="only its owner can read") as caught:
        check_private(key)
    assert caught.value.found == f"mode {mode:04o}; run: chmod 600 {key}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_check_private__owner_only__accepted(mode: int, tmp_path: Path) -> None:
    key = tmp_path / "ops.key"
    key.write_text("secret")
    key.chmod(mode)
    check_private(key)
    assert key.exists()


@pytest.mark.fault("S7")
def test_check_private__link_or_folder__refused(tmp_path: Path) -> None:
    key, link = tmp_path / "ops.key", tmp_path / "link.key"
    key.write_text("secret")
    key.chmod(0o600)
    link.symlink_to(key)
    for path, found in ((link, "a symbolic link: link.key"), (tmp_path, f"something else: {tmp_path.name}")):
        with pytest.raises(Wrong) as caught:
            check_private(path)
        assert caught.value.found == found


@pytest.mark.fault("C13")
def test_load__world_readable_keystore__refused_with_its_place(tmp_path: Path) -> None:
    keystore = tmp_path / "ops.json"
    keystore.write_text("{}")
    keystore.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path)
    assert str(caught.value) == (
        "keeper.yaml:6: signers.ops.keystore: expected a file that only its owner can read, "
        f"found mode 0644; run: chmod 600 {keystore}"
    )
    keystore.chmod(0o600)
    assert loaded(tmp_path).config.signers["ops"].keystore == keystore
