"""f, c and k from the exact quotes of a constant-product pool, where all three are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

from keeper.core.chain import Unusable
from keeper.core.pools import NoLiquidity, NoQuote
from keeper.core.units import Token, TokenAmount, Wei
from keeper.strategies.fitting import fit, gas_of_rebalance
from keeper.strategies.no_trade_region import Costs
from tests.builders import USDC, WETH, FakePool, fake_pool, make_block, make_view, units, usd
from tests.unit.strategies.four import WORTH, four, pools

F = Fraction
GAS = usd(8)


def test_fit__constant_product__finds_fee_and_depth() -> None:
    """c is the fee; k is value over depth, but for g² and the curve between both sizes: within 3 %."""
    costs = fit(four(), WETH, USDC, usd(WORTH), GAS)
    assert isinstance(costs, Costs)
    assert costs.fixed == F(8, WORTH)
    assert float(costs.proportional) == pytest.approx(0.0006, rel=0.01)
    assert float(costs.impact) == pytest.approx(WORTH / 5_000_000, rel=0.03)


def test_fit__line_through_two_sizes__foretells_a_third() -> None:
    """What selling 1 % of the vault loses, against the line through 2 % and 0.5 %."""
    view = four(states=pools(depth=500_000))
    costs = fit(view, WETH, USDC, usd(WORTH), GAS)
    assert isinstance(costs, Costs)
    sell = units(WETH, F(WORTH, 100) / 2_500)
    found = view.best(sell, USDC)
    assert isinstance(found, tuple)
    lost = 1 - found[1].whole / (sell.whole * 2_500)
    foretold = (costs.of(F(1, 100)) - costs.fixed) * 100
    assert float(foretold) == pytest.approx(float(lost), rel=0.01)


def test_fit__pool_off_the_oracle__is_not_taken_for_a_cost() -> None:
    """A pool 1 % below the oracle: the next trade will not meet that."""
    off = fake_pool(units(WETH, 1_000), units(USDC, 2_475_000), F(6, 10_000))
    costs = fit(four(states=[off]), WETH, USDC, usd(WORTH), GAS)
    assert isinstance(costs, Costs)
    assert float(costs.proportional) == pytest.approx(0.0006, rel=0.02)


@dataclass(frozen=True, slots=True)
class ShallowPool(FakePool):
    """Fills nothing beyond `most`."""

    most: int = 0

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        if sell.raw > self.most:
            return NoLiquidity("beyond what is known of the pool")
        return FakePool.out_for(self, sell, buy)


@pytest.mark.fault("M12")
def test_fit__pool_that_fills_only_the_smallest__begins_its_line_at_the_fee() -> None:
    full = fake_pool(units(WETH, 1_000), units(USDC, 2_500_000), F(6, 10_000))
    shallow = ShallowPool(full.pool, full.reserves, most=units(WETH, "0.1").raw)
    costs = fit(four(states=[shallow]), WETH, USDC, usd(WORTH), GAS)
    assert isinstance(costs, Costs)
    assert float(costs.proportional) == pytest.approx(0.0006, rel=0.01)
    assert float(costs.impact) == pytest.approx(WORTH / 2_500_000, rel=0.03)


@pytest.mark.fault("M12")
def test_fit__nothing_fills__says_why() -> None:
    full = fake_pool(units(WETH, 1_000), units(USDC, 2_500_000))
    shallow = ShallowPool(full.pool, full.reserves)
    assert fit(four(states=[shallow]), WETH, USDC, usd(WORTH), GAS) == NoLiquidity("beyond what is known of the pool")
    assert fit(four(states=[]), WETH, USDC, usd(WORTH), GAS) == NoLiquidity(
        "no pool of this vault trades WETH for USDC"
    )


def test_gas_of_rebalance__base_fee_and_tip__rounded_up() -> None:
    view = replace(make_view(block=make_block(base_fee=10**9)), tip=Wei(5 * 10**8))
    assert gas_of_rebalance(view, 200_000) == usd(F(200_000 * 15 * 10**8, 10**18) * 3120)


def test_gas_of_rebalance__no_price_or_no_fee__is_unusable() -> None:
    blind = make_view(native_price=None)
    blind = replace(blind, native_price=Unusable("2h old, 1h allowed"))
    assert gas_of_rebalance(blind, 200_000) == Unusable("gas has no price: 2h old, 1h allowed")
    legacy = make_view(block=make_block(base_fee=None))
    found = gas_of_rebalance(legacy, 200_000)
    assert isinstance(found, Unusable)
    assert "neither a base fee nor a gas price" in found.reason
    assert isinstance(gas_of_rebalance(replace(legacy, tip=Wei(10**9)), 200_000), TokenAmount)
