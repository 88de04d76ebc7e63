from __future__ import annotations

from pathlib import Path

import pytest

from keeper.app.deployment import check_live
from keeper.core.errors import ConfigError
from tests.builders import CHAIN
from tests.unit.app.app_configs import config


@pytest.mark.parametrize("chain_ids", [(), (CHAIN,), (CHAIN, CHAIN)])
def test_live__with_the_right_chains__may_go_on(tmp_path: Path, chain_ids: tuple[int, ...]) -> None:
    assert check_live(config(tmp_path), ["treasury"], chain_ids) is None


@pytest.mark.fault("C5")
@pytest.mark.parametrize(
    ("chain_ids", "given"), [((1,), "--chain-id 1"), ((CHAIN, 1), f"--chain-id {CHAIN} --chain-id 1")]
)
def test_live__with_other_chains__is_refused(tmp_path: Path, chain_ids: tuple[int, ...], given: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_live(config(tmp_path), ["treasury"], chain_ids)
    assert str(caught.value) == f"command: --chain-id: expected --chain-id {CHAIN}, found {given}"


def test_live__without_a_live_vault__is_refused(tmp_path: Path) -> None:
    loaded = config(tmp_path, ("mode: live", "mode: dry"))
    with pytest.raises(
        ConfigError, match=r"vaults.\*.mode: expected at least one live, as --live was given, found none"
    ):
        check_live(loaded, [], ())
