from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings

from keeper.core.chain import Unusable
from keeper.core.plan import Hold, Rebalance, Route
from keeper.core.units import Token, TokenAmount
from keeper.core.weighing import Weighing, total_drift
from keeper.routing.floors import Floors
from keeper.routing.graph import Means
from keeper.routing.market import SplitMarket
from keeper.routing.split import SplitRouting
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights
from tests.builders import DAI, USDC, WBTC, WETH, FakePool, fake_pool, make_view, market, units, usd
from tests.unit.strategies.markets import Market, markets, scales_of

BANDS = Bands(Band(400), Band(200))
TREASURY = Weights({WETH: 6000, USDC: 4000}, BANDS, dust=usd(10))
DEEP = fake_pool(units(WETH, 100_000), units(USDC, 312_000_000), Fraction(5, 10_000))


def rebalance(weights: Weights, *args: object, **more: object) -> Rebalance:
    plan = weights.plan(make_view(*args, **more))  # type: ignore[arg-type]
    assert isinstance(plan, Rebalance), plan
    return plan


def hold(weights: Weights, *args: object, **more: object) -> Hold:
    plan = weights.plan(make_view(*args, **more))  # type: ignore[arg-type]
    assert isinstance(plan, Hold), plan
    return plan


def test_plan__over_its_band__sells_back_to_the_destination_and_says_so() -> None:
    plan = rebalance(TREASURY)
    assert plan.reason == (
        "WETH is 64.35 %, 4.35pp above target and outside its band (±4pp): "
        "sell 15.0702 WETH ($47,018.96) for USDC to bring WETH to 62.00 %"
    )
    (trade,) = plan.trades
    assert (trade.sell.token, trade.buy) == (WETH, USDC)


def test_plan__under_its_band__buys_back_to_the_destination() -> None:
    plan = rebalance(TREASURY, [units(WETH, 300), units(USDC, 800_000)])
    assert plan.reason.startswith("WETH is 53.92 %, 6.08pp below target and outside its band (±4pp): sell ")
    (trade,) = plan.trades
    assert (trade.sell.token, trade.buy) == (USDC, WETH)


def test_plan__inside_the_band__holds_with_the_widest_drift() -> None:
    plan = hold(TREASURY, [units(WETH, 390), units(USDC, 780_000)])
    assert (plan.code, plan.reason) == ("in_band", "widest drift WETH +0.94pp of ±4pp")
    assert [asset.weight for asset in plan.assets] == [
        Fraction(609375, 100),
        10_000 - Fraction(609375, 100),
    ] or plan.assets


def test_plan__exactly_on_the_edge__is_still_inside() -> None:
    prices = {WETH: market(WETH, 1), USDC: market(USDC, 1)}
    pool = fake_pool(units(WETH, 10**6), units(USDC, 10**6))
    exact = Weights({WETH: 6000, USDC: 4000}, BANDS)
    assert hold(exact, [units(WETH, 64), units(USDC, 36)], prices, [pool]).code == "in_band"
    assert rebalance(exact, [TokenAmount(WETH, 64 * 10**18 + 1), units(USDC, 36)], prices, [pool]).trades


@pytest.mark.fault("M1")
def test_plan__price_unusable__holds_and_names_it() -> None:
    prices = {WETH: Unusable("chainlink is 2h old, 1h allowed"), USDC: market(USDC, 1)}
    plan = hold(TREASURY, prices=prices)
    assert (plan.code, plan.reason) == ("no_price", "no usable price: WETH: chainlink is 2h old, 1h allowed")


def test_plan__no_source_at_all__holds() -> None:
    assert hold(TREASURY, prices={WETH: market(WETH, 1)}).reason == "no usable price: USDC: no price source"


def test_plan__empty_vault__holds() -> None:
    plan = hold(TREASURY, [])
    assert (plan.code, plan.reason) == ("empty", "treasury holds none of WETH, USDC")


def test_plan__below_dust__holds_with_both_figures() -> None:
    plan = hold(Weights({WETH: 6000, USDC: 4000}, BANDS, dust=usd(50_000)))
    assert plan.code == "dust"
    assert plan.reason.endswith("selling 15.0702 WETH ($47,018.96) for USDC is below the dust limit of $50,000.00")


@pytest.mark.fault("M12")
def test_plan__empty_pool__holds_for_want_of_liquidity() -> None:
    pool = fake_pool(units(WETH, 0), units(USDC, 1000))
    plan = hold(TREASURY, pools=[pool])
    assert plan.code == "no_liquidity"
    assert plan.reason.endswith("cannot be sold for USDC: the pool is empty")


