from __future__ import annotations

from random import Random

import pytest

from keeper.venues.curve_math import FEE_UNIT, PRECISION
from keeper.venues.curve_shares import burn_slope, mint_slope
from keeper.venues.curve_swap import StableSwap
from tests.unit.venues.curve_pools import CASES, random_stable


def minted(swap: StableSwap, i: int, added: int, supply: int) -> int:
    return swap.mint([added if k == i else 0 for k in range(len(swap.xp))], supply)


def check(brings: float, slopes: list[float], near: float, cut: float) -> None:
    """What a step brings lies between the slopes along it."""
    assert min(slopes) * (1 - near) - cut <= brings <= max(slopes) * (1 + near) + cut


NEAR = {0: 1e-5, 2 * FEE_UNIT: 2e-3}
"""How a dynamic fee itself moves is left aside."""


@pytest.mark.parametrize("offpeg", NEAR)
def test_mint_slope__is_what_a_little_more_gives(offpeg: int) -> None:
    random = Random(1)
    for _ in range(CASES):
        swap = random_stable(random, offpeg=offpeg, spread=0.5)
        i, supply = random.randrange(len(swap.xp)), swap.d * 97 // 100
        added = max(10**4, int(swap.balances[i] * 10 ** random.uniform(-3, 0)))
        step = added // 1000
        brings = (minted(swap, i, added + step, supply) - minted(swap, i, added, supply)) / step
        slopes = [mint_slope(swap, i, added + step * k / 8, supply) for k in range(9)]
        # Each coin's fee is cut to a raw unit of that coin, at both ends.
        check(brings, slopes, NEAR[offpeg], 2 * sum(swap.rates) / PRECISION / step)


@pytest.mark.parametrize("offpeg", NEAR)
def test_burn_slope__is_what_a_little_more_pays(offpeg: int) -> None:
    random = Random(2)
    for _ in range(CASES):
        swap = random_stable(random, offpeg=offpeg, spread=0.5)
        j, supply = random.randrange(len(swap.xp)), swap.d * 97 // 100
        burnt = int(supply * 10 ** random.uniform(-3, -0.7)) // len(swap.xp)
        step = burnt // 1000
        brings = (swap.burn(j, burnt + step, supply) - swap.burn(j, burnt, supply)) / step
        slopes = [burn_slope(swap, j, burnt + step * k / 8, supply) for k in range(9)]
        check(brings, slopes, NEAR[offpeg], (2 + 16 * PRECISION / swap.rates[j]) / step)


def test_burn_slope__of_all_shares__is_nothing() -> None:
    swap = random_stable(Random(3))
    assert burn_slope(swap, 0, 10.0, 10) == 0.0
