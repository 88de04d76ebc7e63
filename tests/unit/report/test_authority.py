"""The page of what a thief of a key could take."""

from __future__ import annotations

import json
from dataclasses import replace

from keeper.app.authority import Exposure
from keeper.core.authority import Most, WorstLoss
from keeper.core.chain import Unusable
from keeper.report.authority import authority_record, render_authority
from tests.builders import ETH, address, units, usd

WORST = WorstLoss(
    Most(usd(31_200), "Roles knows no prices: 10.0000 WETH may be sold for nothing"),
    Most(usd(62_400), "the same, and a day's refills"),
    Most(usd(1_287_000), "refills go on until the role is taken away"),
    units(ETH, "0.5"),
    usd(1_560),
    ("tokens that this configuration does not name are not counted",),
)
FOUND = Exposure(
    "treasury", "base", 8453, "roles", address(0x5AFE), address(0x1CE7), 40_211_907, WORST, usd(200_000), True
)
PAGE = """\
treasury · base 8453 · block 40,211,907 · roles 0x0000…5aFE · key 0x0000…1Ce7

A thief of the key could take at most
  per transaction      $31,200.00   Roles knows no prices: 10.0000 WETH may be sold for nothing
  per day              $62,400.00   the same, and a day's refills
  in total          $1,287,000.00   refills go on until the role is taken away
  gas money             $1,560.00   0.500000 ETH on the key's own account, beside it
  tokens that this configuration does not name are not counted

limit  $63,960.00 of $200,000.00 a day, gas money included  32 %

next: keeper check keeper.yaml
"""


def test_page__of_a_role__has_each_figure_with_its_reason_and_the_limit() -> None:
    assert render_authority([FOUND], ["keeper check keeper.yaml"]).plain() == PAGE


def test_page__too_much_or_without_a_limit__says_that_live_refuses() -> None:
    said = render_authority([replace(FOUND, limit=usd(60_000)), replace(FOUND, limit=None)]).plain()
    assert "$63,960.00 of $60,000.00 a day, gas money included: too much, --live refuses" in said
    assert "no max_authority: --live needs one" in said
    assert "fine for this vault" in render_authority([replace(FOUND, limit=None, needs_limit=False)]).plain()


def test_page__what_is_not_known__is_said_in_place_of_figures() -> None:
    said = render_authority([replace(FOUND, found=Unusable("price of WETH: stale"), key=None)]).plain()
    assert "UNKNOWN: what a thief of the key could take is not known: price of WETH: stale" in said
    assert "no key" in said.splitlines()[0]


def test_page__no_vaults__says_so() -> None:
    assert "No vaults" in render_authority([]).plain()


def test_record__for_machines__has_the_same_figures() -> None:
    record = json.loads(json.dumps(authority_record(FOUND)))
    assert (record["per_day"]["whole"], record["day"]["whole"], record["within"]) == ("62400", "63960", True)
    assert record["total"]["reason"] == "refills go on until the role is taken away"
    unknown = authority_record(replace(FOUND, found=Unusable("no")))
    assert (unknown["unknown"], unknown["within"], "per_day" in unknown) == ("no", False, False)


def test_page__a_token_that_calls_itself_something_strange__cannot_move_the_cursor() -> None:
    strange = replace(WORST, total=Most(usd(1), "all \x1b[31mWETH\n"))
    assert "\x1b" not in render_authority([replace(FOUND, found=strange)]).plain()


def test_page__one_key_for_several_vaults__says_what_all_of_them_come_to() -> None:
    other = replace(FOUND, vault="basket", account=address(0x5AFF))
    lost = replace(FOUND, vault="third", found=Unusable("no answer"))
    page = render_authority([FOUND, other, lost, replace(FOUND, vault="alone", key=address(9))]).plain(200)
    said = "serves 3 vaults: $124,800.00 a day and $2,574,000.00 in total over all of them, $1,560.00 of gas money"
    assert said in page
    assert "without 1 that cannot be read" in page
    assert page.count(" serves ") == 1
    elsewhere = render_authority([FOUND, replace(other, chain="mainnet")]).plain(200)
    assert "$3,120.00 of gas money" in elsewhere
