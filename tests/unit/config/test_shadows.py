from pathlib import Path

import pytest

from keeper.core.errors import ConfigError
from tests.unit.config.deployments import ENV, GOOD, loaded

SHADOW = """\
  candidate:
    chain: base
    mode: shadow
    custody: {kind: wallet, signer: ops}
    strategy: {kind: weights, weights: {WETH: 60%, USDC: 40%}, trigger: 1pp, destination: 0pp}
    pools: ["0xd0b53D9277642d899DF5C87A3966A349A798F224"]
"""


def test_load__a_shadow_of_the_same_account__stands_beside_its_vault(tmp_path: Path) -> None:
    config = loaded(tmp_path, GOOD + SHADOW, ENV).config
    assert config.account_of("candidate") == config.account_of("treasury")
    assert [config.original_of(name) for name in config.vaults] == ["treasury", "treasury"]
    assert [vault.is_live for vault in config.vaults.values()] == [True, False]


def test_load__a_shadow_of_nobody__is_refused(tmp_path: Path) -> None:
    alone = GOOD.replace("    mode: live\n", "    mode: shadow\n")
    with pytest.raises(
        ConfigError, match=r"treasury.mode: expected a vault of the same account 0x1111.* to stand beside"
    ):
        loaded(tmp_path, alone, ENV)


def test_load__two_shadows_of_one_vault__are_two_candidates(tmp_path: Path) -> None:
    config = loaded(tmp_path, GOOD + SHADOW + SHADOW.replace("candidate", "other"), ENV).config
    assert {config.original_of(name) for name in config.vaults} == {"treasury"}
