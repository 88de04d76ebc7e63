from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from keeper.app.backtesting import ABOUT_A_CHAIN, Stage, backtest, dollars_of, make_stage, pick_vault
from keeper.backtest.market import Terms
from keeper.backtest.synthetic import draw, parse
from keeper.config import load
from keeper.core.errors import ConfigError
from keeper.guards import MaxImpact, MaxTrade
from tests.builders import usd
from tests.unit.app.app_configs import TEXT

TERMS = Terms(usd(20_000_000), Fraction(5, 10_000), usd(2))
EXAMPLES = Path(__file__).resolve().parents[3] / "config"


def staged(folder: Path, text: str = TEXT) -> Stage:
    path = folder / "keeper.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return make_stage(load(path, {}), "treasury", TERMS, usd(1_000_000))


def test_make_stage__configuration__its_strategy_guards_and_schedule_without_a_chain(tmp_path: Path) -> None:
    stage = staged(tmp_path)
    assert stage.symbols == ("WETH", "USDC")
    assert stage.scene.targets == (6_000, 4_000)
    assert stage.scene.triggers == (400, 400)
    assert stage.scene.every == 300
    kinds = {type(guard) for guard in stage.scene.guards}
    assert {MaxImpact, MaxTrade} <= kinds
    assert not kinds & set(ABOUT_A_CHAIN)
    # $2 of gas at 25 bps
    assert stage.least == 800


@pytest.mark.parametrize("name", ["mainnet", "base", "sepolia", "demo"])
def test_make_stage__examples__whatever_their_custody__can_be_ridden(name: str) -> None:
    loaded = load(EXAMPLES / f"{name}.yaml", {}, need_env=False)
    vault = pick_vault(loaded.config, None)
    stage = make_stage(loaded, vault, TERMS, usd(1_000_000))
    prices = draw(parse("gbm years=0.02 step=3600"), stage.symbols, dollars_of(loaded.config, vault), {})
    found = backtest(stage, prices, [stage.own, *stage.comparisons(30)], lambda _policy: lambda _steps: None)
    assert found.own.policy == "as configured"
    assert len(found.rides) == 5


def test_backtest__slices_and_bands_from_costs__ride_too(tmp_path: Path) -> None:
    text = TEXT.replace("trigger: 4pp, destination: 2pp", "band: auto").rstrip() + "\n    slices: auto\n"
    stage = staged(tmp_path, text)
    prices = draw(parse("gbm seed=3 years=0.2 step=1800"), stage.symbols, frozenset({"USDC"}), {})
    found = backtest(stage, prices, [stage.own], lambda _policy: lambda _steps: None)
    assert found.own.said == "band: auto"
    assert len(found.own.fills) > 2
    assert found.market.startswith("a pool for each pair, $20,000,000.00 on each side")


def test_pick_vault__none_or_several_or_another_kind__one_line(tmp_path: Path) -> None:
    path = tmp_path / "keeper.yaml"
    path.write_text(TEXT)
    path.chmod(0o600)
    config = load(path, {}).config
    assert pick_vault(config, None) == pick_vault(config, "treasury") == "treasury"
    with pytest.raises(ConfigError, match="--vault: expected one of treasury, found other"):
        pick_vault(config, "other")
    peg = load(EXAMPLES / "peg.yaml", {}, need_env=False).config
    with pytest.raises(ConfigError, match="expected a vault that keeps weights"):
        pick_vault(peg, None)


def test_dollars_of__symbols_and_cash__are_what_should_be_worth_one(tmp_path: Path) -> None:
    loaded = load(EXAMPLES / "demo.yaml", {}, need_env=False)
    assert dollars_of(loaded.config, pick_vault(loaded.config, None)) == {"USDC"}
