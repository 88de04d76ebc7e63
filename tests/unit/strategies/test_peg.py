"""When a peg acts, how far, and everything that stops it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.core.chain import Read, Unusable
from keeper.core.pegs import BUY, SELL
from keeper.core.plan import Hold, Plan, Rebalance
from keeper.core.units import USD
from keeper.strategies.peg import Bands
from keeper.strategies.peg_price import FixedPeg, Known, Pair, PoolMean, RatePeg
from keeper.strategies.peg_stock import Hoard, Means
from keeper.strategies.peg_trace import Persist, Renewing
from tests.builders import USDC, address, market, units, usd
from tests.unit.strategies.peg_rides import DUSD, POOL, Ride, make_peg, make_pool, warm

HOUR = 300
"""{blocks}"""
RATE = Read(address(0xFEED), bytes.fromhex("679aefce"))


def code(plan: Plan) -> str:
    return plan.code if isinstance(plan, Hold) else "trade"


# --- when it acts ----------------------------------------------------------------------------------------------------


def test_peg__first_looks__are_counted_until_the_mean_is_warm() -> None:
    ride = Ride(make_peg()).at("0.997")
    plans = ride.looks(11)
    assert [code(plan) for plan in plans[:9]] == ["warming_up"] * 9
    assert [plan.reason for plan in plans[:2]] == ["warming up 1/10", "warming up 2/10"]
    assert code(plans[9]) == "not_yet"


def test_peg__inside_the_trigger__holds_and_says_by_how_much() -> None:
    plan = warm(price="0.9987").look()
    assert code(plan) == "in_band"
    assert plan.reason == "DUSD is 13bps below 1 USD, inside 15bps"


def test_peg__below_the_trigger__sells_the_other_coin_and_above_it_the_coin() -> None:
    below, above = warm(price="0.997").look(), warm(price="1.003").look()
    assert isinstance(below, Rebalance)
    assert isinstance(above, Rebalance)
    assert [(t.sell.token, t.buy) for t in below.trades] == [(USDC, DUSD)]
    assert [(t.sell.token, t.buy) for t in above.trades] == [(DUSD, USDC)]
    assert below.reason.startswith("DUSD is 30bps below 1 USD, outside 15bps: sell ")


def test_peg__out_of_its_band__counts_blocks_or_seconds() -> None:
    for persist, said in (
        (Persist(blocks=4), "out for 1 of 4 blocks"),
        (Persist(seconds=36), "out for 0 of 36 seconds"),
    ):
        ride = warm(make_peg(persist=persist)).at("0.9975")
        plans = ride.looks(12)
        codes = [code(plan) for plan in plans]
        first = codes.index("not_yet")
        assert codes[first : first + 4] == ["not_yet", "not_yet", "not_yet", "trade"]
        assert plans[first].reason.endswith(said)


@pytest.mark.fault("M14")
def test_peg__flash_that_lasts_three_blocks__is_no_signal() -> None:
    ride = warm()
    flash = [ride.at("0.992").look() for _ in range(3)]
    back = [ride.at(1).look() for _ in range(20)]
    assert "trade" not in {code(plan) for plan in [*flash, *back]}


def test_peg__pool_far_from_its_mean__waits_until_it_stands_still() -> None:
    ride = warm()
    ride.at("0.9945")
    codes = [code(ride.look()) for _ in range(40)]
    assert "moving" in codes
    assert codes.index("moving") < codes.index("trade")
    assert codes[-1] == "trade"


def test_peg__several_pools__one_that_moves_stops_them_and_the_furthest_is_traded() -> None:
    """Routing may take any of them, so none may be moving; and no trade takes a pool past the destination."""
    ride = warm(price="0.9975")
    still, near, moved = make_pool("0.9975"), make_pool("0.9990", number=POOL + 1), make_pool("0.9950", number=POOL + 1)
    for pools, expected in (((still, near), "trade"), ((still, moved), "moving")):
        trace = ride.trace
        for block in range(1, 15):
            ride.block += 1
            calm = (still, near) if block < 14 else pools
            plan = ride.peg.plan(replace(ride.view(), pools=calm))
            assert plan.peg is not None
            ride.trace = plan.peg.trace
        assert code(plan) == expected
        if isinstance(plan, Rebalance):
            best = replace(ride.view(), pools=pools).best(plan.trades[0].sell, DUSD)
            assert isinstance(best, tuple)
            assert best[0] is still
        ride.trace = trace


def test_peg__cool_down__holds_with_its_own_reason_and_no_denial() -> None:
    ride = warm(make_peg(pace=replace(make_peg().pace, cool_down=120)), "0.9975")
    ride.fill(ride.look())
    plan = ride.look()
    assert code(plan) == "cool_down"
    assert plan.reason.endswith("the next trade may be in 1m 48s")


def test_peg__once_begun__goes_on_to_the_destination() -> None:
    ride = warm(price="0.9975")
    while isinstance(plan := ride.look(), Rebalance):
        ride.fill(plan)
    assert code(plan) in ("at_destination", "dust")
    spot = plan.peg.deviation(plan.peg.spot)  # type: ignore[union-attr, arg-type]
    assert -Fraction(6) < spot < -Fraction(49, 10)


# --- who is believed -------------------------------------------------------------------------------------------------


def known(**changes: object):  # type: ignore[no-untyped-def]
    belief = make_peg().belief
    sources = (*belief.sources, Known("DUSD/USD"))
    return make_peg(belief=replace(belief, sources=sources, need=2, **changes))  # type: ignore[arg-type]


def test_peg__sources_apart__holds_and_names_both() -> None:
    ride = warm(known(), "0.9975")
    ride.dusd = market(DUSD, 1)
    plan = ride.look()
    assert code(plan) == "sources_apart"
    assert plan.reason == "sources are 25.1bps apart, 20bps allowed: uni.ema 0.9975 USD, DUSD/USD 1.0000 USD"


def test_peg__one_source_inside_the_band__is_enough_to_hold() -> None:
    ride = warm(known(apart=50), "0.9975")
    ride.dusd = market(DUSD, "0.9990")
    plan = ride.look()
    assert code(plan) == "in_band"
    assert plan.peg is not None and plan.peg.away == -10


def test_peg__source_missing__holds_and_says_which() -> None:
    belief = make_peg().belief
    gone = PoolMean("bal.ema", address(0xDEAD), 10)
    ride = warm(make_peg(belief=replace(belief, sources=(*belief.sources, gone), need=2)), "0.9975")
    plan = ride.look()
    assert (code(plan), plan.reason) == (
        "no_price",
        "1 of 2 sources that are needed; bal.ema: the pool cannot be read",
    )


def test_peg__other_coin_fell__is_told_from_a_coin_that_rose() -> None:
    """DUSD trades at 1.004 USDC because USDC is at 0.996 USD: DUSD itself is at its peg."""
    ride = warm(price=Fraction(1) / Fraction("0.996"))
    ride.usdc = market(USDC, "0.996")
    assert code(ride.look()) == "in_band"
    blind = warm(make_peg(pair=Pair(DUSD, USDC, in_usd=False), against_peg=None), Fraction(1) / Fraction("0.996"))
    assert code(blind.look()) == "trade", "a peg in USDC cannot know"


@pytest.mark.fault("M5", "M1")
def test_peg__no_price_of_the_other_coin__holds_and_forgets_that_it_was_out() -> None:
    ride = warm(price="0.9975")
    ride.usdc = Unusable("sequencer is up for 12 s only, grace is 3600 s")
    plan = ride.look()
    assert code(plan) == "no_price"
    assert "sequencer is up for 12 s only" in plan.reason
    ride.usdc = market(USDC, 1)
    assert code(ride.look()) == "not_yet"


def test_peg__silence_longer_than_its_mean__warms_up_anew() -> None:
    ride = warm(price="0.9975")
    assert ride.look(6).reason == "warming up 1/10"


def test_peg__other_settings__begin_anew() -> None:
    ride = warm(price="0.9975")
    ride.peg = replace(ride.peg, bands=Bands(16, 5, 100))
    assert ride.look().reason == "warming up 1/10"


def test_peg__two_looks_at_one_block__are_one() -> None:
    ride = Ride(make_peg())
    first, again = ride.look(), ride.look(0)
    assert first == again


# --- the wall --------------------------------------------------------------------------------------------------------


@pytest.mark.fault("M10", "invariant 20")
@pytest.mark.parametrize("price", ["0.989", "0.5", "0.01", "1.011", "2"])
def test_peg__beyond_the_wall_on_either_side__stops_and_says_so(price: str) -> None:
    plan = warm(price=price).look()
    assert code(plan) == "beyond_wall"
    assert plan.reason.endswith("beyond the wall of 100bps: nothing is bought")


@pytest.mark.fault("M10", "invariant 20")
def test_peg__other_coin_beyond_the_wall__is_not_bought_either() -> None:
    ride = warm(price=Fraction(1) / Fraction("0.95"))
    ride.usdc = market(USDC, "0.95")
    plan = ride.look()
    assert code(plan) == "beyond_wall"
    assert plan.reason.startswith("USDC is at 0.9500 USD, 500bps below its peg")


def test_peg__any_single_source_beyond_the_wall__is_enough() -> None:
    ride = warm(known(apart=500))
    ride.dusd = market(DUSD, "0.98")
    assert code(ride.look()) == "beyond_wall"


@pytest.mark.fault("M10")
def test_peg__back_inside_the_wall__must_prove_itself_again() -> None:
    ride = warm(price="0.98")
    assert code(ride.look()) == "beyond_wall"
    ride.at("0.9975")
    codes = Counter(code(ride.look()) for _ in range(40))
    assert codes["warming_up"] == 9
    assert codes["trade"] > 0


@pytest.mark.fault("invariant 20")
@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(9_000, 10_300), min_size=4, max_size=12), st.integers(4, 12))
def test_peg__any_path__buys_neither_coin_beyond_the_wall_and_never_leaves_its_limits(
    points: list[int], stay: int
) -> None:
    peg = make_peg(means=Means(usd(100_000), 86_400, {USDC: Hoard(least=units(USDC, 950_000))}))
    ride = warm(peg)
    for point in points:
        ride.at(Fraction(point, 10_000))
        for _ in range(stay):
            plan = ride.look()
            if isinstance(plan, Rebalance):
                spot = plan.peg.spot  # type: ignore[union-attr]
                assert abs(spot - 1) <= Fraction(100, 10_000)  # type: ignore[operator]
                ride.fill(plan)
    assert ride.held[USDC] >= units(USDC, 950_000)
    for token in (USDC, DUSD):
        spent = sum((t.notional.whole for t in ride.trades if t.sold == token.address), Fraction(0))
        assert spent <= 100_000


def test_peg__without_a_wall__buys_all_the_way_down_on_the_same_path() -> None:
    """What stops the keeper is the wall, and not the path."""
    falling = {100: 0, 5_000: 0}
    for wall in (100, 5_000):
        peg = make_peg(bands=Bands(15, 5, wall), means=Means(usd(10_000_000), 86_400))
        ride = warm(replace(peg, pace=replace(peg.pace, clip=usd(10_000))))
        ride.held[USDC] = units(USDC, 10_000_000)
        prices = [1 - Fraction(step * 5, 10_000) for step in range(60)]
        for price in prices:
            for _ in range(8):
                plan = ride.at(price).look()
                if isinstance(plan, Rebalance):
                    ride.fill(plan)
                    falling[wall] += int(price < Fraction(99, 100))
    assert falling[100] == 0
    assert falling[5_000] > 20


# --- how much --------------------------------------------------------------------------------------------------------


def test_peg__capacity_used_up__holds_until_the_window_has_passed() -> None:
    ride = warm(make_peg(means=Means(usd(30_000), 3_600)), "0.9975")
    while isinstance(plan := ride.look(), Rebalance):
        ride.fill(plan)
        ride.at("0.9975")
    assert code(plan) == "capacity"
    assert plan.reason.endswith("; the $30,000.00 for buying DUSD are used up")
    assert sum(t.notional.whole for t in ride.trades) == pytest.approx(30_000, abs=1)
    assert plan.peg is not None
    left = {stock.side: stock.left for stock in plan.peg.stocks}
    assert left[BUY] < usd(1)
    assert left[SELL] == usd(30_000)
    codes = [code(ride.look()) for _ in range(HOUR + 20)]
    assert codes[0] == "capacity"
    assert codes[-1] == "trade"


def test_peg__favourable_observations__give_the_capacity_back() -> None:
    peg = make_peg(means=Means(usd(30_000), 86_400), renewing=Renewing(3, 4, 60))
    ride = warm(peg, "0.9975")
    while isinstance(plan := ride.look(), Rebalance):
        ride.fill(plan)
        ride.at("0.9975")
    assert code(plan) == "capacity"
    ride.at(1).looks(60)
    ride.at("0.9975")
    assert "trade" in [code(ride.look()) for _ in range(40)]


def test_peg__inventory__bounds_what_is_sold_and_what_is_bought() -> None:
    bounds = {USDC: Hoard(least=units(USDC, 990_000)), DUSD: Hoard(most=units(DUSD, 1_004_000))}
    ride = warm(make_peg(means=Means(usd(250_000), 86_400, bounds)), "0.9975")
    while isinstance(plan := ride.look(), Rebalance):
        ride.fill(plan)
        ride.at("0.9975")
    assert code(plan) in ("inventory", "dust", "at_destination")
    assert units(DUSD, 1_003_900) < ride.held[DUSD] <= units(DUSD, 1_004_000)
    assert code(warm(make_peg(means=Means(usd(1), 60, {USDC: Hoard(least=units(USDC, 10**6))})), "0.9975").look()) == (
        "inventory"
    )


def test_peg__trade_that_would_cost__needs_a_mandate() -> None:
    """At a pool fee of 30 bps nothing is earned by buying 25 bps below the peg."""
    kept = {}
    for pays in (0, 5, 40):
        ride = Ride(make_peg(pace=replace(make_peg().pace, pays=pays))).at("0.9975", fee=3_000)
        ride.looks(60)
        kept[pays] = ride.look()
    assert [code(kept[pays]) for pays in (0, 5, 40)] == ["no_profit", "no_profit", "trade"]
    assert kept[0].reason.endswith("nothing is paid for the peg")
    assert kept[5].reason.endswith("pay_for_peg allows 5bps")


def test_peg__without_a_clip__follows_gas_and_depth() -> None:
    cheap, dear = (warm(make_peg(pace=replace(make_peg().pace, clip=None, gas=gas)), "0.9975") for gas in (1, 300_000))
    small, large = cheap.look(), dear.look()
    assert code(small) == "dust"
    assert isinstance(large, Rebalance)
    gas = 300_000 * 10**8 * 3120 / 10**18
    assert float(large.trades[0].notional.whole) == pytest.approx((gas * 99_750_000) ** 0.5, rel=0.01)


def test_peg__nothing_worth_it_or_nothing_there__is_a_hold_with_a_reason() -> None:
    ride = warm(make_peg(pace=replace(make_peg().pace, dust=usd(90_000))), "0.9975")
    assert code(ride.look()) == "dust"
    ride.peg = make_peg(pair=Pair(DUSD, replace(USDC, address=address(7)), in_usd=False))
    assert code(ride.look()) == "no_price"


# --- pegs that move --------------------------------------------------------------------------------------------------


def at_rate(ride: Ride, rate: Fraction | float) -> Ride:
    ride.extra = {RATE: int(Fraction(rate) * 10**18).to_bytes(32, "big")}
    return ride


def staked() -> Ride:
    peg = make_peg(goal=RatePeg(RATE, 10), pair=Pair(DUSD, USDC, in_usd=False), against_peg=None)
    ride = at_rate(Ride(peg), Fraction(11, 10)).at("1.0972")
    ride.looks(60)
    return ride


def test_peg__rate_provider__is_the_peg() -> None:
    plan = staked().look()
    assert isinstance(plan, Rebalance)
    assert plan.peg is not None
    assert (plan.peg.unit, plan.peg.peg) == ("USDC", Fraction(11, 10))
    assert round(plan.peg.away) == -25


@pytest.mark.fault("M9")
def test_peg__rate_that_jumps__is_not_believed_however_often_it_says_so() -> None:
    ride = at_rate(staked(), Fraction(1_102, 1_000))
    plans = ride.looks(3)
    assert [code(plan) for plan in plans] == ["no_peg"] * 3
    assert plans[0].reason.endswith("1.102, was 1.1: 18.2 bps at once, 10 allowed")
    assert code(at_rate(ride, Fraction(11_005, 10_000)).look()) == "not_yet"


@pytest.mark.fault("M9")
def test_peg__rate_without_an_answer__holds() -> None:
    ride = staked()
    ride.extra = {RATE: None}
    assert ride.look().reason.endswith("no answer")
    ride.extra = {RATE: bytes(32)}
    assert code(ride.look()) == "no_peg"


# --- what it is made of ----------------------------------------------------------------------------------------------


def test_peg__bands_that_contradict__are_refused() -> None:
    for bands in ((15, 15, 100), (15, 20, 100), (15, 5, 15)):
        with pytest.raises(ValueError, match="destination < trigger < wall"):
            Bands(*bands)


def test_peg__same_view__gives_the_same_plan_and_carries_its_figures() -> None:
    ride = warm(price="0.9975")
    ride.block += 1
    view = ride.view()
    one, other = ride.peg.plan(view), make_peg().plan(view)
    assert one == other
    line = one.peg
    assert line is not None
    assert (line.unit, line.peg, line.trigger, line.destination, line.wall) == (USD.symbol, 1, 15, 5, 100)
    assert round(line.away) == -25
    assert [opinion.source for opinion in line.opinions] == ["uni.ema"]
    assert {stock.side for stock in line.stocks} == {BUY, SELL}
    assert isinstance(ride.peg.goal, FixedPeg)
    assert make_pool(1).pool.address == address(POOL)
