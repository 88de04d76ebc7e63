from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.abi import calldata
from keeper.core.calls import Purpose
from keeper.core.chain import Needs, Unusable
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import LimitExceeded, NoLiquidity, NoQuote
from keeper.core.units import Token, TokenAmount
from keeper.core.wrapping import wrapped_by
from keeper.venues.weth import MOST, Weth, WethState, weth_pool
from tests.builders import ACCOUNT, ETH, NOW, USDC, WETH, units

POOL, VENUE = weth_pool(ETH, WETH), Weth()
STATE = WethState(POOL, units(WETH, 100).raw)
(SUPPLY,) = VENUE.reads(POOL, None)


@pytest.mark.parametrize(("sell", "buy"), [(ETH, WETH), (WETH, ETH)])
def test_quote__of_a_coin__is_one_for_one(sell: Token, buy: Token) -> None:
    assert STATE.out_for(units(sell, "1.5"), buy) == units(buy, "1.5")
    assert STATE.in_for(units(buy, "1.5"), sell) == units(sell, "1.5")
    assert STATE.marginal(sell, buy) == 1
    side = STATE.side(sell, buy)
    assert not isinstance(side, NoQuote)
    assert (side.slope(1.0), side.sold_at(0.9), side.curve) == (1.0, float(side.most), None)


def test_quote__of_more_than_there_is__is_a_limit() -> None:
    assert isinstance(STATE.out_for(units(WETH, 101), ETH), LimitExceeded)
    assert isinstance(STATE.out_for(TokenAmount(ETH, MOST + 1), WETH), LimitExceeded)
    assert isinstance(STATE.in_for(TokenAmount(WETH, 0), ETH), LimitExceeded)
    assert STATE.out_for(units(USDC, 1), WETH) == NoLiquidity("does not trade USDC for WETH")


def test_decode__of_its_supply__is_a_state() -> None:
    assert VENUE.decode(POOL, {SUPPLY: STATE.supply.to_bytes(32, "big")}) == STATE
    assert VENUE.decode(POOL, {}) == Needs((SUPPLY,))
    assert VENUE.decode(POOL, {SUPPLY: None}) == Unusable("totalSupply() does not answer")


def order(sell: TokenAmount, buy: Token) -> OrderLeg:
    quote = TokenAmount(buy, sell.raw)
    return OrderLeg(Leg((POOL,), sell, quote, Fraction(1)), quote, TokenAmount.zero(buy))


def test_encode__both_ways__is_what_the_custody_writes() -> None:
    wrap = VENUE.encode(order(units(ETH, 2), WETH), ACCOUNT, NOW)
    assert (wrap.to, wrap.data, wrap.value, wrap.purpose) == (
        WETH.address,
        calldata("deposit()"),
        units(ETH, 2).raw,
        Purpose.WRAP,
    )
    unwrap = VENUE.encode(order(units(WETH, 2), ETH), ACCOUNT, NOW)
    assert (unwrap.to, unwrap.value, unwrap.purpose) == (WETH.address, 0, Purpose.UNWRAP)
    assert unwrap.data == calldata("withdraw(uint256)", units(WETH, 2).raw)
    for call, sign in ((wrap, 1), (unwrap, -1)):
        assert wrapped_by(call) == {WETH.address: sign * units(WETH, 2).raw, ETH.address: -sign * units(WETH, 2).raw}


def test_encode__nothing_or_a_path__is_refused() -> None:
    with pytest.raises(ValueError, match="expected more than 0 of one coin"):
        VENUE.encode(order(units(ETH, 0), WETH), ACCOUNT, NOW)
    leg = order(units(ETH, 1), WETH)
    with pytest.raises(ValueError, match="expected more than 0 of one coin"):
        VENUE.encode(replace(leg, leg=replace(leg.leg, pools=(POOL, POOL))), ACCOUNT, NOW)


@pytest.mark.parametrize(("native", "wrapped"), [(ETH, USDC), (WETH, WETH)])
def test_pool__of_what_is_no_wrapped_coin__is_refused(native: Token, wrapped: Token) -> None:
    with pytest.raises(ValueError, match="wrapped coin: expected"):
        weth_pool(native, wrapped)