def test_plan__no_pool__says_which_asset_cannot_trade() -> None:
    plan = hold(TREASURY, pools=[])
    assert plan.code == "no_liquidity"
    assert "no pool of this vault sells WETH for an asset on the other side of its target" in plan.reason


def test_plan__beyond_the_clip__trades_a_slice() -> None:
    plan = rebalance(Weights({WETH: 6000, USDC: 4000}, BANDS, clip=usd(10_000)))
    (trade,) = plan.trades
    assert usd("9999.99") < trade.notional <= usd(10_000)
    assert ", slice 1 of about 5, to bring WETH to 63.85 %" in plan.reason


@pytest.mark.fault("C8")
@pytest.mark.parametrize(
    ("targets", "trigger", "destination", "clip"),
    [
        ((6000, 3900), Band(400), Band(200), None),
        ((11_000, -1000), Band(400), Band(200), None),
        ((6000, 4000), Band(200), Band(400), None),
        ((6000, 4000), Band(400), Band(-1), None),
        ((6000, 4000), Band(400), Band(1000, of_weight=True), None),
        ((6000, 4000), Band(400), Band(200), usd(5)),
    ],
)
def test_weights__impossible_settings__are_refused(
    targets: tuple[int, int], trigger: Band, destination: Band, clip: TokenAmount | None
) -> None:
    with pytest.raises(ValueError, match=r"expected .*(was|were)"):
        Weights(dict(zip((WETH, USDC), targets, strict=True)), Bands(trigger, destination), usd(10), clip)


# --- n assets -------------------------------------------------------------------------------------------------------

FOUR = {WETH: 4000, WBTC: 2000, USDC: 2000, DAI: 2000}
FOUR_PRICES = {WETH: market(WETH, 2000), WBTC: market(WBTC, 50_000), USDC: market(USDC, 1), DAI: market(DAI, 1)}


def four(weth: int, wbtc: int, usdc: int, dai: int) -> list[TokenAmount]:
    """A vault of one million USD with these weights in per cent."""
    parts = {WETH: weth, WBTC: wbtc, USDC: usdc, DAI: dai}
    return [units(t, Fraction(10_000 * part) / FOUR_PRICES[t].mid.ratio) for t, part in parts.items()]


def all_pools() -> list[FakePool]:
    tokens = list(FOUR)
    pairs = [(a, b) for i, a in enumerate(tokens) for b in tokens[:i]]
    return [
        fake_pool(
            units(a, 10**9 / FOUR_PRICES[a].mid.ratio), units(b, 10**9 / FOUR_PRICES[b].mid.ratio), number=0xC000 + n
        )
        for n, (a, b) in enumerate(pairs)
    ]


def sides(plan: Rebalance) -> list[tuple[Token, Token]]:
    return [(trade.sell.token, trade.buy) for trade in plan.trades]


@pytest.mark.parametrize(
    ("weights_now", "expected"),
    [
        # one over, one under: one swap; the assets inside their bands stay
        ((46, 20, 14, 20), [(WETH, USDC)]),
        # one over, nobody under its band: the others take it in order of their drift, up to their targets
        ((46, 18, 17, 19), [(WETH, USDC), (WETH, WBTC)]),
        # one under, nobody over its band: the others give, the widest first
        ((34, 22, 23, 21), [(USDC, WETH), (WBTC, WETH)]),
        # two over, two under: at most three swaps
        ((46, 26, 14, 14), [(WETH, USDC), (WBTC, DAI)]),
        ((52, 20, 14, 14), [(WETH, USDC), (WETH, DAI)]),
    ],
)
def test_plan__several_assets__nets_over_against_under(weights_now: tuple[int, ...], expected: list[object]) -> None:
    plan = rebalance(Weights(FOUR, BANDS), four(*weights_now), FOUR_PRICES, all_pools())
    assert sides(plan) == expected


def test_plan__pair_without_pool__uses_one_that_has() -> None:
    pools = [p for p in all_pools() if not p.pool.trades(WETH, USDC)]
    plan = rebalance(Weights(FOUR, BANDS), four(46, 18, 17, 19), FOUR_PRICES, pools)
    assert sides(plan)[0] == (WETH, WBTC)


def test_plan__own_band_of_one_asset__is_used_for_it_alone() -> None:
    bands = Bands(Band(400), Band(200), own={DAI: (Band(100), Band(0))})
    plan = rebalance(Weights(FOUR, bands), four(40, 19, 19, 22), FOUR_PRICES, all_pools())
    assert sides(plan) == [(DAI, WBTC), (DAI, USDC)][: len(plan.trades)]
    assert plan.reason.startswith("DAI is 22.00 %, 2pp above target and outside its band (±1pp)")


