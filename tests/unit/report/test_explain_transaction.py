"""What became of a transaction with several legs; one leg stands on the golden pages."""

from __future__ import annotations

from keeper.report.explain import render_explain
from tests.unit.report import situations as given
from tests.unit.report.pages import sent

SEVERAL = """\
It sold 10.0000 WETH, 500.00 DAI ($61,700.00) for 31,600.00 USDC, 0.25000 WBTC.
  legs     10.0000 WETH for about 46,090.00 USDC
           500.00 DAI for about 500.00 USDC
           15,000.00 USDC for about 0.25000 WBTC
  quote    31,590.00 USDC, and it received 10.00 more (+3.2 bps)
           0.25000 WBTC, and it received exactly that
  min_out  31,490.00 USDC, and it received 110.00 more (+34.9 bps)
           0.24800 WBTC, and it received 0.00200 more (+80.6 bps)
  cost     16.2 bps = $100.00  fee 6.2 · impact 11.6 · others −1.6 · gas $0.02 on top
"""


def test_explain__several_legs__each_as_meant_and_each_token_as_received() -> None:
    assert SEVERAL in render_explain(sent(given.several())).plain(110)


def test_explain__one_leg__lists_none() -> None:
    assert "  legs " not in render_explain(sent(given.filled())).plain(110)
