"""Whose allowances belong to a vault's audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keeper.app.setting import PERMIT2, Setting
from keeper.chain.reading.pins import Pins
from keeper.core.pools import Router
from tests.builders import USDC, V2_ROUTER, WETH, address, fake_pool, make_block, units
from tests.unit.app.app_configs import POOL, config


@pytest.mark.fault("K19")
@pytest.mark.fault("K20")
def test_spenders__are_the_routers_of_its_pools_and_of_every_factory_and_permit2(tmp_path: Path) -> None:
    pool = replace(fake_pool(units(WETH, 1), units(USDC, 1)).pool, address=POOL)
    setting = Setting(config(tmp_path).config, "treasury", Pins(make_block(), pools={POOL: pool}))
    named = Router("swap_router02", address(0x3202))
    assert setting.routers == (V2_ROUTER,)
    assert setting.known_routers == (V2_ROUTER, named)
    assert setting.spenders == (V2_ROUTER, named, PERMIT2)