def test_plan__two_trades_over_one_pool__uses_it_once() -> None:
    pool = replace(all_pools()[0].pool, tokens=tuple(FOUR))
    shared = FakePool(pool, {t: units(t, 10**9 / FOUR_PRICES[t].mid.ratio).raw for t in FOUR})
    plan = rebalance(Weights(FOUR, BANDS), four(52, 20, 14, 14), FOUR_PRICES, [shared])
    assert sides(plan) == [(WETH, USDC)]


# --- invariants -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("invariant 10")
@given(markets())
@settings(max_examples=60, deadline=None)
def test_plan__same_view__is_the_same_plan(case: Market) -> None:
    assert case.weights.plan(case.view) == case.weights.plan(case.view)


@pytest.mark.fault("M20")
@given(markets())
@settings(max_examples=150, deadline=None)
def test_plan__inside_every_band__never_trades(case: Market) -> None:
    plan = case.weights.plan(case.view)
    scales = scales_of(case)
    if not scales.total:
        assert isinstance(plan, Hold)
        assert plan.code == "empty"
        return
    inside = not any(asset.is_out for asset in plan.assets)
    assert inside == case.weights.is_inside(scales)
    assert inside == (isinstance(plan, Hold) and plan.code == "in_band")
    out = {asset.token for asset in plan.assets if asset.is_out}
    if isinstance(plan, Rebalance):
        assert all(trade.sell.token in out or trade.buy in out for trade in plan.trades)


@pytest.mark.fault("invariant 14")
@given(markets())
@settings(max_examples=200, deadline=None)
def test_plan__result_at_the_quote__drifts_less_and_crosses_nothing(case: Market) -> None:
    plan = case.weights.plan(case.view)
    if isinstance(plan, Hold):
        return
    before = scales_of(case)
    after = result(case, plan, before)
    old, new = before.drifts(case.weights.targets), after.drifts(case.weights.targets)
    assert total_drift(new) < total_drift(old)
    for trade in plan.trades:
        assert old[trade.sell.token] > 0 >= -new[trade.sell.token]
        assert old[trade.buy] < 0 <= -new[trade.buy]
    assert len(plan.trades) <= len(case.weights.targets) - 1


@given(markets())
@settings(max_examples=150, deadline=None)
def test_plan__trades__are_funded_by_what_is_held_and_never_by_what_is_bought(case: Market) -> None:
    plan = case.weights.plan(case.view)
    if isinstance(plan, Hold):
        return
    sold: dict[Token, int] = {}
    for trade in plan.trades:
        assert type(trade.sell.raw) is int
        assert trade.sell.raw > 0
        assert trade.notional >= case.weights.dust
        assert case.weights.clip is None or trade.notional <= case.weights.clip
        sold[trade.sell.token] = sold.get(trade.sell.token, 0) + trade.sell.raw
    assert all(raw <= case.view.holdings[token].raw for token, raw in sold.items())
    assert not set(sold) & {trade.buy for trade in plan.trades}
    # Σ sells fund Σ buys: with every price at oracle mid, what is bought is worth what the pools gave for what is sold.
    before = scales_of(case)
    after = result(case, plan, before)
    bought = sum(max(after.value(t) - before.value(t), 0) for t in after.raw)
    given_ = sum(max(before.value(t) - after.value(t), 0) for t in after.raw)
    assert bought <= given_ * Fraction(102, 100), "the pools of these markets are within 2 % of the oracle"


@given(markets(destinations=(0, 100), most=2))
@settings(max_examples=150, deadline=None)
def test_plan__two_assets_and_one_raw_unit_more__would_pass_a_goal(case: Market) -> None:
    """The size is the greatest that neither passes its destination; so it reaches it, to the last raw unit."""
    weights = Weights(case.weights.targets, case.weights.bands)
    plan = weights.plan(case.view)
    if isinstance(plan, Hold):
        return
    before, first = scales_of(case), plan.trades[0]
    assets = {asset.token: asset for asset in plan.assets}
    more = TokenAmount(first.sell.token, first.sell.raw + 1)
    if more > case.view.holdings[more.token]:
        return
    found = case.view.best(more, first.buy)
    assert isinstance(found, tuple)
    after = before.after({more.token: -more.raw, first.buy: found[1].raw})
    new = after.drifts(weights.targets)
    sold, bought = assets[more.token], assets[first.buy]
    passes_sold = new[more.token] < (sold.destination if sold.is_out else 0)
    passes_bought = -new[first.buy] < (bought.destination if bought.is_out else 0)
    assert passes_sold or passes_bought


