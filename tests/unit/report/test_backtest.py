from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.core.backtests import YEAR, Backtest, Fill, Point, Ride
from keeper.report.backtest import FILL_COLUMNS, fill_rows, rank, record, render_advice, render_backtest
from tests.builders import NOW, USDC, WETH, units, usd

FILL = Fill(NOW, units(WETH, 1), units(USDC, 1_990), usd(2_000), usd(6), usd(-1), usd(3), usd(2))
POINTS = tuple(Point(NOW + day * 86_400, 1e5, (0.6 + day / 1_000, 0.4 - day / 1_000), day / 40) for day in range(60))
OWN = Ride("as configured", "trigger 4pp", YEAR, usd(99_000), usd(100_000), (FILL,), 0.015, 0.02, {"dust": 7}, POINTS)
OTHER = replace(OWN, policy="from costs", said="band: auto", tracking_error=0.010, refused={})
FOUND = Backtest(
    "treasury", (WETH, USDC), (6_000, 4_000), (Fraction(400),) * 2, "a.csv", "pools", NOW, 300, (OWN, OTHER)
)


def test_render_backtest__two_policies__every_figure_in_its_column() -> None:
    text = render_backtest(FOUND).plain()
    (row,) = (line for line in text.splitlines() if line.startswith("as configured"))
    # trades, turnover, fee, basis, impact, gas, cost, error, total, outside
    assert row.split()[2:] == ["1.0", "2.00", "%", "0.60", "−0.10", "0.30", "0.20", "1.00", "150.0", "4.4", "2.00", "%"]
    assert "treasury  WETH 60 % · USDC 40 %" in text
    assert "a.csv: 1.00 years from 2026-09-21 14:13 UTC, every 5m" in text
    assert "dust" in text.split("did not:")[1]


def test_render_advice__another_is_better__says_which_and_what_it_saves() -> None:
    text = render_advice(FOUND).plain()
    assert "Choose band: auto. As configured, cost and tracking loss were 1.9 bps a year higher ($18.75)." in text
    lines = [line.split("  ")[0] for line in text.splitlines()]
    assert lines.index("from costs") < lines.index("as configured")


def test_render_advice__own_is_best__leaves_it() -> None:
    text = render_advice(replace(FOUND, rides=(OTHER, OWN))).plain()
    assert "Leave it as it is" in text
    assert rank(FOUND.rides)[0] is OTHER


def test_record__for_machines__has_exact_figures() -> None:
    own = record(FOUND)["policies"][0]
    assert own["cost_bps_a_year"] == "1"
    assert own["cost_parts_bps_a_year"] == {"fee": "0.6", "basis": "-0.1", "impact": "0.3", "gas": "0.2"}
    assert own["refused"] == {"dust": 7}


def test_fill_rows__trade__plain_numbers_for_spreadsheets() -> None:
    (row,) = fill_rows([FILL])
    assert tuple(row) == FILL_COLUMNS
    assert (row["sold"], row["token_got"], row["value_usd"], row["basis_usd"]) == ("1", "USDC", "2000.00", "-1.0000")
