from fractions import Fraction

import pytest

from keeper.core.plan import Leg, Route, Splitting, Trade
from keeper.core.units import Token, TokenAmount
from keeper.venues.weth import hop, with_hops
from tests.builders import ETH, USDC, WETH, fake_pool, units, usd

GAS = units(USDC, "0.03")
POOLS = [fake_pool(units(WETH, 2_000), units(USDC, 6_000_000), number=number).pool for number in (0xB001, 0xB002)]
WORTH = usd(30_000)


def swap(at: int, sell: TokenAmount, quote: TokenAmount) -> Leg:
    return Leg((POOLS[at],), sell, quote, Fraction(3_000))


@pytest.mark.parametrize(("sell", "buy"), [(ETH, WETH), (WETH, ETH)])
def test_hop__both_ways__is_one_for_one_at_the_wrapped_token(sell: Token, buy: Token) -> None:
    leg = hop(units(sell, "1.000000000000000001"), buy)
    assert leg.quote == units(buy, "1.000000000000000001")
    assert (leg.mid, leg.fee, leg.pool.address, leg.router.address) == (1, 0, WETH.address, WETH.address)
    assert leg.wraps
    assert not swap(0, units(WETH, 1), units(USDC, 3_000)).wraps


@pytest.mark.parametrize(("sell", "buy"), [(ETH, USDC), (WETH, USDC), (USDC, ETH), (ETH, ETH)])
def test_hop__of_what_is_no_wrapped_coin__is_refused(sell: Token, buy: Token) -> None:
    with pytest.raises(ValueError, match="wrapping: expected a coin and a token of as many decimals"):
        hop(units(sell, 1), buy)


def test_with_hops__of_a_sale_of_the_coin__wraps_all_of_it_first() -> None:
    legs = swap(0, units(WETH, 6), units(USDC, 17_900)), swap(1, units(WETH, 4), units(USDC, 11_900))
    split = Splitting((POOLS[0], units(USDC, 29_700)), units(USDC, 29_800), units(USDC, 1), units(USDC, 99))
    route = Route(Trade(units(WETH, 10), USDC, WORTH), legs, ((POOLS[0], units(USDC, 29_700)),), split)
    trade = Trade(units(ETH, 10), USDC, WORTH)
    found = with_hops(trade, route, GAS)
    assert found.legs == (hop(units(ETH, 10), WETH), *legs)
    assert (found.trade, found.considered) == (trade, route.considered)
    assert found.splitting is not None
    assert (found.splitting.gas, found.splitting.saved) == (units(USDC, "1.03"), units(USDC, 99))


def test_with_hops__of_a_sale_for_the_coin__unwraps_what_all_legs_bring() -> None:
    legs = swap(0, units(USDC, 18_000), units(WETH, "5.9")), swap(1, units(USDC, 12_000), units(WETH, "3.9"))
    split = Splitting((POOLS[0], units(WETH, "9.7")), units(WETH, "9.8"), units(WETH, "0.001"), units(WETH, "0.099"))
    trade = Trade(units(USDC, 30_000), ETH, WORTH)
    found = with_hops(trade, Route(Trade(trade.sell, WETH, WORTH), legs, (), split), units(ETH, "0.0001"))
    assert found.legs == (*legs, hop(units(WETH, "9.8"), ETH))
    assert found.splitting == Splitting(
        (POOLS[0], units(ETH, "9.7")), units(ETH, "9.8"), units(ETH, "0.0011"), units(ETH, "0.099")
    )


def test_with_hops__where_no_pool_takes_all__has_nothing_to_compare_with() -> None:
    leg = swap(0, units(USDC, 18_000), units(WETH, 6))
    split = Splitting(None, units(WETH, 6), units(WETH, "0.001"), None)
    trade = Trade(units(USDC, 18_000), ETH, WORTH)
    found = with_hops(trade, Route(Trade(trade.sell, WETH, WORTH), (leg,), (), split), units(ETH, "0.0001"))
    assert found.splitting == Splitting(None, units(ETH, 6), units(ETH, "0.0011"), None)


@pytest.mark.parametrize(("sell", "buy", "held"), [(ETH, WETH, WETH), (WETH, ETH, WETH)])
def test_with_hops__of_nothing_but_wrapping__is_that_hop(sell: Token, buy: Token, held: Token) -> None:
    trade = Trade(units(sell, 2), buy, WORTH)
    assert with_hops(trade, Route(Trade(units(held, 2), held, WORTH), ()), TokenAmount.zero(buy)).legs == (
        hop(units(sell, 2), buy),
    )
