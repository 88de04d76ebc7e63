from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from keeper.core.chain import VaultView
from keeper.core.decision import Decision
from keeper.core.latches import Trip
from keeper.core.units import USD, Address, Price, Token, TokenAmount
from keeper.report.decision import describe
from keeper.report.nouns import amount
from tests.unit.report import situations as given
from tests.unit.report.situations import Situation

SITUATIONS = {
    "trading": given.trading,
    "denied": given.denied,
    "failing": given.failing,
    "three": given.three,
    "tidying": given.tidying,
    "holding": given.holding,
    "priceless": given.priceless,
    "unreadable": given.unreadable,
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_describe__same_objects__gives_the_same_json_and_survives_it(name: str) -> None:
    first, second = SITUATIONS[name]().decision, SITUATIONS[name]().decision
    assert json.dumps(first) == json.dumps(second)
    assert json.loads(json.dumps(first)) == first


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]


@pytest.mark.parametrize("name", SITUATIONS)
def test_describe__any_situation__holds_no_float(name: str) -> None:
    assert not [leaf for leaf in _leaves(SITUATIONS[name]().decision) if isinstance(leaf, float)]


@hypothesis_given(raw=st.integers(-(10**40), 10**40), decimals=st.integers(0, 36))
def test_amount__any_raw__is_exact_both_ways(raw: int, decimals: int) -> None:
    token = Token(1, Address("0x" + "11" * 20), "T", decimals)
    record = amount(TokenAmount(token, raw))
    assert int(record["raw"]) == raw
    assert Fraction(record["whole"]) == Fraction(raw, 10**decimals)
    assert "e" not in record["whole"].lower()


def test_describe__trade__keeps_prices_floors_costs_calls_and_guards() -> None:
    found = given.trading(approves=True).decision
    assert [reading["source"] for reading in found["prices"][0]["readings"]] == ["chainlink", "twap30m"]
    assert found["prices"][0]["readings"][0]["age"] == 252
    leg = found["order"]["legs"][0]
    assert (leg["min_out"], leg["binds"]) == (leg["quote_floor"], "quote")
    assert [call["purpose"] for call in found["calls"]] == ["approve", "swap"]
    assert found["simulation"]["gas"] == ["46210", "231480"]
    assert found["trades"][0]["considered"][1]["chosen"] is False
    assert found["left_out"][0]["reason"] == "its price is 412 bps from the oracle"
    guard = next(each for each in found["guards"] if each["guard"] == "max_trade")
    assert (guard["origin"], guard["path"], guard["used"]) == ("file", "vaults.treasury.guards.max_trade", "0.47017")


def test_describe__weights_after__add_up_to_the_whole() -> None:
    after = given.three().decision["after"]
    total = sum(Fraction(line["weight_bps"]) for line in after)
    assert abs(total - 10_000) < Fraction(1, 10**25)


def test_describe__native_coin_that_counts__moves_the_wrapped_token() -> None:
    situation = given.trading()
    assert isinstance(situation.view, VaultView) and situation.draft
    own = given.weth("400")
    view = replace(situation.view, balances={**situation.view.balances, given.WETH: own})
    deltas = {given.ETH: -given.weth("15.0696").raw, given.USDC: given.usdc("46989.46").raw}
    draft = replace(situation.draft, simulation=replace(situation.draft.simulation, deltas=deltas))
    assert replace(situation, view=view, draft=draft).decision["after"] == situation.decision["after"]


@pytest.mark.fault("S18")
@pytest.mark.fault("K10")
def test_describe__hostile_symbol__is_capped_and_harmless() -> None:
    hostile = replace(given.WETH, symbol="\x1b]0;owned\x07\u202e[red]" + "A" * 1_000_000)
    view = given.view()
    price = given.market(hostile, ("chainlink", "3120", 1))
    holdings = {hostile: given.weth("1"), given.USDC: given.usdc("1")}
    holdings[hostile] = TokenAmount(hostile, 10**18)
    found = Situation(
        given.Hold("no_price", "none"), replace(view, holdings=holdings, prices={hostile: price})
    ).decision
    text = json.dumps(found, ensure_ascii=False)
    assert text.isprintable()
    assert len(text) < 10_000


def test_describe__price_without_finite_decimal__keeps_36_digits() -> None:
    third = Price(given.WETH, USD, Fraction(10_000, 3))
    price = replace(given.WETH_PRICE, mid=third)
    found = given.Situation(given.Hold("x", "y"), given.view(prices=(price, given.USDC_PRICE))).decision
    assert found["prices"][0]["mid"] == "3333." + "3" * 32


def test_describe__unusable_view__still_says_what_is_known() -> None:
    found = given.unreadable().decision
    assert found["unusable"] == "balance of WETH: the token's balanceOf reverted"
    assert found["block"] is None
    assert found["plan"]["code"] == "unreadable"


def test_describe__breakers_tripped__names_each_with_its_evidence() -> None:
    held = given.holding()
    trips = (Trip("reverts", "3 transactions reverted"), Trip("loss", "fills were worse"))
    record = describe(Decision("treasury", held.view, held.plan, trips=trips), given.META)
    assert [(each["breaker"], each["reason"]) for each in record["breakers"]] == [
        ("reverts", "3 transactions reverted"),
        ("loss", "fills were worse"),
    ]
    assert held.decision["breakers"] == []
