from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.pools import NoQuote
from keeper.core.units import Token, TokenAmount
from keeper.core.weighing import Weighing, unit_values
from keeper.strategies.netting import Pairing
from keeper.strategies.trades import Left, Limits, Sized, size
from tests.builders import USDC, WETH, FakePool, fake_pool, make_view, market, units, usd

PAIRING = Pairing(WETH, USDC, Fraction(6200), Fraction(3800))
NONE = Limits(usd(0), None)
SCALES = Weighing(
    {WETH: units(WETH, "412.5").raw, USDC: units(USDC, 713_000).raw},
    unit_values({WETH: market(WETH, 3120).mid, USDC: market(USDC, 1).mid}),
)
DEEP = fake_pool(units(WETH, 100_000), units(USDC, 312_000_000), number=0xB001)
DEEPER = fake_pool(units(WETH, 900_000), units(USDC, 9 * 312_000_000), number=0xB002)


def sized(limits: Limits = NONE, used: frozenset[str] = frozenset()) -> Sized:
    found = size(PAIRING, SCALES, make_view(pools=[DEEP, DEEPER]), used, limits)  # type: ignore[arg-type]
    assert isinstance(found, Sized), found
    return found


def test_size__two_pools__is_quoted_in_the_better_one() -> None:
    assert sized().pools == {DEEPER.pool.address}
    assert sized(used=frozenset({DEEPER.pool.address})).pools == {DEEP.pool.address}


def test_size__result__is_at_the_destination_at_the_quote() -> None:
    assert 0 <= sized().after.weight(WETH) - 6200 < Fraction(1, 10**9)


def test_size__beyond_the_clip__is_cut_and_counted() -> None:
    found = sized(Limits(usd(0), usd(10_000)))
    assert found.slices == 5
    assert found.trade.notional <= usd(10_000)
    assert found.trade.sell == market(WETH, 3120).mid.amount(usd(10_000))


@pytest.mark.parametrize("odd", range(8))
def test_size__bought_in_coarse_units__quotes_few_amounts_and_each_once(odd: int) -> None:
    asked = []

    class Counted(FakePool):
        def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
            asked.append(sell.raw)
            return super().out_for(sell, buy)

    scales = replace(SCALES, raw={WETH: SCALES.raw[WETH] + odd * 10**8, USDC: SCALES.raw[USDC]})
    view = make_view(pools=[Counted(DEEP.pool, DEEP.reserves)])
    assert isinstance(size(PAIRING, scales, view, frozenset(), NONE), Sized)
    assert len(asked) == len(set(asked)) < 16


def test_size__every_pool_used__has_no_liquidity() -> None:
    used = frozenset({DEEP.pool.address, DEEPER.pool.address})
    found = size(PAIRING, SCALES, make_view(pools=[DEEP, DEEPER]), used, NONE)
    assert isinstance(found, Left)
    assert found.code == "no_liquidity"


def test_size__below_dust__says_both_figures() -> None:
    found = size(PAIRING, SCALES, make_view(), frozenset(), Limits(usd(50_000), None))
    assert isinstance(found, Left)
    assert found.code == "dust"
    assert found.reason.endswith("is below the dust limit of $50,000.00")


def test_size__pool_gives_nothing_for_it__has_no_liquidity() -> None:
    nearly_empty = fake_pool(units(WETH, 100_000), TokenAmount(USDC, 1))
    found = size(PAIRING, SCALES, make_view(pools=[nearly_empty]), frozenset(), NONE)
    assert isinstance(found, Left)
    assert found.code == "no_liquidity"
    assert "brings no USDC" in found.reason
