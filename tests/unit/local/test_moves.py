from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

import pytest

from keeper.chain.nodes.rpc import Rpc
from keeper.core.errors import ConfigError
from keeper.local.moves import move_pools
from tests.builders import DAI, USDC, WETH, fake_pool, units

POOL = replace(fake_pool(units(WETH, 1), units(USDC, 3_000)).pool, kind="curve", tokens=(WETH, USDC, DAI))


class GivingRpc:
    """A node that has given somebody coin, and is asked nothing else."""

    def call(self, method: str, params: list[Any], *, nullable: bool = False) -> None:
        assert method == "anvil_setBalance"


def test_move__pool_of_a_kind_that_cannot_be_moved__is_named() -> None:
    with pytest.raises(
        ConfigError, match="--move: expected pools of kind uniswap_v2 or uniswap_v3 of WETH, found curve"
    ):
        list(move_pools(cast(Rpc, GivingRpc()), [POOL], {"WETH": Fraction(2)}))


def test_move__of_other_tokens__lets_such_a_pool_be() -> None:
    assert list(move_pools(cast(Rpc, GivingRpc()), [POOL], {"WBTC": Fraction(2)})) == []
