import json
from fractions import Fraction

from keeper.core.chain import VaultView
from keeper.core.plan import NoRoute, Trade
from keeper.core.pools import PoolState
from keeper.core.units import TokenAmount
from keeper.report.quote import quote_record, render_quote
from keeper.routing.floors import Floors
from keeper.routing.graph import Means
from keeper.routing.split import SplitRouting
from tests.builders import USDC, WETH, fake_pool, make_view, units, usd

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
