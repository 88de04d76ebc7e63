"""How a route is told where it is no single pool; what a page says of it stands in the golden files."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from keeper.core.plan import OrderLeg, Splitting
from keeper.core.units import Rounding
from keeper.report.page import Page
from keeper.report.routes import show_others, show_route, split_sentence, trade_record, way_of
from tests.unit.report import situations as given
from tests.unit.report.situations import Situation, usdc


def shown(situation: Situation) -> str:
    decision, page = situation.decision, Page()
    show_route(page, decision, decision["trades"][0], decision["order"]["legs"])
    return page.plain(140)


def test_trade_record__a_split__says_what_each_leg_and_the_best_pool_give_and_what_is_saved() -> None:
    record = trade_record(given.split().routes[0])
    assert json.loads(json.dumps(record)) == record
    assert [leg["quote"]["whole"] for leg in record["legs"]] == ["28220.34", "12473", "6297.31"]
    assert record["legs"][2]["through"] == ["DAI"]
    found = record["splitting"]
    assert (found["alone"]["address"], found["alone"]["gives"]["whole"]) == (given.POOL.address, "46989.46")
    assert (found["saved"]["whole"], found["gas"]["whole"], found["brings"]["whole"]) == ("1.15", "0.06", "46990.65")
    assert "calls" not in record


def test_trade_record__one_pool_and_no_split__is_as_ever() -> None:
    assert trade_record(given.trading().routes[0]).keys() == {"sell", "buy", "notional", "legs", "considered"}


def test_trade_record__the_first_of_two_calls__counts_them() -> None:
    assert trade_record(given.first_of_two().routes[0])["calls"] == 2


def test_way__along_two_pools__names_both_in_order() -> None:
    *_, last = trade_record(given.split().routes[0])["legs"]
    assert way_of(last) == "uniswap_v3 0.05 % WETH/DAI 0x93e8…38f5 → uniswap_v3 0.01 % DAI/USDC 0x6e22…E72b"


def test_show__no_pool_takes_all_of_it__says_so() -> None:
    situation = given.split()
    route = situation.routes[0]
    assert route.splitting
    lonely = replace(route, splitting=Splitting(None, route.splitting.brings, route.splitting.gas, None))
    text = shown(replace(situation, routes=(lonely,)))
    assert "  alone    no pool takes all of it\n" in text
    assert "saved" not in text


@pytest.mark.parametrize(
    ("binding", "says"),
    [
        ((False, False, False), "from quote −30 bps (oracle floor 3.00)"),
        ((True, True, True), "from oracle floor (quote −30 bps would be 46,849.68)"),
        ((True, False, False), "from each leg's larger floor (quote −30 bps 46,849.68, oracle floor 28,213.34)"),
    ],
)
def test_show__floors_of_several_legs__are_told_as_one(binding: tuple[bool, ...], says: str) -> None:
    situation = given.split()
    assert situation.order
    legs = tuple(
        replace(leg, oracle_floor=leg.leg.quote - usdc("9")) if is_oracle else leg
        for leg, is_oracle in zip(situation.order.legs, binding, strict=True)
    )
    text = shown(replace(situation, order=replace(situation.order, legs=legs)))
    assert says in text
    least = sum(leg.min_out.raw for leg in legs)
    assert f"  min_out  {least / 10**6:,.2f} USDC" in text


def on_the_way() -> Situation:
    """A leg that sells what an earlier one brings: only what the last ones bring counts."""
    situation = given.split()
    assert situation.order
    first, second, _ = (leg.leg for leg in situation.order.legs)
    into = replace(first, pools=(given.DAI_POOL,), quote=replace(first.quote, token=given.DAI, raw=28_220 * 10**18))
    out = replace(
        second,
        pools=(given.DAI_USDC,),
        sell=into.quote.times(Fraction(997, 1000), Rounding.UP),
        quote=usdc("28100"),
    )
    floors = tuple(OrderLeg(leg, leg.quote.times(Fraction(997, 1000), Rounding.UP), leg.quote) for leg in (into, out))
    route = replace(situation.routes[0], legs=(into, out))
    return replace(situation, routes=(route,), order=replace(situation.order, legs=floors))


def test_show__a_leg_that_sells_what_another_brings__is_no_share_and_only_the_last_counts() -> None:
    text = shown(on_the_way())
    assert "  quote    28,100.00 USDC\n" in text
    assert "its DAI" in text
    assert "60.1 %" in text


def test_split_sentence__one_leg__is_none_and_no_gain_is_not_praised() -> None:
    record: dict[str, Any] = given.trading().decision
    assert not split_sentence(record, record["trades"][0])
    situation = given.split()
    splitting = situation.routes[0].splitting
    assert splitting
    even = replace(situation.routes[0], splitting=replace(splitting, saved=usdc("0")))
    record = replace(situation, routes=(even,)).decision
    assert split_sentence(record, record["trades"][0]).endswith("DAI/USDC 0x6e22…E72b.")


def test_others__by_default__are_pools_that_trade_this_and_would_fill_none_of_it() -> None:
    route = given.trading().routes[0]
    paused = replace(given.POOL, address=given.BTC_POOL.address)
    route = replace(
        route, considered=((given.POOL, usdc("1")), (paused, "the pool is paused"), (given.DEARER, usdc("9")))
    )
    decision: dict[str, list[object]] = {"left_out": [], "prices": []}
    for refusing, lines in ((True, 1), (False, 2)):
        page = Page()
        show_others(page, decision, trade_record(route), refusing=refusing)
        told = page.plain(140).splitlines()
        assert len(told) == lines
        assert "the pool is paused" in told[0]
