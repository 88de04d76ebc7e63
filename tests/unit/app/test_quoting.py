"""What a sale of native coin is to the vault that is asked: one of its wrapped token."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keeper.app.quoting import as_held
from keeper.app.setting import Setting
from keeper.chain.reading.pins import Pins
from keeper.core.plan import Trade
from keeper.core.units import Token, TokenAmount
from tests.builders import ETH, USDC, WETH, make_block, units, usd
from tests.unit.app.app_configs import config


def setting(folder: Path, wrapped: Token = WETH) -> Setting:
    tokens = {token.address: token for token in (wrapped, USDC)}
    return Setting(config(folder).config, "treasury", Pins(make_block(), tokens=tokens))


@pytest.mark.parametrize(
    ("sell", "buy", "held"),
    [
        (units(ETH, 2), USDC, Trade(units(WETH, 2), USDC, usd(6_000))),
        (units(USDC, 6_000), ETH, Trade(units(USDC, 6_000), WETH, usd(6_000))),
        (units(ETH, 2), WETH, Trade(units(WETH, 2), WETH, usd(6_000))),
        (units(WETH, 2), USDC, Trade(units(WETH, 2), USDC, usd(6_000))),
    ],
)
def test_as_held__of_the_coin__is_its_wrapped_token(tmp_path: Path, sell: TokenAmount, buy: Token, held: Trade) -> None:
    assert as_held(setting(tmp_path), Trade(sell, buy, usd(6_000))) == held


def test_as_held__where_the_token_counts_in_other_units__is_left_alone(tmp_path: Path) -> None:
    """So that nobody trades it."""
    trade = Trade(units(ETH, 2), USDC, usd(6_000))
    assert as_held(setting(tmp_path, replace(WETH, decimals=8)), trade) == trade