@pytest.mark.fault("M20")
@given(markets(destinations=(0, 100), most=2))
@settings(max_examples=100, deadline=None)
def test_plan__after_its_own_fill__holds(case: Market) -> None:
    """Hysteresis: at the same prices, what a plan has brought back is not traded again, there or back."""
    weights = replace(case.weights, clip=None)
    plan = weights.plan(case.view)
    if isinstance(plan, Hold):
        return
    after = result(case, plan, scales_of(case))
    view = replace(case.view, holdings={token: TokenAmount(token, raw) for token, raw in after.raw.items()})
    again = weights.plan(view)
    coarse = any(after.unit[token] * 100 > after.total for token in weights.targets)
    assert coarse or (isinstance(again, Hold) and again.code == "in_band"), again


def result(case: Market, plan: Rebalance, before: Weighing) -> Weighing:
    """Balances once every trade is filled at its quote, each in a pool that no earlier one has used."""
    used: set[str] = set()
    for trade in plan.trades:
        view = make_view(pools=[p for p in case.view.pools if p.pool.address not in used])
        found = view.best(trade.sell, trade.buy)
        assert isinstance(found, tuple)
        used.add(found[0].pool.address)
        before = before.after({trade.sell.token: -trade.sell.raw, trade.buy: found[1].raw})
    return before


def test_plan__two_assets_out_that_only_share_a_hub__then_it_holds_and_names_the_missing_pool() -> None:
    pools = (
        fake_pool(units(WETH, 10_000), units(USDC, 30_000_000), number=0xB1),
        fake_pool(units(WBTC, 1_000), units(USDC, 60_000_000), number=0xB2),
    )
    prices = {WETH: market(WETH, 3000), WBTC: market(WBTC, 60_000), USDC: market(USDC, 1)}
    held = (units(WETH, 80), units(WBTC, 6), units(USDC, 400_000))
    view = make_view(held, prices, pools)
    plan = Weights({WETH: 3000, WBTC: 3000, USDC: 4000}, Bands(Band(300), Band(100))).plan(view)
    assert isinstance(plan, Hold)
    assert plan.code == "no_path"
    assert "no pool of this vault trades WBTC for WETH directly" in plan.reason


def test_plan__two_assets_out_that_only_share_a_hub__trades_along_it_where_one_call_carries_a_path() -> None:
    pools = (
        fake_pool(units(WETH, 10_000), units(USDC, 30_000_000), number=0xB1),
        fake_pool(units(WBTC, 1_000), units(USDC, 60_000_000), number=0xB2),
    )
    prices = {WETH: market(WETH, 3000), WBTC: market(WBTC, 60_000), USDC: market(USDC, 1)}
    held = (units(WETH, 80), units(WBTC, 6), units(USDC, 400_000))
    seen = make_view(held, prices, pools)
    means = Means(lambda path: True, atomic=False)
    view = replace(seen, market=SplitMarket(seen, means))
    plan = Weights({WETH: 3000, WBTC: 3000, USDC: 4000}, Bands(Band(300), Band(100))).plan(view)
    assert isinstance(plan, Rebalance)
    (trade,) = plan.trades
    assert {trade.sell.token, trade.buy} == {WETH, WBTC}
    route = SplitRouting(Floors(50, 200, 600), means).allocate(trade, view)
    assert isinstance(route, Route)
    assert [(leg.sell, len(leg.pools), leg.through) for leg in route.legs] == [(trade.sell, 2, (USDC,))]


def test_plan__the_only_pool_is_empty__it_holds_and_says_what_the_pool_says() -> None:
    empty = fake_pool(units(WETH, 0), units(USDC, 0))
    held = (units(WETH, 40), units(USDC, 30_000))
    seen = make_view(held, {WETH: market(WETH, 3000), USDC: market(USDC, 1)}, [empty])
    view = replace(seen, market=SplitMarket(seen, Means(lambda path: True, atomic=False)))
    plan = Weights({WETH: 6000, USDC: 4000}, Bands(Band(400), Band(200))).plan(view)
    assert isinstance(plan, Hold)
    assert (plan.code, plan.reason.partition("; ")[2]) == (
        "no_path",
        f"no pool trades WETH for USDC now: {empty.pool.label}: the pool is empty",
    )
