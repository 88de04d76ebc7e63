from dataclasses import replace

from keeper.report.facts import VaultFacts
from keeper.report.status import render_status, status_record
from tests.unit.report import situations as given

NOW = given.BLOCK.timestamp + 60
HOLDS = given.cycle(given.holding(), "hold", "in_band", "in band")
TRADES = given.cycle(given.trading(), "dry", "swap", "WETH is out")
SHADOW = VaultFacts("candidate", "base", "shadow", cycle=TRADES, original="treasury", beside=HOLDS)


def test_status__a_shadow_that_decides_otherwise__says_both() -> None:
    text = render_status([SHADOW], now=NOW).plain(200)
    assert "shadow" in text
    assert "sell 15.0696 WETH ($47,017.15) for USDC; treasury: nothing (in_band)" in text
    (record,) = status_record([SHADOW], now=NOW)["vaults"]
    assert (record["shadow_of"], record["differs"]) == ("treasury", True)


def test_status__a_shadow_that_decides_alike__says_so() -> None:
    alike = replace(SHADOW, cycle=HOLDS)
    assert "decides as treasury: nothing (in_band)" in render_status([alike], now=NOW).plain(200)
    assert status_record([alike], now=NOW)["vaults"][0]["differs"] is False
    assert status_record([VaultFacts("a", "base", "live")], now=NOW)["vaults"][0]["differs"] is None
