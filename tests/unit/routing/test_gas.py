from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import Unusable
from keeper.core.units import Wei
from keeper.routing.gas import LEG_GAS, OTHER_GAS, SWAP_GAS, Gas, gas_price
from tests.builders import DAI, USDC, WBTC, make_block
from tests.unit.routing.splitting import view_of


def test_gas_price__with_a_tip__is_base_fee_and_tip_in_what_is_bought() -> None:
    view = replace(view_of(), block=make_block(base_fee=2 * 10**9), tip=Wei(10**9))
    # {USDC raw / gas} = 3e9 {wei / gas} * 3120e6 {USDC raw / whole ETH} / 1e18
    assert gas_price(view, USDC) == Fraction(3 * 3_120 * 10**6, 10**9)
    assert gas_price(view, DAI) == Fraction(3 * 3_120 * 10**18, 10**9)
    assert gas_price(view, WBTC) == Fraction(3 * 3_120 * 10**8, 60_000 * 10**9)


def test_gas_price__without_a_price__says_why() -> None:
    assert gas_price(replace(view_of(), native_price=Unusable("stale")), USDC) == Unusable("stale")
    assert gas_price(replace(view_of(), prices={USDC: Unusable("apart")}), USDC) == Unusable("apart")
    assert isinstance(gas_price(replace(view_of(), prices={}), USDC), Unusable)


@pytest.mark.parametrize(("kind", "swap"), [*SWAP_GAS.items(), ("unheard of", OTHER_GAS)])
def test_gas__of_a_kind__is_more_where_a_call_begins(kind: str, swap: int) -> None:
    assert Gas().of(kind, begins=False) == swap
    assert Gas().of(kind, begins=True) == swap + LEG_GAS
