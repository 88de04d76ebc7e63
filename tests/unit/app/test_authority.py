"""What a key could lose, held against what the configuration allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keeper.app.authority import Exposure, place
from keeper.core.authority import Most, WorstLoss
from keeper.core.chain import Unusable
from keeper.core.errors import ConfigError
from keeper.core.units import TokenAmount
from tests.builders import ACCOUNT, CHAIN, ETH, units, usd
from tests.unit.app.app_configs import config

WORST = WorstLoss(
    Most(usd(1_000), "at once"), Most(usd(2_728), "a day"), Most(usd(90_000), "in all"), units(ETH, "0.5"), usd(1_560)
)
FOUND = Exposure("treasury", "base", CHAIN, "contract", ACCOUNT, ACCOUNT, 7, WORST, None, needs_limit=True)


@pytest.mark.parametrize(
    ("limit", "needs_limit", "is_within"),
    [
        (None, False, True),
        (None, True, False),
        (usd(4_288), True, True),  # 2,728 and 1,560 of gas
        (usd("4287.99"), True, False),
        (usd("4287.99"), False, False),  # a limit that is given is kept on local chains too
    ],
)
def test_within__a_days_loss_and_the_gas_money__are_held_against_the_limit(
    limit: TokenAmount | None, needs_limit: bool, is_within: bool
) -> None:
    assert replace(FOUND, limit=limit, needs_limit=needs_limit).is_within == is_within


def test_within__what_is_not_known__is_not_within_a_limit() -> None:
    unknown = replace(FOUND, found=Unusable("price of WETH: stale"), limit=usd(10**9))
    assert not unknown.is_within
    assert unknown.told == "not known: price of WETH: stale"


def test_told__both_figures__stand_in_one_line() -> None:
    limited = replace(FOUND, limit=usd(4_000))
    assert limited.expected == "a key that can lose at most $4,000.00 in 24h"
    assert limited.told == "at most $1,000.00 at once, $2,728.00 a day, $90,000.00 in all, and $1,560.00 of gas"
    assert place(limited) == "vaults.treasury.max_authority"
    assert FOUND.expected == "a limit such as 200000 USD per 24h, which --live needs"


def test_config__a_window_of_another_length__is_refused(tmp_path: Path) -> None:
    pools = "    pools: ["
    for written, expected in (("4000 USD per 24h", usd(4_000)), ("4000 USD", usd(4_000))):
        rate = (
            config(tmp_path, (pools, f"    max_authority: {written}\n{pools}")).config.vaults["treasury"].max_authority
        )
        assert rate is not None and rate.limit == expected
    with pytest.raises(ConfigError, match="max_authority: expected an amount a day, such as 200000 USD per 24h"):
        config(tmp_path, (pools, f"    max_authority: 4000 USD per 1h\n{pools}"))
