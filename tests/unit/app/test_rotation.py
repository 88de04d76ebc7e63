"""Which keys can change places, and what a person is told to do afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.app.rotation import Rotation
from keeper.core.errors import ConfigError
from tests.builders import address
from tests.unit.app.app_configs import HOLDER, OTHER_POOL, POOL, config

NEXT, TARGET = address(0x4E47), address(0x7A47)
OPS = f'  ops: {{key_file: ops.key, address: "{HOLDER}"}}'
BOTH = (OPS, f'{OPS}\n  next: {{key_file: next.key, address: "{NEXT}"}}')
POOLS = f'    pools: ["{POOL}"]\n'
UPKEEP = f"""\
upkeeps:
  counter:
    chain: local
    signer: ops
    kind: chainlink
    target: "{TARGET}"
"""
SECOND = f"""\
  second:
    chain: local
    custody: {{kind: wallet, signer: next}}
    strategy: {{kind: weights, weights: {{WETH: 60%, USDC: 40%}}, trigger: 4pp, destination: 2pp}}
    pools: ["{OTHER_POOL}"]
"""


def test_next_steps__a_vault_and_an_upkeep__each_by_its_own_place_in_the_file(tmp_path: Path) -> None:
    steps = list(Rotation(config(tmp_path, BOTH, (POOLS, POOLS + UPKEEP)), "ops", "next").next_steps())
    assert steps[:4] == [
        f"treasury: its funds lie in the old key's own account: move them to {NEXT}",
        f"counter: where {TARGET} lets only {HOLDER} call, let {NEXT} call in its place",
        "in keeper.yaml: vaults.treasury.custody.signer: next in place of ops",
        "in keeper.yaml: upkeeps.counter.signer: next in place of ops",
    ]


def test_rotation__the_new_account_holds_another_vaults_funds__refused_before_they_are_mixed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Rotation(config(tmp_path, BOTH, (POOLS, POOLS + SECOND)), "ops", "next")
    assert str(caught.value) == (
        "command: NEW: expected a signer whose account holds no vault's funds, found next, whose account holds those "
        "of second"
    )
