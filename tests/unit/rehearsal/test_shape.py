from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from keeper.app.loading import open_config
from keeper.rehearsal.shape import first_price, shape

CONFIGS = Path(__file__).parents[3] / "config"


@pytest.mark.parametrize(
    ("symbol", "price"),
    [("WETH", 3_000), ("cbBTC", 60_000), ("USDC", 1), ("DAI", 1), ("EURC", Fraction(11, 10)), ("UNI", 100)],
)
def test_first_price__when_a_symbol_is_known_by_its_letters__then_it_costs_about_what_it_does(
    symbol: str, price: Fraction
) -> None:
    assert first_price(symbol, None) == price


def test_shape__when_a_vault_of_weights__then_it_begins_a_quarter_beyond_its_trigger() -> None:
    found = shape(open_config(CONFIGS / "mainnet.yaml", need_env=False).config, "treasury", None, None)

    assert found.value == 500_000
    assert found.depth == 10_000_000
    assert found.sold == "WETH"
    assert found.holdings["WETH"] * 3_000 / found.value == Fraction(65, 100)
    assert found.holdings["USDC"] / found.value == Fraction(35, 100)
    assert [(pool.tokens, pool.fee) for pool in found.pools] == [
        (("WETH", "USDC"), 500),
        (("WETH", "USDC"), 3_000),
        (("WETH", "USDC"), 3_000),
    ]


def test_shape__when_a_peg__then_its_coin_is_cheap_and_within_the_wall() -> None:
    found = shape(open_config(CONFIGS / "peg.yaml", need_env=False).config, "dai-peg", Fraction(7), None)

    assert found.prices["DAI"] == Fraction(9_978, 10_000)
    assert found.sold == "USDC"
    assert found.depth == 7
    assert [(pool.tokens, pool.fee) for pool in found.pools] == [(("DAI", "USDC"), 100)]
    assert found.notes == ("pools keep no averages of their own here: the peg does without its twap sources",)


def test_shape__when_a_pool_has_a_name_that_says_nothing__then_its_fee_is_guessed_and_told() -> None:
    found = shape(open_config(CONFIGS / "anvil.yaml", need_env=False).config, "local", None, None)

    assert found.notes[0] == "pool v2: taken as WETH/USDC, 0.05 %: only a chain knows"
    assert found.decimals == {"WETH": 18, "USDC": 6}


def test_shape__when_a_vault_trades_on_a_calendar_only__then_that_is_left_out_and_told(tmp_path: Path) -> None:
    text = (CONFIGS / "mainnet.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.strip().startswith(("trigger:", "destination:"))]
    path = tmp_path / "keeper.yaml"
    path.write_text(
        "\n".join(lines).replace("      dust:", "      calendar: {cron: 0 8 1 * *}\n      dust:", 1), "utf-8"
    )

    found = shape(open_config(path, need_env=False).config, "treasury", None, None)

    assert found.notes[0] == "its calendar is left out: it trades when it is out by 1pp"
    assert found.holdings["WETH"] * 3_000 / found.value == Fraction(65, 100)
