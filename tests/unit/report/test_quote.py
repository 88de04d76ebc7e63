import json
import re
from fractions import Fraction
from typing import Any

from keeper.core.chain import VaultView
from keeper.core.plan import NoRoute, Route, Trade
from keeper.core.pools import PoolState
from keeper.core.units import Token, TokenAmount
from keeper.report.quote import quote_record, render_quote
from keeper.routing.floors import Floors
from keeper.routing.graph import Means
from keeper.routing.split import SplitRouting
from keeper.venues.weth import with_hops
from tests.builders import ETH, USDC, WETH, fake_pool, make_view, market, units, usd

DEEP = fake_pool(units(WETH, 2_000), units(USDC, 6_000_000))
OTHER = fake_pool(units(WETH, 1_000), units(USDC, 3_000_000), Fraction(1, 1000), number=0xB002)
TRADE = Trade(units(WETH, 100), USDC, usd(300_000))


def quoted(*pools: PoolState, first: TokenAmount | None = None) -> dict[str, object]:
    view: VaultView = make_view(pools=pools)
    route = SplitRouting(Floors(50, 100, 600), Means(lambda path: False, atomic=False)).allocate(TRADE, view)
    return quote_record("treasury", "local", view, route, first)


def test_quote__over_two_pools__says_each_leg_the_best_single_pool_and_what_is_saved() -> None:
    record = json.loads(json.dumps(quoted(DEEP, OTHER, first=units(WETH, 60))))
    sold = [int(leg["sell"]["raw"]) for leg in record["trade"]["legs"]]
    assert len(sold) == 2
    assert sum(sold) == units(WETH, 100).raw
    assert int(record["trade"]["splitting"]["saved"]["raw"]) > 0
    page = render_quote(record).plain()
    for word in ("sell 100.0000 WETH ($300,000.00) for USDC", "via", "alone", "saved", "the first sells 60.0000 WETH"):
        assert word in page


def test_quote__of_more_than_a_pool_can_bear__says_what_it_costs() -> None:
    record = json.loads(json.dumps(quoted(DEEP)))
    # 100 of 2,000 WETH, of which 0.3 % are the fee: what follows is what the price gives way.
    got = Fraction(997 * 100 * 6_000_000, 997 * 100 + 1_000 * 2_000)
    value = make_view().price(WETH).mid.ratio * 100
    lost = (1 - got / value) * 10_000
    assert abs(Fraction(record["cost"]["pool_bps"]) - lost) < Fraction(1, 100)
    assert f"cost     {round(float(lost), 1)} bps = $" in render_quote(record).plain()


def test_quote__nobody_fills_it__says_why() -> None:
    empty = fake_pool(units(WETH, 0), units(USDC, 0))
    record = quoted(empty)
    assert record["trade"] is None
    assert "NO ROUTE: no pool fills WETH for USDC" in render_quote(record).plain()


def test_quote__of_no_route__keeps_the_reason() -> None:
    record = quote_record("treasury", "local", make_view(), NoRoute(TRADE, "paused"), None)
    assert record["no_route"] == "paused"


def quoted_coin(sell: TokenAmount, buy: Token, *pools: PoolState) -> dict[str, Any]:
    """As `app/quoting.py` asks for it."""
    view: VaultView = make_view(
        pools=pools, prices={ETH: market(ETH, 3_000), WETH: market(WETH, 3_000), USDC: market(USDC, 1)}
    )
    held = TokenAmount(WETH, sell.raw) if sell.token == ETH else sell
    route = SplitRouting(Floors(50, 100, 600), Means(lambda path: False, atomic=True)).allocate(
        Trade(held, WETH if buy == ETH else buy, usd(300_000)), view
    )
    assert isinstance(route, Route)
    whole = with_hops(Trade(sell, buy, usd(300_000)), route, TokenAmount.zero(buy))
    record = quote_record("treasury", "local", view, whole, None)
    assert json.loads(json.dumps(record)) == record
    return record


def test_quote__of_native_coin__wraps_it_and_costs_what_its_wrapped_token_does() -> None:
    record, plain = quoted_coin(units(ETH, 100), USDC, DEEP, OTHER), quoted_coin(units(WETH, 100), USDC, DEEP, OTHER)
    wrapping, *swaps = record["trade"]["legs"]
    assert (wrapping["kind"], wrapping["sell"]["symbol"], wrapping["quote"]["symbol"]) == ("weth", "ETH", "WETH")
    assert (swaps, record["cost"]) == (plain["trade"]["legs"], plain["cost"])
    page, other = (render_quote(each).plain(140).split("\n") for each in (record, plain))
    assert re.search(r"via +100\.0 % +100\.0000 ETH +→ +100\.0000 WETH +weth 0 % ETH/WETH 0x", page[2])
    shares = [re.findall(r"(\d+\.\d) % +[\d.]+ WETH", line) for line in page[3:5]]
    assert shares == [re.findall(r"(\d+\.\d) % +[\d.]+ WETH", line) for line in other[2:4]]
    assert page[5:] == other[4:]


def test_quote__for_native_coin__unwraps_what_comes_in() -> None:
    record = quoted_coin(units(USDC, 300_000), ETH, DEEP, OTHER)
    *swaps, unwrapping = record["trade"]["legs"]
    brought = sum(int(leg["quote"]["raw"]) for leg in swaps)
    assert (unwrapping["sell"]["raw"], unwrapping["quote"]["raw"]) == (str(brought), str(brought))
    page = render_quote(record).plain(140)
    assert re.search(r"its WETH +[\d.]+ WETH +→ +[\d.]+ ETH +weth 0 % ETH/WETH", page)
    assert re.search(r"quote +[\d.]+ ETH\n", page)
    assert re.search(r"alone +[\d.]+ ETH in ", page)


def test_quote__of_one_pool_for_native_coin__compares_it_with_nothing() -> None:
    page = render_quote(quoted_coin(units(USDC, 3_000), ETH, DEEP)).plain(140)
    assert "alone" not in page
    assert "saved" not in page


def test_quote__of_wrapping_alone__is_one_for_one() -> None:
    trade = Trade(units(ETH, 2), WETH, usd(6_000))
    route = with_hops(trade, Route(Trade(units(WETH, 2), WETH, usd(6_000)), ()), units(WETH, 0))
    view = make_view(prices={ETH: market(ETH, 3_000), WETH: market(WETH, 3_000)})
    page = render_quote(quote_record("treasury", "local", view, route, None)).plain(140)
    assert re.search(r"via +weth 0 % ETH/WETH 0x[\w…]+ +one for one\n +quote +2\.0000 WETH\n", page)
    assert "0.0 bps = $0.00" in page
