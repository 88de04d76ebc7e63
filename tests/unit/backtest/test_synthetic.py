from __future__ import annotations

import math
from itertools import pairwise
from statistics import correlation, mean, stdev

import pytest

from keeper.backtest.prices import Prices
from keeper.backtest.synthetic import draw, parse
from keeper.core.errors import ConfigError

SYMBOLS = ("WETH", "WBTC", "USDC")


def drawn(text: str) -> Prices:
    return draw(parse(text), SYMBOLS, frozenset({"USDC"}), {"WETH": 3_000.0})


def returns(prices: Prices, place: int) -> list[float]:
    return [math.log(new[place] / old[place]) for old, new in pairwise(prices.rows)]


def test_draw__same_words__same_path_and_another_seed_another() -> None:
    assert drawn("gbm seed=3 years=0.02").rows == drawn("gbm seed=3 years=0.02").rows
    assert drawn("gbm seed=3 years=0.02").rows != drawn("gbm seed=4 years=0.02").rows


def test_draw__gbm__has_its_volatility_correlation_and_no_gain() -> None:
    prices = drawn("gbm seed=1 years=4 step=3600 volatility=0.5 correlation=0.4")
    weth, wbtc = returns(prices, 0), returns(prices, 1)
    yearly = math.sqrt(365 * 24)
    assert stdev(weth) * yearly == pytest.approx(0.5, rel=0.02)
    assert correlation(weth, wbtc) == pytest.approx(0.4, abs=0.03)
    # The mean of log returns is −σ²/2; its error is σ/√years.
    assert mean(weth) * 365 * 24 == pytest.approx(-0.125, abs=3 * 0.5 / 2)
    assert prices.rows[0] == (pytest.approx(3_000.0), pytest.approx(100.0), 1.0)
    assert {row[2] for row in prices.rows} == {1.0}


def test_draw__jumps__are_moves_that_a_gbm_does_not_make() -> None:
    calm = max(abs(move) for move in returns(drawn("gbm seed=2 years=1 step=1800"), 0))
    wild = max(abs(move) for move in returns(drawn("jumps seed=2 years=1 step=1800 jumps=20"), 0))
    assert wild > 2 * calm


def test_draw__depeg__a_dollar_sags_by_no_more_than_told_and_comes_back() -> None:
    dollars = [row[2] for row in drawn("depeg seed=5 years=1 step=3600 depegs=3 depth=0.2").rows]
    assert 0.8 <= min(dollars) < 0.9
    assert dollars[-1] > 0.99 or dollars[0] == 1.0
    assert max(dollars) == 1.0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "--synthetic: expected one of gbm, jumps, depeg, then key=value, found nothing"),
        ("walk seed=1", "--synthetic: expected one of gbm, jumps, depeg"),
        ("gbm speed=1", "--synthetic: expected keys among seed, years, step"),
        ("gbm years=x", "--synthetic: expected years from 0.002 to 30, found years=x"),
        ("gbm years=nan", "--synthetic: expected years from 0.002 to 30, found years=nan"),
        ("gbm seed=1.5", "--synthetic: expected seed from 0 to"),
        ("gbm correlation=2", "--synthetic: expected correlation from 0 to 1, found correlation=2"),
        ("gbm years=30 step=1", "--synthetic: expected 2 to 5,000,000 steps, found 946,080,000"),
    ],
)
def test_parse__bad_words__one_line(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text)
    assert line in str(refused.value)
